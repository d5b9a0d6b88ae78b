"""Jobs of the engine: what a run keeps, and what is refused."""

import errno
import os
import subprocess
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from small_history import mlflow_client
from small_jobs import LOG, job_of, make_cluster, printed_pid, submit, wait_for, wait_until

from helpers.offline.engine import assets, jobs, processes, removal
from helpers.offline.engine.assets import data
from helpers.offline.engine.compute import clusters, quotas
from helpers.offline.engine.history import job_states, logs, run_files
from helpers.offline.engine.jobs import finish, run_records
from helpers.offline.engine.processes import detached, machine
from helpers.offline.engine.workspace import database, folder
from helpers.offline.engine.workspace.errors import Invalid, NotFound, TooLarge


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


def log_of(opened, run_id):
    return logs.log_path(opened, run_id).read_text(encoding="utf-8", errors="replace")


def test_a_whole_run(opened, tmp_path):
    make_cluster(opened)
    script = (
        LOG
        + """
import sys
for step in range(3):
    log("Loss", 1 / (step + 1), step)
log("once", 7)
print("arguments:", sys.argv[1:])
os.makedirs("outputs/model")
open("outputs/model/weights", "w").write("w")
open("logs/own.log", "w").write("l")
open("not kept", "w").write("n")
"""
    )
    arguments = ["with space", "quote'\"$(x)", "zwölf 十二", "--number", "3"]
    run_id = submit(opened, tmp_path / "s", script, arguments, target="cpu")
    state = wait_for(opened, run_id)
    assert (state["status"], state["exit_code"], state["error"]) == ("Completed", 0, None)
    assert [stage["status"] for stage in state["stages"]] == [
        "NotStarted",
        "Preparing",
        "Queued",
        "Running",
        "Finalizing",
        "Completed",
    ]
    assert f"arguments: {arguments}" in log_of(opened, run_id)
    assert run_records.get_metrics(opened, run_id) == {"Loss": [1.0, 0.5, 1 / 3], "once": 7.0}
    assert run_files.files_of(opened, run_id) == [
        "azureml-logs/20_image_build_log.txt",
        "logs/own.log",
        "outputs/model/weights",
        "user_logs/std_log.txt",
    ]
    record = run_records.get_run(opened, run_id)
    assert (record.status, record.number, record.experiment) == ("Completed", 1, "tests")
    assert mlflow_client(opened).get_run(run_id).info.status == "FINISHED"
    assert record.created <= record.started <= record.ended
    wait_until(lambda: not (job_states.run_folder(opened, run_id) / "code").exists())


def test_for_teaching_the_stages_before_the_script_last(opened, tmp_path, monkeypatch):
    monkeypatch.setenv(machine.DELAY, "0.3")
    stages = wait_for(opened, submit(opened, tmp_path / "s", ""))["stages"]
    begun = {stage["status"]: datetime.fromisoformat(stage["time"]) for stage in stages}
    lasted = [begun["Queued"] - begun["Preparing"], begun["Running"] - begun["Queued"]]
    assert all(seconds >= timedelta(seconds=0.3) for seconds in lasted)


@pytest.mark.parametrize("text", ["10s", "-1", "nan", "inf"])
def test_stages_of_no_number_of_seconds_are_refused_before_there_is_a_run(opened, tmp_path, monkeypatch, text):
    monkeypatch.setenv(machine.DELAY, text)
    with pytest.raises(Invalid, match=f"{machine.DELAY} is '{text}'; give a number of seconds, such as 10"):
        submit(opened, tmp_path / "s", "")


def test_the_log_grows_line_by_line(opened, tmp_path):
    script = """
        import os, time
        print("first line")
        while not os.path.exists("go"):
            time.sleep(0.01)
        print("second line")
        """
    run_id = submit(opened, tmp_path / "s", script)
    wait_for(opened, run_id, "Running")
    wait_until(lambda: "first line" in log_of(opened, run_id))
    assert "second line" not in log_of(opened, run_id)
    (job_states.run_folder(opened, run_id) / "code" / "go").write_text("")
    wait_for(opened, run_id, "Completed")
    assert "second line" in log_of(opened, run_id)


def test_metrics_are_there_while_the_script_runs(opened, tmp_path):
    script = LOG + "\nlog('Loss', 0.5)\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
    run_id = submit(opened, tmp_path / "s", script)
    wait_until(lambda: run_records.get_metrics(opened, run_id) == {"Loss": 0.5})
    (job_states.run_folder(opened, run_id) / "code" / "go").write_text("")
    wait_for(opened, run_id, "Completed")


@pytest.mark.parametrize(
    ("ending", "code", "words"),
    [
        ("raise ValueError('no such layer')", 1, "ValueError: no such layer"),
        ("raise SystemExit(3)", 3, "exited with status code 3"),
        ("import sys; sys.exit('no such folder')", 1, "for error details. Error: no such folder"),
        ("os.kill(os.getpid(), 9)", -9, "killed by SIGKILL"),
    ],
)
def test_a_script_that_fails_keeps_what_it_did(opened, tmp_path, ending, code, words):
    script = LOG + f"\nlog('Loss', 2)\nopen('outputs/half', 'w').write('h')\n{ending}\n"
    run_id = submit(opened, tmp_path / "s", script)
    state = wait_for(opened, run_id, "Failed")
    assert state["exit_code"] == code
    assert words in state["error"]["message"]
    assert run_records.get_metrics(opened, run_id) == {"Loss": 2.0}
    assert "outputs/half" in run_files.files_of(opened, run_id)
    assert mlflow_client(opened).get_run(run_id).info.status == "FAILED"
    jobs.cancel(opened, run_id)
    assert jobs.look(opened, run_id) == state


def test_any_bytes_and_many_of_them_may_be_printed(opened, tmp_path):
    script = """
        import sys
        sys.stdout.buffer.write(bytes(range(256)) * 4)
        line = "x" * 1023 + "\\n"
        for _ in range(100 * 1024):
            sys.stdout.write(line)
        """
    run_id = submit(opened, tmp_path / "s", script)
    wait_for(opened, run_id, "Completed")
    assert logs.log_path(opened, run_id).stat().st_size >= 100 * 2**20


def test_cancel_ends_the_whole_group(opened, tmp_path):
    script = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("pid", child.pid)
        time.sleep(600)
        """
    run_id = submit(opened, tmp_path / "s", script)
    child = printed_pid(opened, run_id)
    jobs.cancel(opened, run_id)
    assert run_records.get_run(opened, run_id).status in ("CancelRequested", "Finalizing", "Canceled")
    state = wait_for(opened, run_id, "Canceled")
    assert state["error"] is None
    assert not _is_running(child)
    jobs.cancel(opened, run_id)  # a final run stays as it is
    assert run_records.get_run(opened, run_id).status == "Canceled"


def test_a_script_that_ignores_sigterm_is_killed(opened, tmp_path, monkeypatch):
    script = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf")
        time.sleep(600)
        """
    run_id = submit(opened, tmp_path / "s", script)
    wait_until(lambda: jobs.look(opened, run_id)["status"] == "Running" and "deaf" in log_of(opened, run_id))
    jobs.cancel(opened, run_id)
    wait_for(opened, run_id, "Canceled")


def test_what_a_shell_has_started_may_still_save_something(tmp_path):
    """The shell itself ends at once."""
    script = """
import pathlib, signal, time
def save(*_):
    time.sleep(0.2)
    pathlib.Path("saved").touch()
    raise SystemExit
signal.signal(signal.SIGTERM, save)
pathlib.Path("ready").touch()
time.sleep(600)
"""
    (tmp_path / "script.py").write_text(script)
    shell = subprocess.Popen(
        ["bash", "-c", f"'{sys.executable}' script.py | cat"], cwd=tmp_path, start_new_session=True
    )
    wait_until((tmp_path / "ready").exists)
    processes.end_groups([shell])
    assert (tmp_path / "saved").exists()


def test_a_program_that_has_ended_and_is_not_waited_for_is_ended_on_macos_too(monkeypatch):
    """It refuses a signal to a group of which nothing else is left; Linux does not."""

    def refused(group, number):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "killpg", refused)
    program = subprocess.Popen(["true"], start_new_session=True)
    processes.end_groups([program])
    assert program.returncode == 0


def test_a_submission_that_finds_the_disk_full_leaves_nothing(opened, tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(job_states, "write_whole", refused)
        with pytest.raises(OSError, match="No space left"):
            jobs.submit(opened, "tests", job_of(tmp_path / "s", ""), run_id="same")
    assert job_states.supervised(opened) == set()
    wait_for(opened, jobs.submit(opened, "tests", job_of(tmp_path / "s", ""), run_id="same"), "Completed")


def test_the_time_limit(opened, tmp_path):
    run_id = submit(opened, tmp_path / "s", "import time; time.sleep(600)", max_run_duration_seconds=1)
    state = wait_for(opened, run_id, "Canceled")
    assert "took longer than its time limit, which is 1 s" in state["error"]["message"]


@pytest.mark.parametrize("detach", [False, True])
def test_a_child_that_a_script_leaves_is_ended(opened, tmp_path, detach):
    script = f"""
        import subprocess, sys
        code = "import time; time.sleep(600)"
        print(subprocess.Popen([sys.executable, "-c", code], start_new_session={detach}).pid)
        """
    run_id = submit(opened, tmp_path / "s", script)
    wait_for(opened, run_id, "Completed")
    assert not _is_running(int(log_of(opened, run_id)))


def test_the_processes_of_another_workspaces_run_of_the_same_name_are_left_alone(tmp_path):
    marks = {job_states.RUN_ID_VARIABLE: "same-name", folder.VARIABLE: str(tmp_path / "one")}
    with subprocess.Popen(["sleep", "600"], env=os.environ | marks) as process:
        try:
            finish.end_processes(tmp_path / "two", "same-name")
            assert _is_running(process.pid)
            finish.end_processes(tmp_path / "one", "same-name")
            assert not _is_running(process.pid)
        finally:
            process.kill()


def test_any_command_line_and_any_signal_can_be_told():
    assert not detached.is_one(SimpleNamespace(cmdline=lambda: ["bash", "-m"]))
    assert [processes.signal_name(number) for number in (9, 40)] == ["SIGKILL", "signal 40"]


def test_inputs_are_laid_out(opened, tmp_path):
    (tmp_path / "a.txt").write_text("content")
    data.upload(opened, [(tmp_path / "a.txt", "set/a.txt")])
    sources = [{"datastore": data.BLOBSTORE, "path": "set"}]
    inputs = [
        {"name": "mounted", "mode": "mount", "sources": sources, "dataset_id": "one"},
        {"name": "direct", "mode": "direct", "sources": sources, "dataset_id": "two"},
        {"name": "copied", "mode": "download", "sources": sources, "path_on_compute": "here/it/is"},
        {"name": "rooted", "mode": "mount", "sources": sources, "path_on_compute": "/mnt/set"},
    ]
    script = """
        import os, sys
        assert open(sys.argv[1] + "/a.txt").read() == "content"
        assert os.environ["AZUREML_DATAREFERENCE_mounted"] == os.environ["mounted"] == sys.argv[1]
        assert os.environ["direct"] == "two" and "rooted" not in os.environ
        assert open("here/it/is/a.txt").read() == "content"
        open("here/it/is/a.txt", "w").write("changed by the job")
        assert open(os.environ["AZUREML_DATAREFERENCE_rooted"] + "/a.txt").read() == "content"
        """
    run_id = submit(
        opened,
        tmp_path / "s",
        script,
        command=["python", "script.py", {"input": "mounted"}],
        inputs=inputs,
    )
    assert wait_for(opened, run_id)["error"] is None
    assert (data.datastore_root(opened) / "set" / "a.txt").read_text() == "content"


def test_a_shell_command_in_a_folder_with_an_odd_name(tmp_path, monkeypatch):
    opened = folder.open_folder(tmp_path / "o ff é %41 #x?'y")
    (tmp_path / "a.txt").write_text("content\n")
    data.upload(opened, [(tmp_path / "a.txt", "a.txt")])
    inputs = [{"name": "i", "mode": "mount", "sources": [{"datastore": data.BLOBSTORE, "path": "a.txt"}]}]
    shell = "python -c 'print(1 + 1)' && cat ${input:i}/a.txt \"${input:i}/a.txt\" '${input:i}'/a.txt"
    shell += " && echo o > outputs/o.txt"
    run_id = submit(opened, tmp_path / "s", "", script=None, shell=shell, inputs=inputs)
    wait_for(opened, run_id, "Completed")
    assert log_of(opened, run_id).split() == ["2", *3 * ["content"]]
    assert "outputs/o.txt" in run_files.files_of(opened, run_id)


def test_variables_of_the_job(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://of_the_notebook")
    script = """
        import os
        print(os.environ["OWN"], os.environ["AZUREML_ARM_PROJECT_NAME"], os.environ["AZUREML_RUN_ID"],
              os.environ["MLFLOW_RUN_ID"], "MPLBACKEND" in os.environ)
        """
    run_id = submit(opened, tmp_path / "s", script, environment_variables={"OWN": 1})
    wait_for(opened, run_id, "Completed")
    assert log_of(opened, run_id).split() == ["1", "tests", run_id, run_id, "False"]


def test_a_script_that_uses_mlflow_itself(opened, tmp_path):
    script = """
        import mlflow
        with mlflow.start_run():
            mlflow.log_metric("own", 0.25)
            mlflow.log_text("hello", "outputs/note.txt")
        """
    run_id = submit(opened, tmp_path / "s", script)
    assert wait_for(opened, run_id)["error"] is None
    assert run_records.get_metrics(opened, run_id) == {"own": 0.25}
    assert "outputs/note.txt" in run_files.files_of(opened, run_id)
    assert run_records.get_run(opened, run_id).status == "Completed"


def test_what_is_missing_in_the_environment_fails_the_run_while_preparing(opened, tmp_path):
    environment = {
        "name": "broken",
        "python": {"condaDependencies": {"dependencies": ["python=3.11", {"pip": ["no-such-package-anywhere"]}]}},
    }
    run_id = submit(opened, tmp_path / "s", "print('never')", environment=environment)
    state = wait_for(opened, run_id, "Failed")
    assert "no-such-package-anywhere is not installed" in state["error"]["message"]
    assert "Running" not in [stage["status"] for stage in state["stages"]]
    build_log = run_files.path_of(opened, run_id, "azureml-logs/20_image_build_log.txt").read_text()
    assert "no-such-package-anywhere: MISSING" in build_log


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"script": "other.py"}, NotFound, "other.py"),
        ({"script": "../outside.py"}, Invalid, "outside.py"),
        ({"source_directory": "nowhere"}, NotFound, "nowhere"),
        ({"target": "no-cluster"}, NotFound, "no-cluster"),
        ({"max_run_duration_seconds": 0}, Invalid, "positive"),
        ({"max_run_duration_seconds": float("nan")}, Invalid, "positive"),
        ({"max_run_duration_seconds": "an hour"}, Invalid, "'an hour'; give a positive number"),
        ({"command": ["python", "script.py", "a\0b"]}, Invalid, "without NUL and halves of"),
        ({"shell": "echo 'a\0b'"}, Invalid, "without NUL and halves of"),
        ({"shell": "echo '\ud800'"}, Invalid, "without NUL and halves of"),
        ({"environment_variables": {"A=B": "x"}}, Invalid, "'A=B' is no name for an environment variable"),
        ({"environment_variables": {"": "x"}}, Invalid, "'' is no name"),
        ({"environment_variables": {None: "x"}}, Invalid, "None is no name"),
        ({"environment_variables": {"A": "x\0y"}}, Invalid, "without NUL"),
        ({"environment_variables": {"A": "\ud800"}}, Invalid, "variable A is .* and halves of"),
        ({"environment_variables": {"\ud800": "x"}}, Invalid, "no name for .* and halves of"),
        ({"environment_variables": {"A": ["x"]}}, Invalid, "A is .'x'.; give a text"),
        ({"environment_variables": {"A": None}}, Invalid, "A is None; give a text"),
        ({"environment_variables": ["A=x"]}, Invalid, "give a dict"),
        ({"inputs": [{"name": "x", "mode": "mount", "sources": [{"url": "https://x.org/a"}]}]}, NotFound, "x.org"),
    ],
)
def test_what_cannot_run_is_refused_before_there_is_a_run(opened, tmp_path, changes, error, words):
    with pytest.raises(error, match=words):
        submit(opened, tmp_path / "s", "", **changes)
    assert job_states.unfinished(opened) == []
    assert run_records.list_experiments(opened) == []


def test_too_large_a_snapshot_is_refused_before_there_is_a_run(opened, tmp_path):
    (tmp_path / "s").mkdir()
    with (tmp_path / "s" / "data.bin").open("wb") as file:
        file.truncate(301 * 2**20)
    with pytest.raises(TooLarge, match="300 MB"):
        submit(opened, tmp_path / "s", "")
    assert run_records.list_experiments(opened) == []


def test_never_more_runs_at_once_than_nodes(opened, tmp_path):
    make_cluster(opened, max_nodes=2)
    script = LOG + "\nlog('began', time.time())\ntime.sleep(0.3)\nlog('ended', time.time())\n"
    run_ids = [submit(opened, tmp_path / f"s{n}", script, target="cpu") for n in range(4)]
    for run_id in run_ids:
        wait_for(opened, run_id, "Completed")
    spans = [run_records.get_metrics(opened, run_id) for run_id in run_ids]
    assert max(sum(o["began"] <= s["began"] < o["ended"] for o in spans) for s in spans) <= 2
    state = clusters.state(opened, "cpu")
    assert state["running"] == 0 and 1 <= state["current"] <= 2


def test_runs_get_their_nodes_in_the_order_of_submission(opened, tmp_path):
    make_cluster(opened, max_nodes=1)
    first = submit(opened, tmp_path / "s0", "import time; time.sleep(600)", target="cpu")
    wait_for(opened, first, "Running")
    waiting = []
    for number in (1, 2):
        waiting.append(submit(opened, tmp_path / f"s{number}", "", target="cpu"))
        wait_for(opened, waiting[-1], "Queued")
    assert clusters.state(opened, "cpu")["running"] == 1
    jobs.cancel(opened, first)
    began = [
        next(s["time"] for s in wait_for(opened, run_id, "Completed")["stages"] if s["status"] == "Running")
        for run_id in waiting
    ]
    assert began == sorted(began)


def test_a_queued_run_can_be_canceled(opened, tmp_path):
    make_cluster(opened, max_nodes=1)
    first = submit(opened, tmp_path / "s0", "import time; time.sleep(600)", target="cpu")
    wait_for(opened, first, "Running")
    second = submit(opened, tmp_path / "s1", "", target="cpu")
    wait_for(opened, second, "Queued")
    jobs.cancel(opened, second)
    assert "Running" not in [stage["status"] for stage in wait_for(opened, second, "Canceled")["stages"]]
    jobs.cancel(opened, first)
    wait_for(opened, first, "Canceled")


def test_nodes_of_a_cluster_whose_deletion_was_killed_halfway_count_for_no_quota(opened):
    make_cluster(opened, "cpu", min_nodes=1)
    clusters.state(opened, "cpu")
    assets.remove(opened, clusters.KIND, "cpu")
    with database.transaction(opened) as connection:
        assert connection.execute("SELECT count(*) FROM nodes").fetchone()[0] == 1
        assert quotas.in_use(opened, connection) == {}


def test_deleting_a_cluster_cancels_its_runs(opened, tmp_path):
    make_cluster(opened)
    run_id = submit(opened, tmp_path / "s", "import time; time.sleep(600)", target="cpu")
    wait_for(opened, run_id, "Running")
    removal.delete_cluster(opened, "cpu")
    wait_for(opened, run_id, "Canceled")
    with pytest.raises(NotFound):
        clusters.get(opened, "cpu")


def test_deleting_what_is_no_cluster_cancels_nothing(opened):
    job_states.insert(opened, "a", clusters.SERVERLESS)
    with pytest.raises(NotFound):
        removal.delete_cluster(opened, clusters.SERVERLESS)
    assert not job_states.cancel_requested(opened, "a")


def _is_running(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
