"""Killed supervisors and submitters, damaged spools, registrations at once."""

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from small_history import mlflow_client
from small_jobs import LOG, make_cluster, printed_pid, submit, submit_sweep, supervisor_of, wait_for, wait_until
from small_services import register_model

from helpers.offline.engine import jobs, removal, services
from helpers.offline.engine.assets import models
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import artifacts, job_states, run_files, spool
from helpers.offline.engine.jobs import run_records, submission
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import StoreUnavailable, WouldNotEnd


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


ENDLESS = (
    LOG
    + """
log("Loss", 0.5, 0)
open("outputs/checkpoint", "w").write("c")
print("pid", os.getpid())
time.sleep(600)
"""
)


def test_a_killed_supervisor_is_told_within_one_look_and_nothing_is_lost(opened, tmp_path):
    make_cluster(opened, max_nodes=1)
    run_id = submit(opened, tmp_path / "s", ENDLESS, target="cpu")
    script_pid = printed_pid(opened, run_id)
    supervisor = supervisor_of(run_id)
    supervisor.kill()
    supervisor.wait(10)

    state = jobs.look(opened, run_id)  # one look
    assert state["status"] == "Failed"
    assert "supervised the run ended" in state["error"]["message"]
    assert not psutil.pid_exists(script_pid)
    assert run_records.get_metrics(opened, run_id) == {"Loss": 0.5}
    assert "outputs/checkpoint" in run_files.files_of(opened, run_id)
    assert clusters.state(opened, "cpu")["running"] == 0

    again = submit(opened, tmp_path / "s", "print('well')", target="cpu")
    wait_for(opened, again, "Completed")


ENDS = LOG + "log('Loss', 0.5, 0)\nopen('outputs/made', 'w').write('m')\n"


def test_a_supervisor_killed_after_the_script_ended_well_takes_nothing_away(opened, tmp_path):
    run_id = submit(opened, tmp_path / "s", ENDS)
    with spool.lock(opened, run_id):  # nobody can write the run's end meanwhile
        wait_until(lambda: job_states.get(opened, run_id)["outcome"] == "Completed")
        supervisor = supervisor_of(run_id)
        supervisor.kill()
        supervisor.wait(10)
    assert job_states.get(opened, run_id)["status"] == "Finalizing"
    assert jobs.look(opened, run_id)["status"] == "Completed"
    assert run_records.get_metrics(opened, run_id) == {"Loss": 0.5}
    assert "outputs/made" in run_files.files_of(opened, run_id)


def test_a_run_that_nobody_reads_comes_to_its_end(opened, tmp_path):
    run_id = submit(opened, tmp_path / "s", ENDS)
    wait_until(lambda: job_states.get(opened, run_id)["status"] == "Completed")  # which is no look
    assert run_records.get_metrics(opened, run_id) == {"Loss": 0.5}
    assert mlflow_client(opened).get_run(run_id).info.status == "FINISHED"


def test_what_a_running_script_logs_is_there_for_its_reader_at_once_and_else_soon(opened, tmp_path):
    run_id = submit(opened, tmp_path / "s", ENDLESS)
    printed_pid(opened, run_id)
    assert run_records.get_metrics(opened, run_id) == {"Loss": 0.5}
    assert mlflow_client(opened).get_run(run_id).info.status == "RUNNING"

    store = mlflow_client(opened)
    unread = submit(opened, tmp_path / "s", ENDLESS)
    printed_pid(opened, unread)
    wait_until(lambda: store.get_run(unread).data.metrics == {"Loss": 0.5})  # by MLflow alone
    for id in (run_id, unread):
        jobs.cancel(opened, id)
        wait_for(opened, id, "Canceled")


def test_events_that_are_carried_twice_are_there_once(opened, tmp_path):
    script = LOG + "log('Loss', 0.5)\nlog('Loss', 0.25)\nprint('pid', os.getpid())\ntime.sleep(600)"
    run_id = submit(opened, tmp_path / "s", script)
    printed_pid(opened, run_id)
    assert run_records.get_metrics(opened, run_id) == {"Loss": [0.5, 0.25]}
    job_states.set_carried(opened, run_id, 0, {}, [])  # as if the carrier had been killed before it wrote this down
    assert run_records.get_metrics(opened, run_id) == {"Loss": [0.5, 0.25]}
    jobs.cancel(opened, run_id)
    wait_for(opened, run_id, "Canceled")


def test_a_sweep_whose_controller_is_killed_is_told_within_one_look_and_its_trials_end(opened, tmp_path):
    make_cluster(opened, max_nodes=2)
    script = LOG + "import sys\nlog('Accuracy', float(sys.argv[2]))\nprint('pid', os.getpid())\ntime.sleep(600)"
    run_id = submit_sweep(opened, tmp_path / "s", script, {"accuracy": ["choice", [[0.5, 0.6, 0.7]]]})
    trials = wait_until(lambda: len(found := job_states.unfinished(opened, parent_id=run_id)) == 2 and found)
    pids = [printed_pid(opened, trial["run_id"]) for trial in trials]
    controller = supervisor_of(run_id, "sweeps.controller")
    controller.kill()
    controller.wait(10)

    state = jobs.look(opened, run_id)  # one look
    assert state["status"] == "Failed"
    assert "The process that led the sweep ended" in state["error"]["message"]
    for trial in trials:
        wait_for(opened, trial["run_id"], "Canceled")
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert clusters.state(opened, "cpu")["running"] == 0
    values = sorted(run_records.get_metrics(opened, trial["run_id"])["Accuracy"] for trial in trials)
    assert values == [0.5, 0.6]


def test_a_run_that_waits_for_a_dead_runs_node_gets_it(opened, tmp_path):
    make_cluster(opened, max_nodes=1)
    first = submit(opened, tmp_path / "s", ENDLESS, target="cpu")
    printed_pid(opened, first)
    second = submit(opened, tmp_path / "s2", "", target="cpu")
    wait_for(opened, second, "Queued")
    supervisor_of(first).kill()
    wait_until(lambda: job_states.get(opened, second)["status"] == "Completed")  # without a look of ours
    assert job_states.get(opened, first)["status"] == "Failed"


def test_a_submitter_that_dies_leaves_the_run_alone(opened, tmp_path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    submitter = context.Process(target=_submit_and_die, args=(str(opened), str(tmp_path / "s"), queue))
    submitter.start()
    run_id = queue.get(timeout=60)
    submitter.join()
    assert submitter.exitcode == -signal.SIGKILL
    wait_for(opened, run_id, "Completed")


def _submit_and_die(path, source, queue):
    from pathlib import Path

    run_id = submit(Path(path), Path(source), "import time; time.sleep(0.5)")
    queue.put(run_id)
    queue.close()
    queue.join_thread()
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_run_whose_supervisor_never_started_fails(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "start_supervisor", lambda *_: None)
    run_id = submit(opened, tmp_path / "s", "")
    assert jobs.look(opened, run_id)["status"] == "Failed"


def test_a_damaged_spool_loses_only_what_is_damaged(opened, tmp_path):
    script = (
        LOG
        + """
log("a", 1)
os.write(_events, b"not json\\n")
os.write(_events, b'{"kind": "metric", "name": "text", "value": "many", "step": null, "time": 1}\\n')
os.write(_events, b'{"kind": "file", "name": "../../x", "path": "../../../../assets.db"}\\n')
log("b", 2)
os.write(_events, b'{"kind": "metric", "name": "cut')
"""
    )
    run_id = submit(opened, tmp_path / "s", script)
    wait_for(opened, run_id, "Completed")
    assert run_records.get_metrics(opened, run_id) == {"a": 1.0, "b": 2.0}
    assert (opened / "assets.db").exists()


def test_an_event_of_the_engines_that_a_full_disk_cuts_off_spoils_no_other(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "start_supervisor", lambda *_: None)
    run_id, write = submit(opened, tmp_path / "s", ""), os.write
    spool.spool_folder(opened, run_id).mkdir()
    tag = {"kind": "tag", "name": "a", "value": "1"}
    spool.append(opened, run_id, tag)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:20]))
        with pytest.raises(StoreUnavailable, match="is full"):
            spool.append(opened, run_id, tag)
    spool.append(opened, run_id, tag | {"name": "b"})
    with spool.lock(opened, run_id):
        spool.carry(opened, run_id)
    assert run_records.get_run(opened, run_id).tags == {"a": "1", "b": "1"}


def test_outputs_that_cannot_be_kept_fail_the_run_and_say_so(opened, tmp_path):
    run_id = submit(opened, tmp_path / "s", "import os; os.makedirs('outputs/user_logs')\nopen('outputs/a','w')")
    (artifacts.root_of(opened, run_id)).mkdir(parents=True, exist_ok=True)
    (artifacts.root_of(opened, run_id) / "outputs").write_text("a file where a folder has to be")
    state = wait_for(opened, run_id, "Failed")
    assert "could not all be kept" in state["error"]["message"]


def _register(path, source):
    from pathlib import Path

    for _ in range(3):
        models.register(Path(path), "shared", Path(source), stored_as="model")


def test_two_processes_register_the_same_model_at_once(opened, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("w")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_register, args=(str(opened), str(tmp_path / "model"))) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    found = models.list_all(opened, "shared")
    assert sorted(model.version for model in found) == [1, 2, 3, 4, 5, 6]
    assert all(model.files == ["model/weights"] for model in found)
    assert len({model.path for model in found}) == 6


def test_reset_ends_what_runs(opened, tmp_path):
    run_id = submit(opened, tmp_path / "s", ENDLESS)
    script_pid = printed_pid(opened, run_id)
    removal.reset(opened)
    assert not opened.exists()
    wait_until(lambda: not psutil.pid_exists(script_pid))


def test_reset_kills_what_hangs(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "PATIENCE", 0.5)
    run_id = submit(opened, tmp_path / "s", ENDLESS)
    script_pid = printed_pid(opened, run_id)
    supervisor = supervisor_of(run_id)
    supervisor.suspend()
    with pytest.raises(WouldNotEnd, match=r"^1 run of .* would not end. `make clean` kills what hangs"):
        jobs.end_all(opened)
    removal.reset(opened)
    assert not opened.exists()
    wait_until(lambda: not supervisor.is_running() and not psutil.pid_exists(script_pid))


def test_a_submission_that_is_killed_leaves_no_run_or_one_that_ends(opened, tmp_path):
    steps = killed_steps(opened, tmp_path, "submit")
    assert {"take", "insert", "create", "start_supervisor"} <= set(steps)

    def statuses():
        return [record.status for record in run_records.list_runs(opened, "tests")]

    wait_until(lambda: set(statuses()) <= {"Completed", "Failed"} and not job_states.unfinished(opened))
    seen = statuses()
    assert {"Completed", "Failed"} == set(seen)  # killed after the supervisor was started, and before
    assert len(seen) < len(steps)  # killed before there was a run
    open_anew(opened)
    assert len(list(opened.glob("runs/*"))) == len(seen)


def test_a_registration_or_deletion_of_a_model_that_is_killed_leaves_no_files_of_nobody(opened, tmp_path):
    steps = killed_steps(opened, tmp_path, "register", "delete")
    assert {"making_folder", "copytree", "add", "now", "rmtree"} <= set(steps)
    assert any(opened.glob("models/*/*"))
    open_anew(opened)
    found = models.list_all(opened)
    assert {model.path for model in found} == set(opened.glob("models/*/*"))
    assert found and all(model.version == 7 and "model/weights" in model.files for model in found)
    assert len(found) < len(steps)


def test_a_deployment_that_is_killed_leaves_a_service_that_failed_or_nothing(opened, tmp_path):
    (tmp_path / "s").mkdir()
    register_model(opened, tmp_path / "s")
    steps = killed_steps(opened, tmp_path, "deploy")
    assert {"stage", "copytree", "write", "add_if", "start"} <= set(steps)
    left = set(opened.glob("services/*"))
    open_anew(opened)
    found = services.list_all(opened, "ACI")
    assert {service["state"] for service in found} == {"Failed"}
    assert {opened / "services" / service["id"] for service in found} == set(opened.glob("services/*")) < left


def killed_steps(opened, tmp_path, *actions):
    """The steps of the engine's before each of which one of the actions was killed."""
    program = [sys.executable, Path(__file__).with_name("kill_at_each_step.py"), opened, tmp_path / "s", *actions]
    environment = {**os.environ, "PYTHONPATH": f"{Path(__file__).parents[1]}{os.pathsep}{os.environ['PYTHONPATH']}"}
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def open_anew(opened):
    """Open the workspace as a new process does."""
    folder._opened.clear()
    folder.open_folder(opened)
