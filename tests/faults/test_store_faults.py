"""A store that is locked, full, read-only, damaged or gone: told in words, waited for where there is time."""

import contextlib
import errno
import json
import os
import sqlite3
import threading
from pathlib import Path

import pytest
import requests
from azureml.core import Experiment, Workspace
from azureml.core.compute import ComputeTarget
from azureml.exceptions import UserErrorException
from small_jobs import LOG, job_of, make_cluster, submit, submit_sweep, wait_for, wait_until
from small_services import post, register_model, wait_for_service, wanted

from helpers.offline.engine import jobs, pipelines, processes, removal, services
from helpers.offline.engine.history import job_states, logs, metrics, mlflow_store, run_files, spool
from helpers.offline.engine.jobs import finish, outputs, run_records, submission, supervisor
from helpers.offline.engine.pipelines import controller as pipeline_controller
from helpers.offline.engine.services import endpoint_door, records
from helpers.offline.engine.services import supervisor as service_supervisor
from helpers.offline.engine.sweeps import controller
from helpers.offline.engine.workspace import database, files, folder, outages
from helpers.offline.engine.workspace.errors import FolderError, FolderUnreadable, NotFound, StoreUnavailable

WELL = LOG + "log('Loss', 0.5, 0)\nlog('Accuracy (%)', 90)\nopen('outputs/made', 'w').write('m')\n"


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


@pytest.fixture(autouse=True)
def short(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # start_logging() makes a folder outputs
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(outages, "PAUSE", 0.05)


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """What those who wait say, in turn."""
    said = []
    monkeypatch.setattr(outages, "print", lambda words, **named: said.append(words), raising=False)
    return said


@contextlib.contextmanager
def locked(path):
    """Nobody else writes the database meanwhile."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def taken(path):
    """Nobody else reads the database meanwhile, either."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def full(monkeypatch):
    """The workspace's own database cannot grow, as on a disk that is full."""
    connect = database.connect

    def limited(*arguments, **named):
        connection = connect(*arguments, **named)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(database, "connect", limited)
        yield


@pytest.fixture
def unsupervised(opened, tmp_path, monkeypatch):
    """A job that nobody sees through, though its supervisor's lock is held."""
    monkeypatch.setattr(submission, "start_supervisor", lambda *arguments: None)
    run_id = submit(opened, tmp_path / "s", "")
    lock = job_states.take_lock(opened, run_id)
    yield run_id
    os.close(lock)


@pytest.fixture
def no_children(monkeypatch):
    """What a supervisor does with the processes below its own, which are pytest's here."""
    monkeypatch.setattr(processes, "adopt_orphans", lambda: None)
    monkeypatch.setattr(processes, "end_children", lambda spared: None)


@pytest.fixture
def supervised(opened, monkeypatch, no_children):
    """Has a job seen through in this process, by a thread: supervised(run_id, main) starts it."""
    threads = []

    def start(run_id, main=supervisor.main):
        lock = job_states.take_lock(opened, run_id)
        thread = threading.Thread(target=main, args=(opened, run_id))
        thread.start()
        threads.append((thread, lock))
        return thread

    monkeypatch.setattr(submission, "start_supervisor", lambda folder, run_id, lock, module: None)
    yield start
    for thread, lock in threads:
        thread.join(60)
        os.close(lock)
        assert not thread.is_alive()


@pytest.fixture
def threads(monkeypatch, no_children):
    """What serves services and endpoints: threads of this process, in the folder of the one that was made last."""
    started = []
    mains = {"supervisor": service_supervisor.main, "endpoint_door": endpoint_door.main}

    def start(module, folder, type, name, id, listener, lock):
        monkeypatch.chdir(records.service_folder(folder, id))
        held = os.dup(lock)

        def serve(listener):
            mains[module](folder, type, name, id, listener)
            os.close(held)

        started.append(threading.Thread(target=serve, args=(listener.dup(),)))
        started[-1].start()

    monkeypatch.setattr(records, "start", start)
    return started


@pytest.mark.parametrize("store", ["mlflow.db", "assets.db"])
def test_what_is_logged_waits_in_the_spool_while_the_store_is_locked(opened, tmp_path, supervised, waits, store):
    run_id = submit(opened, tmp_path / "s", WELL)
    mlflow_store.make(opened)  # before it is locked
    with locked(opened / store):
        thread = supervised(run_id)
        wait_until(lambda: any("is busy" in words for words in waits))
        assert thread.is_alive()
        assert job_states.get(opened, run_id)["status"] not in ("Completed", "Failed")
    wait_for(opened, run_id, "Completed")
    assert run_records.get_metrics(opened, run_id) == {"Loss": 0.5, "Accuracy (%)": 90}
    assert "outputs/made" in run_files.files_of(opened, run_id)
    assert "Not recorded" not in logs.log_path(opened, run_id).read_text()


def test_a_reader_is_told_that_the_store_is_locked_and_nothing_is_lost(opened, unsupervised):
    run_id = unsupervised
    spool.spool_folder(opened, run_id).mkdir()
    for number in range(3):
        spool.append(opened, run_id, {"kind": "metric", "name": "m", "value": number, "step": None, "time": number})
    spool.append(opened, run_id, {"kind": "table", "name": "t", "type": "row", "value": {"a": 1}})
    for store in ("mlflow.db", "assets.db"):
        with locked(opened / store), pytest.raises(StoreUnavailable, match="is busy"):
            run_records.get_metrics(opened, run_id)
    assert run_records.get_metrics(opened, run_id) == {"m": [0, 1, 2], "t": {"a": 1}}


def test_what_is_no_text_is_told_and_keeps_nothing_else_from_the_history(opened, unsupervised):
    run_id, odd = unsupervised, os.fsdecode(b"a\xff")  # as a file's name may be
    spool.spool_folder(opened, run_id).mkdir()
    named = [
        {"kind": "metric", "name": odd, "value": 1, "step": None, "time": 0},
        {"kind": "table", "name": odd, "type": "row", "value": {"a": 1}},
        {"kind": "tag", "name": odd, "value": "1"},
        {"kind": "tag", "name": "t", "value": odd},
        {"kind": "description", "value": odd},
    ]
    for event in named:
        spool.append(opened, run_id, event)
    spool.append(opened, run_id, {"kind": "metric", "name": "m", "value": 1, "step": None, "time": 0})
    spool.append(opened, run_id, {"kind": "table", "name": "t", "type": "row", "value": {"a": odd}})
    assert run_records.get_metrics(opened, run_id) == {"m": 1, "t": {"a": odd}}
    assert not spool.is_pending(opened, run_id)
    assert logs.log_path(opened, run_id).read_text().count("is no text") == len(named)


def test_both_databases_are_waited_for_alike(opened, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 37)
    for connected in (mlflow_store.transaction, database.transaction):
        with connected(opened) as connection:
            assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 37_000


def test_tables_that_another_mlflow_has_changed_are_told(opened):
    run_id = run_records.create_run(opened, "e")
    with mlflow_store.connected(opened) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN end_time TO ended")
    with pytest.raises(FolderUnreadable, match=r"is damaged .*make clean"):
        run_records.get_run(opened, run_id)
    with pytest.raises(FolderUnreadable, match=r"is damaged .*make clean"):
        run_records.set_status(opened, run_id, "Completed")


def test_a_full_disk_is_told_and_waited_for(opened, tmp_path, supervised, waits, monkeypatch):
    run_id = submit(opened, tmp_path / "s", WELL)
    with full(monkeypatch):
        with pytest.raises(StoreUnavailable, match=r"disk that holds .* is full"):
            [job_states.advance(opened, run_id, "x" * 10_000) for _ in range(10)]
        thread = supervised(run_id)
        monkeypatch.setattr(job_states, "_stage", lambda status: {"status": status, "time": "t" * 20_000})
        wait_until(lambda: any("is full" in words for words in waits))
        assert thread.is_alive()
    monkeypatch.undo()
    assert wait_for(opened, run_id, "Completed")["error"] is None


def raising(error):
    def fail(*arguments, **named):
        raise error

    return fail


FAULTS = [
    (OSError(errno.ENOSPC, "No space left on device"), "SystemError", "The disk that holds the offline workspace in"),
    (StoreUnavailable("The disk that holds a file is full."), "SystemError", "The disk that holds a file is full."),
    (FolderUnreadable("The workspace is damaged."), "SystemError", "The workspace is damaged."),
    (ZeroDivisionError("division by zero"), "SystemError", "ZeroDivisionError: division by zero"),
]
REFUSAL = (NotFound("There is no such thing."), "UserError", "There is no such thing.")


@pytest.mark.parametrize(("error", "code", "told"), [*FAULTS, REFUSAL])
@pytest.mark.parametrize("at", [(supervisor.snapshot, "extract"), (supervisor.virtual_environments, "prepare")])
def test_whose_error_it_is_that_ends_a_job(opened, tmp_path, supervised, monkeypatch, at, error, code, told):
    run_id = submit(opened, tmp_path / "s", WELL, environment={"name": "e"})
    monkeypatch.setattr(*at, raising(error))
    supervised(run_id)
    found = wait_for(opened, run_id, "Failed")["error"]
    assert found["code"] == code and told in found["message"]


@pytest.mark.parametrize(("error", "code", "told"), [*FAULTS, REFUSAL])
def test_whose_error_it_is_that_ends_a_sweep(opened, tmp_path, supervised, monkeypatch, error, code, told):
    make_cluster(opened)
    run_id = submit_sweep(opened, tmp_path / "s", "", {"--x": ["choice", [[1]]]})
    monkeypatch.setattr(jobs, "submit", raising(error))
    supervised(run_id, controller.main)
    found = wait_for(opened, run_id, "Failed")["error"]
    assert found["code"] == code and told in found["message"]


@pytest.mark.parametrize(("error", "code", "told"), [*FAULTS, REFUSAL])
def test_whose_error_it_is_that_ends_a_pipeline(opened, tmp_path, supervised, monkeypatch, error, code, told):
    steps = {"one": {"job": job_of(tmp_path / "s", WELL), "after": [], "run": {}}}
    run_id = pipelines.submit(opened, "tests", {"steps": steps, "outputs": [], "goes_on": False})
    monkeypatch.setattr(jobs, "submit", raising(error))
    supervised(run_id, pipeline_controller.main)
    found = wait_for(opened, run_id, "Failed")["error"]
    assert found["code"] == code and told in found["message"]


@pytest.mark.parametrize(
    "write", [lambda target: files.copy_whole(Path(__file__), target), lambda target: logs.append(target, "a line")]
)
def test_a_full_disk_is_told_by_the_path_that_is_written(opened, tmp_path, monkeypatch, write):
    """Which may be a file of the user's."""
    fault = raising(OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(files.shutil, "copyfile", fault)
    monkeypatch.setattr(Path, "open", fault)
    target = tmp_path / "downloads" / "weights.h5"
    with pytest.raises(StoreUnavailable, match=f"^The disk that holds {target} is full"):
        write(target)
    assert not target.exists()


def test_a_full_disk_is_told_where_a_folder_is_copied(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "weights.h5").write_text("weights")
    monkeypatch.setattr(files.shutil, "copyfile", raising(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(StoreUnavailable, match=f"^The disk that holds {tmp_path / 'kept'} is full"):
        files.copy_folder(tmp_path / "own", tmp_path / "kept", tmp_path / "workspace")


def test_a_sweep_goes_on_when_the_store_can_be_written_again(opened, tmp_path, supervised, waits):
    make_cluster(opened)
    run_id = submit_sweep(opened, tmp_path / "s", "", {"--x": ["choice", [[1]]]})
    mlflow_store.make(opened)
    with locked(opened / "assets.db"):
        thread = supervised(run_id, controller.main)
        wait_until(lambda: any("is busy" in words for words in waits))
        assert thread.is_alive()
    jobs.cancel(opened, run_id)
    wait_for(opened, run_id, "Canceled")


def test_a_service_is_served_on_while_the_store_cannot_be_read(opened, tmp_path, threads, waits):
    register_model(opened, tmp_path)
    services.deploy(opened, "ACI", "steady", wanted(tmp_path / "src"))
    service = wait_for_service(opened, "steady")
    with taken(opened / "assets.db"):
        wait_until(lambda: any("is busy" in words for words in waits))
        assert threads[0].is_alive()
        assert post(service, json=1).json() == {"got": 1}
    assert post(service, json=2).json() == {"got": 2}
    assert services.get(opened, "ACI", "steady")["state"] == "Healthy"
    services.delete(opened, "ACI", "steady")
    threads[0].join(60)
    assert not threads[0].is_alive()


def test_an_endpoint_outlasts_a_store_that_cannot_be_read_and_tells_who_asks(opened, threads, waits):
    endpoint = services.put_endpoint(opened, "digits", {"traffic": {}, "mirror_traffic": {}, "settings": {}})
    key = services.keys(opened, services.ENDPOINT, "digits")[0]
    with taken(opened / "assets.db"):
        wait_until(lambda: any("is busy" in words for words in waits))
        refused = post(endpoint, key, json=1)
        assert refused.status_code == 503
        assert "is busy" in refused.json()["error"]["message"]
    assert post(endpoint, key, json=1).status_code == 404  # it has no deployment
    assert services.get(opened, services.ENDPOINT, "digits")["state"] == "Healthy"
    services.delete_endpoint(opened, "digits")
    threads[0].join(60)
    assert not threads[0].is_alive()
    with pytest.raises(requests.ConnectionError):
        post(endpoint, key, json=1)


def test_no_fault_of_the_store_leaves_the_sdk_as_sqlites_or_mlflows(opened, monkeypatch):
    workspace = Workspace.from_config()
    run = Experiment(workspace, "faults").start_logging(snapshot_directory=None)

    def calls():
        yield lambda: run.log("x", 1)
        yield lambda: run.log_row("r", x=1)
        yield lambda: run.tag("t", "v")
        yield lambda: workspace.update(tags={"a": "b"})
        yield lambda: Experiment(workspace, "another").start_logging(snapshot_directory=None)

    def refused(words):
        for number, call in enumerate(calls()):
            try:
                call()
            except UserErrorException as error:
                assert words in error.message, number
                yield number

    with locked(opened / "mlflow.db"), locked(opened / "assets.db"):
        assert list(refused("is busy")) == [0, 1, 2, 3, 4]
    with full(monkeypatch):
        monkeypatch.setattr(workspace, "_folder", opened)
        with pytest.raises(UserErrorException, match="is full"):
            for _ in range(100):
                run.log_row("r", x="x" * 1000)
    with monkeypatch.context() as patch:
        connect = sqlite3.connect
        patch.setattr(sqlite3, "connect", lambda a, **k: connect(str(a).replace("mode=rw", "mode=ro"), **k))
        with pytest.raises(UserErrorException, match=r"cannot be written .*Give yourself write permission"):
            workspace.update(tags={"a": "b"})
    run.log("y", 1)
    for suffix in ("", "-wal", "-shm"):
        (opened / f"assets.db{suffix}").write_bytes(b"garbage" * 1000)
    with pytest.raises(UserErrorException, match=r"is damaged .*make clean"):
        ComputeTarget.list(workspace)
    with pytest.raises(FolderUnreadable):
        database.rows(opened, "SELECT 1 FROM jobs")
    removal.reset(opened)
    assert not opened.exists()


def test_what_is_kept_of_a_workspace_that_was_reset_tells_that_it_is_gone(opened):
    workspace = Workspace.from_config()
    run = Experiment(workspace, "gone").start_logging(snapshot_directory=None)
    run.log("x", 1)
    removal.reset(opened)
    for call in (
        lambda: run.log("x", 2),
        run.complete,
        run.get_status,
        lambda: run.upload_file("a", __file__),
        lambda: workspace.compute_targets,
        lambda: list(workspace.experiments),
    ):
        with pytest.raises(UserErrorException, match="is gone: it was reset or deleted"):
            call()
    assert not opened.exists()


def test_a_record_that_is_refused_is_tried_again(opened, unsupervised):
    run_id = unsupervised
    finish.end(opened, run_id, "Completed")
    with locked(opened / "mlflow.db"):
        with pytest.raises(FolderError):
            finish.record(opened, run_id)
        assert job_states.get(opened, run_id)["status"] == "Finalizing"
    finish.record(opened, run_id)
    assert job_states.get(opened, run_id)["status"] == "Completed"
    assert metrics.read(opened, run_id) == {}


def test_outputs_that_were_uploaded_before_a_refusal_are_not_taken_for_somebody_elses(opened, tmp_path, unsupervised):
    run_id, made = unsupervised, job_states.run_folder(opened, unsupervised) / outputs.FOLDER / "made"
    output = {"name": "made", "kind": "folder", "datastore": "workspaceblobstore", "path": "uploaded", "register": None}
    output |= {"mechanism": "upload", "globs": None, "overwrite": False}
    job = job_states.submitted(opened, run_id) | {"outputs": [output]}
    (job_states.run_folder(opened, run_id) / "job.json").write_text(json.dumps(job))
    made.mkdir(parents=True)
    (made / "a.csv").write_text("a")
    finish.end(opened, run_id, "Completed")
    with locked(opened / "mlflow.db"), pytest.raises(FolderError):
        finish.record(opened, run_id)
    finish.record(opened, run_id)
    assert job_states.get(opened, run_id)["status"] == "Completed"
    assert (outputs.in_datastore(opened, output) / "a.csv").read_text() == "a"
