"""The batch runner when a notebook fails, stops early, hangs or loses its kernel, and when the runner is ended."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from batch import preparation
from jupyter_client.connect import LocalPortCache
from small_jobs import make_cluster, wait_until
from small_notebooks import RUNNER, executed, manifest, record, run, write_notebook

from helpers.offline.engine.history import job_states
from helpers.offline.engine.history.statuses import FINAL
from helpers.offline.engine.workspace import folder

DEADLINE = 120  # seconds


def statuses(project: Path, name: str) -> list[str]:
    return [c.metadata.papermill.status for c in executed(project, name).cells if c.cell_type == "code"]


def test_the_first_failure_ends_the_run_and_is_told(tmp_path, capsys):
    failing = '# Train it\ndef train():\n    raise ValueError("no such cluster")\ntrain()'
    write_notebook(tmp_path, "01_a", "x = 1")
    write_notebook(tmp_path, "02_b", record("reached", "True"), failing, "print('never')")
    write_notebook(tmp_path, "03_c", "x = 1")
    assert run(tmp_path) == 1

    told = capsys.readouterr()
    assert '02_b: failed in code cell 2, line 3: raise ValueError("no such cluster")' in told.err
    assert "ValueError: no such cluster" in told.err
    assert "\x1b" not in told.err
    assert f"The notebook as far as it got: {tmp_path / 'output' / '02_b.ipynb'}" in told.err
    assert "1 of 3 notebooks ran to the end; 02_b failed. --resume goes on from there." in told.out
    table = told.out.strip().split("\n\n")[0]
    rows = [line.split() for line in table.splitlines()[1:]]
    assert [[row[0], row[1], *row[3:]] for row in rows] == [
        ["01_a", "1/1", "ok"],
        ["02_b", "1/3", "failed"],
        ["03_c", "–", "not", "run"],
    ]

    entries = manifest(tmp_path)
    assert entries["02_b"]["result"] == "failed"
    assert entries["02_b"]["results"] == {"reached": True}
    error = entries["02_b"]["error"]
    assert (error["cell"], error["line"], error["source"]) == (2, 3, 'raise ValueError("no such cluster")')
    assert error["message"] == "ValueError: no such cluster"
    assert error["traceback"].endswith("ValueError: no such cluster")
    assert "\x1b" not in error["traceback"]
    assert "03_c" not in entries
    assert statuses(tmp_path, "02_b") == ["completed", "failed", "pending"]


@pytest.fixture
def temporary(monkeypatch):
    """The temporary folder of the test and of what it starts, by a name that is short enough for sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)  # to be asked again
        yield Path(folder)


@pytest.mark.timeout(60)
def test_a_port_that_another_process_takes_first_stops_no_kernel(tmp_path, temporary, monkeypatch):
    write_notebook(tmp_path, "01_a", "x = 1")
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(LocalPortCache, "find_available_port", lambda self, ip: other.getsockname()[1])
        assert run(tmp_path) == 0
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 120, b"\xff\xfe"], ids=["long", "no UTF-8"])
def test_kernels_start_where_the_temporary_folder_holds_no_sockets(tmp_path, monkeypatch, name):
    write_notebook(tmp_path, "01_a", "x = 1")
    temporary = tmp_path / os.fsdecode(name)
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert run(tmp_path) == 0


def test_resume_goes_on_at_the_notebook_that_failed(tmp_path):
    write_notebook(tmp_path, "01_a", "x = 1")
    write_notebook(tmp_path, "02_b", "1 / 0")
    write_notebook(tmp_path, "03_c", "x = 1")
    assert run(tmp_path) == 1
    first = manifest(tmp_path)
    write_notebook(tmp_path, "02_b", "x = 2")
    assert run(tmp_path, "--resume") == 0
    second = manifest(tmp_path)
    assert second["01_a"] == first["01_a"]
    assert [entry["result"] for entry in second.values()] == ["ok", "ok", "ok"]


def test_a_failure_leaves_no_result_of_an_older_run_behind(tmp_path):
    write_notebook(tmp_path, "01_a", "x = 1")
    write_notebook(tmp_path, "02_b", "x = 1")
    assert run(tmp_path) == 0
    write_notebook(tmp_path, "01_a", "1 / 0")
    assert run(tmp_path) == 1
    assert list(manifest(tmp_path)) == ["01_a"]
    assert not (tmp_path / "output" / "02_b.ipynb").exists()


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("accuracy = 0.9\nassert accuracy == 0.9, 'first'\nassert accuracy > 0.99, 'second'", 3),
        ("import json\n\njson.loads(\n    'no JSON')", 3),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise RuntimeError('chained') from error", 4),
        ("x = 1\nx = = 2", 2),
        ("\n  \nx = 1\nraise ValueError", 4),
        ("import contextlib\nwith contextlib.ExitStack() as stack:\n    stack.callback(int, 'x')\n    1 / 0", 4),
    ],
    ids=["assert", "raised elsewhere", "chained", "no Python", "below blank lines", "context manager"],
)
def test_the_line_that_raised_is_named(tmp_path, capsys, source, line):
    write_notebook(tmp_path, "01_a", "x = 1", source)
    assert run(tmp_path) == 1
    text = source.splitlines()[line - 1].strip()
    assert f"01_a: failed in code cell 2, line {line}: {text}\n" in capsys.readouterr().err
    error = manifest(tmp_path)["01_a"]["error"]
    assert (error["line"], error["source"]) == (line, text)


def test_of_a_job_that_failed_the_jobs_own_error_is_told_and_once(tmp_path, offline_folder, capsys):
    script = "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--epochs', type=int)\n"
    script += "parser.parse_args(['--epochs', 'many'])"
    write_training_notebook(tmp_path, offline_folder, script, "helpers.watch(run)", "run.wait_for_completion()")
    assert run(tmp_path) == 1
    told = capsys.readouterr().err
    cause = "Error: train.py: error: argument --epochs: invalid int value: 'many'"
    assert told.count(cause) == 1
    assert "04_train: failed in code cell 3, line 1: run.wait_for_completion()\n  ActivityFailedException: Exec" in told
    assert cause in manifest(tmp_path)["04_train"]["error"]["message"]
    assert manifest(tmp_path)["04_train"]["unfinished_runs"] == []
    assert "goes on, in the experiment" not in told


def test_what_the_sdk_says_twice_is_told_once(tmp_path, offline_folder, capsys):
    source = "import helpers\nhelpers.use_backend('offline')\nfrom azureml.core import Model\n"
    write_notebook(tmp_path, "01_a", f"\n{source}Model(helpers.connect(), 'nothing')")
    assert run(tmp_path) == 1
    told = capsys.readouterr().err
    assert "01_a: failed in code cell 1, line 5: Model(helpers.connect(), 'nothing')" in told
    assert told.count("Model/s") <= 1
    assert "ErrorResponse" not in told
    message = manifest(tmp_path)["01_a"]["error"]["message"]
    assert message in told.splitlines()[-2]
    assert "nothing" in message and "\n" not in message


def write_training_notebook(project: Path, offline_folder: Path, script: str, *cells: str) -> None:
    """04_train, which submits the script, and goes on with these cells."""
    (project / "job").mkdir()
    (project / "job" / "train.py").write_text(script)
    make_cluster(offline_folder, "gpu-cluster")
    submit = f"""
import helpers
helpers.use_backend("offline")
from azureml.core import Experiment, ScriptRunConfig
config = ScriptRunConfig({str(project / "job")!r}, "train.py", compute_target="gpu-cluster")
run = Experiment(helpers.connect(), "digits").submit(config)
"""
    write_notebook(project, "04_train", submit, *cells)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import sys; sys.exit(0)", "SystemExit: 0. The cell left the notebook early"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the kernel died"),
    ],
    ids=["sys.exit(0)", "killed kernel"],
)
def test_a_notebook_that_stops_early_has_failed(tmp_path, capsys, source, said):
    write_notebook(tmp_path, "01_a", record("reached", "1"), source, "print('never')", "print('never')")
    assert run(tmp_path) == 1
    assert f"01_a: failed in code cell 2: {source}\n  {said}" in capsys.readouterr().err
    assert (manifest(tmp_path)["01_a"]["cells_run"], manifest(tmp_path)["01_a"]["cells"]) == (1, 4)
    assert manifest(tmp_path)["01_a"]["results"] == {"reached": 1}
    assert statuses(tmp_path, "01_a") == ["completed", "failed", "pending", "pending"]


def test_a_cell_that_takes_too_long_is_ended(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", "x = 1", "import time; time.sleep(600)", "print('never')")
    assert run(tmp_path, "--execution-timeout", "2") == 1
    assert "the cell took longer than --execution-timeout allows" in capsys.readouterr().err
    assert statuses(tmp_path, "01_a") == ["completed", "failed", "pending"]


@pytest.fixture(autouse=True)
def not_under_nohup():
    """Which has whatever it runs ignore that a terminal is closed, these tests, too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def hanging_batch(tmp_path):
    """A runner in a process of its own, in the second of three notebooks; ends it if the test does not."""
    write_notebook(tmp_path, "01_a", "x = 1")
    write_notebook(
        tmp_path,
        "02_b",
        "import os, pathlib, time; pathlib.Path('../pid.part').write_text(str(os.getpid()))",
        "pathlib.Path('../pid.part').rename('../pid'); time.sleep(600)",
        "print('never')",
    )
    write_notebook(tmp_path, "03_c", "x = 1")
    command = [sys.executable, str(RUNNER), "--notebooks", str(tmp_path / "notebooks")]
    command += ["--junit", str(tmp_path / "junit.xml"), "--html", str(tmp_path / "page.html")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + DEADLINE
        while not (tmp_path / "pid").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the second notebook was not reached"
            time.sleep(0.05)
        yield process, int((tmp_path / "pid").read_text())
    finally:
        process.kill()
        process.communicate()


def assert_ends(pid: int) -> None:
    try:
        psutil.Process(pid).wait(timeout=DEADLINE)
    except psutil.NoSuchProcess:
        return


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_keeps_the_partial_notebook_and_ends_the_kernel(tmp_path, hanging_batch, number):
    process, kernel = hanging_batch
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130
    assert "02_b: interrupted in code cell 2" in err
    assert "not run" in out
    assert_ends(kernel)
    assert [entry["result"] for entry in manifest(tmp_path).values()] == ["ok", "interrupted"]
    assert statuses(tmp_path, "02_b") == ["completed", "failed", "pending"]


def test_the_reports_are_written_though_whoever_was_told_has_ended_too(tmp_path, hanging_batch):
    process, kernel = hanging_batch
    process.stdout.close()  # as of `tee`, which Ctrl-C ends as well
    process.stderr.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=DEADLINE) == 130
    assert_ends(kernel)
    assert [entry["result"] for entry in manifest(tmp_path).values()] == ["ok", "interrupted"]
    assert 'errors="1"' in (tmp_path / "junit.xml").read_text()
    assert "02_b was interrupted" in (tmp_path / "page.html").read_text()


def test_a_terminal_that_is_closed_interrupts_the_batch(tmp_path):
    begin = f"import pathlib, time; pathlib.Path({str(tmp_path / 'begun')!r}).touch(); time.sleep(600)"
    write_notebook(tmp_path, "01_a", begin)
    junit = tmp_path / "junit.xml"
    command = [sys.executable, str(RUNNER), "--notebooks", str(tmp_path / "notebooks"), "--junit", str(junit)]
    ours, its = os.openpty()
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    try:
        wait_until(lambda: (tmp_path / "begun").exists() or process.poll() is not None, DEADLINE)
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=DEADLINE) == 130
    finally:
        process.kill()
        process.wait()
    assert [entry["result"] for entry in manifest(tmp_path).values()] == ["interrupted"]
    assert 'errors="1"' in junit.read_text()


def test_an_interruption_before_the_first_notebook_is_told(tmp_path, monkeypatch, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    write_notebook(tmp_path, "01_a", "x = 1")
    monkeypatch.setattr(preparation, "hash_folders", interrupted)
    assert run(tmp_path) == 130
    assert capsys.readouterr().err == "run_notebooks: interrupted, and nothing was run\n"


# The cell after the one that watches or streams begins when the runner has all that this has shown.
WATCHING_ONCE = """
show = helpers.results.display.show
class Seen(Exception):
    pass
def show_once(*given, **named):
    show(*given, **named)
    raise Seen
helpers.results.display.show = show_once
try:
    helpers.watch(run)
except Seen:
    pass
"""
STREAMING = """
import time, types
import helpers
helpers.use_backend("offline")
from azure.ai.ml import command
from azure.ai.ml.operations import _job_ops_helper
client = helpers.ml_client()
where = {{"environment": "AzureML-sklearn-1.5@latest", "compute": "gpu-cluster"}}
job = client.create_or_update(command(code={code!r}, command="python train.py", **where))
class Seen(Exception):
    pass
def look_once(seconds):
    raise Seen
_job_ops_helper.time = types.SimpleNamespace(sleep=look_once, time=time.time)
try:
    client.jobs.stream(job.name)
except Seen:
    pass
"""
HANGING = "import pathlib, time; pathlib.Path('../shown').touch(); time.sleep(600)"


@pytest.mark.parametrize("sdk", ["v1", "v2"])
def test_after_ctrl_c_the_run_that_goes_on_is_named_with_the_command_that_ends_it(tmp_path, offline_folder, sdk):
    write_training_notebook(tmp_path, offline_folder, "import time\ntime.sleep(600)", WATCHING_ONCE, HANGING)
    if sdk == "v2":
        submit = STREAMING.format(code=str(tmp_path / "job"))
        write_notebook(tmp_path, "04_train", submit, HANGING)
    command = [sys.executable, str(RUNNER), "--notebooks", str(tmp_path / "notebooks")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: (tmp_path / "shown").exists() or process.poll() is not None, DEADLINE)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, err
    (left,) = manifest(tmp_path)["04_train"]["unfinished_runs"]
    goes_on = {"v1": "Its run goes on, in the experiment digits", "v2": "Its job goes on"}[sdk]
    assert f"{goes_on}; the next notebooks find it. To end it:\n" in err
    assert job_states.get(offline_folder, left["run_id"])["status"] not in FINAL
    (cancel,) = [line for line in err.splitlines() if left["run_id"] in line]
    another_terminal = {name: value for name, value in os.environ.items() if name != folder.VARIABLE}
    subprocess.run(cancel, shell=True, check=True, capture_output=True, timeout=DEADLINE, env=another_terminal)
    wait_until(lambda: job_states.get(offline_folder, left["run_id"])["status"] == "Canceled", DEADLINE)


def test_before_a_killed_batch_goes_on_the_run_that_it_has_left_is_named(tmp_path, offline_folder, capsys):
    write_training_notebook(tmp_path, offline_folder, "import time\ntime.sleep(600)", WATCHING_ONCE, HANGING)
    command = [sys.executable, str(RUNNER), "--notebooks", str(tmp_path / "notebooks")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: (tmp_path / "shown").exists() or process.poll() is not None, DEADLINE)
    finally:
        process.kill()
        process.wait()
    (left,) = [state["run_id"] for state in job_states.unfinished(offline_folder)]
    write_notebook(tmp_path, "04_train", "1 / 0")
    assert run(tmp_path, "--resume") == 1
    told, failed = capsys.readouterr().err.split("[1/1]")
    assert told.startswith("04_train: the batch that ran it was killed. Unless it has ended since:\nIts run goes on")
    assert left in told and left not in failed


def test_a_runner_that_is_killed_loses_only_the_notebook_it_was_in(tmp_path, hanging_batch):
    process, kernel = hanging_batch
    process.kill()
    process.wait(timeout=DEADLINE)
    assert_ends(kernel)  # a kernel ends itself when it has lost its parent
    first = manifest(tmp_path)
    assert list(first) == ["01_a"]
    write_notebook(tmp_path, "02_b", "x = 2")
    assert run(tmp_path, "--resume") == 0
    assert manifest(tmp_path)["01_a"] == first["01_a"]
    assert [entry["result"] for entry in manifest(tmp_path).values()] == ["ok", "ok", "ok"]


def test_what_a_killed_runner_leaves_in_the_temporary_folder_the_next_one_deletes(tmp_path, temporary, hanging_batch):
    process, kernel = hanging_batch
    write_notebook(tmp_path / "other", "01_a", "x = 1")
    (its_own,) = temporary.iterdir()
    assert run(tmp_path / "other") == 0
    assert list(temporary.iterdir()) == [its_own]  # of a runner that lives, nothing is deleted
    process.kill()
    process.wait(timeout=DEADLINE)
    assert_ends(kernel)
    assert list(temporary.iterdir()) == [its_own]
    assert run(tmp_path / "other") == 0
    assert list(temporary.iterdir()) == []


def test_two_runs_at_once_do_not_share_an_output_folder(tmp_path, capsys):
    waiting = f"import pathlib, time\npathlib.Path({str(tmp_path / 'begun')!r}).touch()\ntime.sleep(600)"
    write_notebook(tmp_path, "01_waits", waiting)
    first = subprocess.Popen(
        [sys.executable, str(RUNNER), "--notebooks", str(tmp_path / "notebooks")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: (tmp_path / "begun").exists())
        assert run(tmp_path) == 2
        assert "another run is writing to" in capsys.readouterr().err
        assert (
            run(tmp_path, "--output", str(tmp_path / "other"), "--execution-timeout", "1") == 1
        )  # its own cell ended it
    finally:
        first.send_signal(signal.SIGINT)
        first.wait(60)


def test_an_output_folder_that_cannot_be_written_is_told(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", "x = 1")
    (tmp_path / "output" / "manifest.json.part").mkdir(parents=True)  # stops root, too
    assert run(tmp_path) == 1
    error = capsys.readouterr().err
    assert "cannot write the output" in error
    assert "--output names another folder" in error


def test_an_output_folder_that_no_notebook_could_name_is_refused(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", "x = 1")
    assert run(tmp_path, "--output", str(tmp_path / os.fsdecode(b"\xff"))) == 2
    assert "has a name that is not UTF-8. --output names another." in capsys.readouterr().err
