"""The SDK inside a job: light, valid on old Pythons, and nothing that is logged is lost."""

import ast
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from azureml import _spool
from azureml.core import Experiment, Model, Run, ScriptRunConfig
from azureml.exceptions import AzureMLAggregatedException, RunEnvironmentException, UserErrorException
from packaging.specifiers import SpecifierSet
from sdk_world import source
from small_jobs import wait_until

from helpers.offline.engine.environments import interpreters
from helpers.offline.engine.workspace.errors import NotFound

SDK = Path(__file__).parents[2] / "helpers" / "offline" / "sdk_v1"


@pytest.fixture
def job(tmp_path, monkeypatch):
    """The run of a job whose spool nobody carries; the spool's folder."""
    monkeypatch.setenv("AZUREML_OFFLINE_SPOOL", str(tmp_path))
    monkeypatch.setenv("AZUREML_RUN_ID", tmp_path.name)
    monkeypatch.setenv("AZUREML_ARM_PROJECT_NAME", "exp")
    monkeypatch.setattr(_spool, "_descriptor", None)
    yield tmp_path
    if _spool._descriptor is not None:
        os.close(_spool._descriptor)


def events(spool):
    return [json.loads(line) for line in (spool / "events.jsonl").read_text().splitlines() if line]


def in_process(code, **variables):
    """Run code with the mocked SDK in a process of its own; what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(SDK), **variables}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_jobs_side_imports_the_standard_library_only(tmp_path):
    code = """
import sys
before = set(sys.modules)
from azureml.core import Run
run = Run.get_context()
run.log("x", 1)
run.log_row("r", a=1)
run.tag("t")
print(*sorted(set(sys.modules) - before))
"""
    loaded = in_process(code, AZUREML_OFFLINE_SPOOL=str(tmp_path), AZUREML_RUN_ID="x").split()
    foreign = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert foreign == {"azureml"}
    for name in (name for name in loaded if name.startswith("azureml")):
        path = SDK / name.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        ast.parse(path.read_text(), feature_version=(3, 7))


def test_the_jobs_side_runs_on_python_3_7(tmp_path):
    try:
        python = interpreters.find(SpecifierSet("==3.7.*")).path
    except NotFound:
        pytest.skip("there is no Python 3.7 on this machine")
    code = """
import io
from azureml.core import Run
run = Run.get_context()
run.log("x", 1)
run.upload_file("a.txt", io.BytesIO(b"a"))
run.log_table("t", {"a": [1, 2]})
print(len(run.input_datasets))
"""
    spool = {"AZUREML_OFFLINE_SPOOL": str(tmp_path), "AZUREML_RUN_ID": "x", "PYTHONPATH": str(SDK)}
    done = subprocess.run([python, "-c", code], env={**os.environ, **spool}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert [event["kind"] for event in events(tmp_path)] == ["metric", "file", "table"]


def test_what_is_logged_is_one_event_a_line(job):
    run = Run.get_context()
    assert Run.get_context() is run
    before = time.time()
    run.log("Accuracy", 0.5, step=3)
    run.log_list("list", [1, 2])
    run.tag("mood", "good")
    run.tag("bare")
    run.remove_tags(["bare"])
    run.add_properties({"number": 4})
    run.display_name = "a name"
    metric, table, *others = events(job)
    assert before <= metric.pop("time") <= time.time()
    assert metric == {"kind": "metric", "name": "Accuracy", "value": 0.5, "step": 3}
    assert (table["type"], table["name"], table["value"]) == ("list", "list", [1, 2])
    assert others == [
        {"kind": "tag", "name": "mood", "value": "good"},
        {"kind": "tag", "name": "bare", "value": None},
        {"kind": "remove_tag", "name": "bare"},
        {"kind": "property", "name": "number", "value": "4"},
        {"kind": "display_name", "value": "a name"},
    ]


def test_empty_lists_and_tables_fail_as_in_the_sdk_and_log_nothing(job):
    run = Run.get_context()
    for log in (lambda: run.log_list("list", []), lambda: run.log_table("table", {})):
        with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'value'"):
            log()
    with pytest.raises(Exception, match="Index 0 out of range"):
        run.log_table("table", {"x": []})
    run.log_row("row")
    assert not (job / "events.jsonl").exists()


def test_files_are_copied_at_once(job, tmp_path):
    (tmp_path / "a.txt").write_text("first")
    Run.get_context().upload_file("outputs/a.txt", str(tmp_path / "a.txt"))
    (tmp_path / "a.txt").write_text("changed later")
    (event,) = events(job)
    assert (event["kind"], event["name"]) == ("file", "outputs/a.txt")
    assert (job / event["path"]).read_text() == "first"


def test_a_name_is_not_used_twice_by_whatever_process(job, tmp_path):
    run = Run.get_context()
    run.upload_file("outputs/a.txt", io.BytesIO(b"first"))
    with pytest.raises(AzureMLAggregatedException, match="UserError: Resource Conflict: "):
        run.upload_file("outputs/./a.txt", io.BytesIO(b"second"))
    code = """
import io
from azureml.core import Run
run = Run.get_context()
run.log_confusion_matrix("matrix", {})
try:
    run.upload_file("outputs/a.txt", io.BytesIO(b"third"))
except Exception as error:
    print(type(error).__name__)
"""
    assert in_process(code, AZUREML_OFFLINE_SPOOL=str(job), AZUREML_RUN_ID="x") == "AzureMLAggregatedException\n"
    uploads = {event["name"]: (job / event["path"]).read_bytes() for event in events(job) if event["kind"] == "file"}
    assert uploads == {"outputs/a.txt": b"first", "matrix": b"{}"}
    assert len(list((job / "files").iterdir())) == 2


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../b", "..", "", ".", "a\0b"])
def test_file_names_that_lead_out_of_the_run_are_refused(job, name):
    with pytest.raises(UserErrorException, match="is no name for a file"):
        Run.get_context().upload_file(name, __file__)
    assert not (job / "events.jsonl").exists()


def test_many_processes_write_whole_lines(tmp_path):
    code = """
import os, sys
from azureml.core import Run
run = Run.get_context()
for child in range(3):
    if os.fork() == 0:
        break
for i in range(400):
    run.log_list("list %d" % os.getpid(), ["x" * 200] * 20)
"""
    in_process(code, AZUREML_OFFLINE_SPOOL=str(tmp_path), AZUREML_RUN_ID="x")
    lines = tmp_path / "events.jsonl"  # the children may write on after their parent
    wait_until(lambda: lines.read_bytes().count(b"{") >= 1600)
    logged = [event["name"] for event in events(tmp_path)]
    assert sorted(logged.count(name) for name in set(logged)) == [400] * 4


def test_a_line_that_a_full_disk_cuts_off_is_told_and_spoils_no_other(job, monkeypatch):
    run, write = Run.get_context(), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:20]))
        with pytest.raises(OSError, match=r"disk is full: 'first' of the run was not logged"):
            run.log("first", 1)
    run.log("second", 2)
    cut_off, second = filter(None, (job / "events.jsonl").read_text().splitlines())
    assert len(cut_off) < 20
    assert json.loads(second)["name"] == "second"


def test_flush_has_what_was_logged_on_the_disk_and_waits_for_nobody(job, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    run = Run.get_context()
    run.flush()  # nothing logged: nothing to keep
    assert synced == []
    run.log("x", 1)
    run.flush()
    assert [os.fstat(descriptor).st_ino for descriptor in synced] == [(job / "events.jsonl").stat().st_ino]


def test_repr_of_a_jobs_run_needs_no_engine(job):
    assert repr(Run.get_context()).startswith("Run(Experiment: exp,\nId: ")


def test_a_python_without_the_engine_is_told_so(tmp_path):
    code = """
import sys
sys.modules["helpers"] = None
from azureml.core import Run
run = Run.get_context()
run.log("x", 1)
try:
    run.get_metrics()
except Exception as error:
    print(type(error).__name__, error.message)
"""
    told = in_process(code, AZUREML_OFFLINE_SPOOL=str(tmp_path), AZUREML_RUN_ID="x")
    assert told.startswith("UserErrorException This call needs the offline engine")


def test_outside_a_job_the_offline_run_prints_what_the_real_one_prints(tmp_path):
    code = """
from azureml.core import Run
run = Run.get_context(run_id="OfflineRun_1")
run.log("a", 1)
run.log_list("b", [1])
run.log_row("c", x=1)
run.log_table("d", {"x": [1]})
run.log_image("e", path="p.png")
run.log_residuals("f", {})
run.log_confusion_matrix("g", {})
run.tag("t", "v")
run.set_tags({"t": 1})
run.add_properties({"p": 1})
run.upload_file("u", "f")
run.upload_folder("u", "f")
run.upload_files(["u"], ["f"])
run.flush()
run.fail("why", "code")
run.complete()
run.cancel()
with run.child_run("kid") as child:
    print(child.id)
try:
    run.log("a", 1, step=1)
except TypeError as error:
    print(error)
try:
    Run.get_context(allow_offline=False)
except Exception as error:
    print(type(error).__name__, error.message)
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    real = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert real.returncode == 0, real.stderr
    assert in_process(code) == real.stdout


def test_no_run_to_load_is_an_error_where_it_is_asked_for():
    with pytest.raises(RunEnvironmentException, match="Could not load a submitted run"):
        Run.get_context(allow_offline=False)
    with pytest.raises(RunEnvironmentException):
        Run.get_submitted_run()


SCRIPT = """
import io, os
from azureml.core import Model, Run

run = Run.get_context()
run.upload_file("up/loaded.txt", io.BytesIO(b"loaded"))
run.log("x", 1.5)
run.set_tags({"stage": "script"})
run.flush()
assert run.get_metrics() == {"x": 1.5}, run.get_metrics()
assert run.get_tags()["stage"] == "script"
assert "up/loaded.txt" in run.get_file_names()
model = run.register_model("from-job", "up/loaded.txt", tags={"a": "b"})
path = Model.get_model_path("from-job")
assert open(path).read() == "loaded", path
assert path == "azureml-models/from-job/%d/loaded.txt" % model.version, path
with run.child_run("part") as child:
    child.log("y", 2)
assert child.parent.id == run.id
run.fail("only a word", "MyCode")
run.cancel()
run.log("last", 3)
print("experiment", run.experiment.name)
os._exit(0)  # no flush: what was logged is kept all the same
"""


def test_a_script_uses_its_run(workspace, tmp_path):
    run = Experiment(workspace, "job-side").submit(ScriptRunConfig(**source(tmp_path, SCRIPT)))
    details = run.wait_for_completion(raise_on_error=False)
    log = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert details["status"] == "Completed", log
    assert run.get_metrics() == {"x": 1.5, "last": 3}
    (child,) = run.get_children()
    assert (child.status, child.display_name, child.get_metrics()) == ("Completed", "part", {"y": 2})
    assert "MyCode: only a word" in log
    assert "cancel is not supported for submitted runs" in log
    assert "experiment job-side" in log
    model = Model(workspace, "from-job")
    assert (model.run_id, model.experiment_name, model.tags) == (run.id, "job-side", {"a": "b"})


def test_a_job_may_not_be_completed_from_outside(workspace, tmp_path):
    run = Experiment(workspace, "job-side").submit(ScriptRunConfig(**source(tmp_path, "print(1)")))
    with pytest.raises(NotImplementedError, match="complete"):
        run.complete()
    assert run.wait_for_completion()["status"] == "Completed"
