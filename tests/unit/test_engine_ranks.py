"""Jobs of several processes: what each is told, their logs, their nodes, and how they end together."""

import json
import os

import psutil
import pytest
from small_jobs import LOG, make_cluster, printed_pid, submit, wait_for, wait_until

from helpers.offline.engine import jobs
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import job_states, logs, run_files
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import Invalid

TELL = """
import json, os
names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT", "TF_CONFIG")
prefixes = ("OMPI_", "AZ_BATCH", "AZUREML_NODE")
told = {name: value for name, value in os.environ.items() if name in names or name.startswith(prefixes)}
print(json.dumps(told))
"""
WAIT = "import time\nprint('pid', os.getpid())\nwhile not os.path.exists('go'): time.sleep(0.01)\n"


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


def processes(kind, node_count, process_count=None):
    return {"kind": kind, "node_count": node_count, "process_count": process_count or node_count}


def logs_of(opened, run_id, count):
    return [logs.log_path(opened, run_id, rank).read_text() for rank in range(count)]


def run_and_tell(opened, tmp_path, distribution):
    """What each process of a run is told by its environment."""
    run_id = submit(opened, tmp_path / "s", TELL, target="cpu", distribution=distribution)
    wait_for(opened, run_id, "Completed")
    return [json.loads(log) for log in logs_of(opened, run_id, distribution["process_count"])]


def test_pytorch_processes_are_told_their_place(opened, tmp_path):
    make_cluster(opened, max_nodes=2)
    told = run_and_tell(opened, tmp_path, processes("PyTorch", 2, 4))
    assert [(one["RANK"], one["NODE_RANK"], one["LOCAL_RANK"]) for one in told] == [
        ("0", "0", "0"),
        ("1", "0", "1"),
        ("2", "1", "0"),
        ("3", "1", "1"),
    ]
    for one in told:
        assert (one["WORLD_SIZE"], one["MASTER_ADDR"], one["AZUREML_NODE_COUNT"]) == ("4", "127.0.0.1", "2")
    assert len({one["MASTER_PORT"] for one in told}) == 1
    assert not any(name.startswith("OMPI_") for name in told[0])


def test_mpi_processes_are_told_their_place(opened, tmp_path):
    make_cluster(opened, max_nodes=2)
    told = run_and_tell(opened, tmp_path, processes("Mpi", 2, 4))
    for rank, one in enumerate(told):
        mpi = {name.removeprefix("OMPI_COMM_WORLD_"): value for name, value in one.items() if name.startswith("OMPI_")}
        assert mpi == {"RANK": str(rank), "SIZE": "4", "LOCAL_RANK": str(rank % 2), "LOCAL_SIZE": "2"}
        host, _, port = one["AZ_BATCH_MASTER_NODE"].partition(":")
        assert host == one["AZ_BATCHAI_MPI_MASTER_NODE"] == "127.0.0.1" and int(port) > 1023


def test_tensorflow_processes_are_told_their_place(opened, tmp_path):
    make_cluster(opened, max_nodes=2)
    told = [json.loads(one["TF_CONFIG"]) for one in run_and_tell(opened, tmp_path, processes("TensorFlow", 2))]
    assert [one["task"] for one in told] == [{"type": "worker", "index": 0}, {"type": "worker", "index": 1}]
    assert told[0]["cluster"] == told[1]["cluster"]
    assert len(set(told[0]["cluster"]["worker"])) == 2


def test_each_process_has_a_log_and_the_run_has_its_nodes_while_it_runs(opened, tmp_path):
    make_cluster(opened, max_nodes=3)
    script = LOG + WAIT + "log(f'metric of {os.environ[\"RANK\"]}', 1)"
    run_id = submit(opened, tmp_path / "s", script, target="cpu", distribution=processes("PyTorch", 2, 4))
    wait_until(lambda: clusters.state(opened, "cpu")["running"] == 2)
    wait_for(opened, run_id, "Running")
    assert [node["run_id"] for node in clusters.state(opened, "cpu")["nodes"]] == [run_id, run_id]
    (job_states.run_folder(opened, run_id) / "code" / "go").write_text("")
    wait_for(opened, run_id, "Completed")
    assert clusters.state(opened, "cpu")["running"] == 0
    names = [name for name in run_files.files_of(opened, run_id) if name.startswith("user_logs/")]
    assert names == [f"user_logs/std_log_process_0{rank}.txt" for rank in range(4)]
    assert logs.log_path(opened, run_id).name == "std_log_process_00.txt"
    assert run_records.get_metrics(opened, run_id) == {f"metric of {rank}": 1.0 for rank in range(4)}


def pids_of(opened, run_id, count):
    """The processes of a run that prints them, once all have."""
    return [printed_pid(opened, run_id, rank) for rank in range(count)]


def test_when_one_process_is_killed_all_end_and_the_run_names_it(opened, tmp_path):
    make_cluster(opened, max_nodes=3)
    script = "import os\n" + WAIT
    run_id = submit(opened, tmp_path / "s", script, target="cpu", distribution=processes("PyTorch", 3))
    pids = pids_of(opened, run_id, 3)
    os.kill(pids[1], 9)
    state = wait_for(opened, run_id, "Failed")
    assert state["exit_code"] == -9
    message = state["error"]["message"]
    assert "of rank 1 was killed by SIGKILL" in message and "user_logs/std_log_process_01.txt" in message
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert clusters.state(opened, "cpu")["running"] == 0


def test_the_process_that_failed_first_is_named_with_its_error(opened, tmp_path):
    """The others fail because of it, or end well before."""
    script = """
        import os, time
        if os.environ["RANK"] == "0":
            raise SystemExit(0)
        if os.environ["RANK"] == "2":
            open("failed", "w").close()
            raise ValueError("no such layer")
        while not os.path.exists("failed"):
            time.sleep(0.01)
        time.sleep(2)
        raise SystemExit(7)
        """
    run_id = submit(opened, tmp_path / "s", script, distribution=processes("PyTorch", 1, 3))
    message = wait_for(opened, run_id, "Failed")["error"]["message"]
    assert "of rank 2 exited with status code 1" in message and "ValueError: no such layer" in message


def test_cancel_ends_all_processes(opened, tmp_path):
    make_cluster(opened, max_nodes=2)
    script = "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAIT
    run_id = submit(opened, tmp_path / "s", script, target="cpu", distribution=processes("Mpi", 2))
    pids = pids_of(opened, run_id, 2)
    jobs.cancel(opened, run_id)
    wait_for(opened, run_id, "Canceled")
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_nodes_are_taken_all_at_once_or_not_at_all(opened):
    make_cluster(opened, max_nodes=3)
    assert clusters.take_nodes(opened, "cpu", "a", 2) == [0, 1]
    assert clusters.take_nodes(opened, "cpu", "b", 2) is None
    assert clusters.state(opened, "cpu")["current"] == 2  # b holds nothing
    assert clusters.take_nodes(opened, "cpu", "c", 1) == [2]
    clusters.release_nodes(opened, "a")
    assert clusters.take_nodes(opened, "cpu", "b", 2) == [0, 1]
    clusters.update(opened, "cpu", max_nodes=1)
    with pytest.raises(Invalid, match="needs 2 nodes at once, but the compute target 'cpu' has at most 1"):
        clusters.take_nodes(opened, "cpu", "d", 2)


def test_runs_on_several_nodes_take_turns(opened, tmp_path):
    """Three runs of two nodes on three nodes: none may hold one node and wait for another for ever."""
    make_cluster(opened, max_nodes=3)
    script = "import os, time\nopen(f'outputs/{os.environ[\"RANK\"]}', 'w').close()\n"
    runs = [
        submit(opened, tmp_path / "s", script, target="cpu", distribution=processes("PyTorch", 2)) for _ in range(3)
    ]
    for run_id in runs:
        wait_for(opened, run_id, "Completed")
        assert {"outputs/0", "outputs/1"} <= set(run_files.files_of(opened, run_id))
    assert clusters.state(opened, "cpu")["current"] <= 3


@pytest.mark.parametrize(
    ("distribution", "target", "words"),
    [
        (processes("PyTorch", 3), "cpu", "needs 3 nodes at once, but the compute target 'cpu' has at most 2"),
        (processes("PyTorch", 2, 3), "cpu", "3 processes cannot be shared out evenly among 2 nodes"),
        (processes("Mpi", 0, 1), "cpu", "The number of nodes is 0"),
        (processes("Mpi", 2, -2), "cpu", "The number of processes is -2"),
        (processes("Mpi", 2, 1000), "cpu", "1000 processes are too many"),
        (processes("PyTorch", 2), "local", "needs 2 nodes, but its target is 'local'"),
    ],
)
def test_what_cannot_run_is_refused_before_there_is_a_run(opened, tmp_path, distribution, target, words):
    make_cluster(opened, max_nodes=2)
    with pytest.raises(Invalid, match=words):
        submit(opened, tmp_path / "s", TELL, target=target, distribution=distribution)
    assert not run_records.list_experiments(opened)
