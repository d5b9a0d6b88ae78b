"""The processes of a job on several nodes, or several on one: what Azure ML tells each, and where each logs.

A job's `distribution` is {"kind": "PyTorch" | "Mpi" | "TensorFlow", "node_count": …, "process_count": of all nodes
together}, or None for a single process. All processes run on this machine, so each finds the others on 127.0.0.1.
"""

import json
import socket
from contextlib import ExitStack

from helpers.offline.engine.history.logs import LOG
from helpers.offline.engine.workspace.errors import Invalid

HOST = "127.0.0.1"
MOST_PROCESSES = 64  # of a job: they all run on this machine


def check(distribution: dict | None) -> None:
    """Refuse counts that do not go together. Raises Invalid."""
    if not distribution:
        return
    nodes, processes = distribution["node_count"], distribution["process_count"]
    for name, count in (("nodes", nodes), ("processes", processes)):
        if not isinstance(count, int) or count < 1:
            raise Invalid(f"The number of {name} is {count!r}; give a whole number above 0.")
    if processes % nodes:
        raise Invalid(
            f"{processes} processes cannot be shared out evenly among {nodes} nodes; the number of processes "
            f"has to be a multiple of {nodes}."
        )
    if processes > MOST_PROCESSES:
        raise Invalid(f"{processes} processes are too many to run on this machine, which takes up to {MOST_PROCESSES}.")


def node_count(job: dict) -> int:
    return job["distribution"]["node_count"] if job.get("distribution") else 1


def process_count(job: dict) -> int:
    return job["distribution"]["process_count"] if job.get("distribution") else 1


def log_names(job: dict) -> list[str]:
    """The log of each process, under the name that the service gives it among the run's files."""
    if not job.get("distribution"):
        return [LOG]
    return [f"user_logs/std_log_process_{rank:02}.txt" for rank in range(process_count(job))]


def variables(job: dict) -> list[dict[str, str]]:
    """The environment variables by which each process learns its place and finds the others, by rank.

    The ports in them are free when they are chosen.
    """
    distribution = job.get("distribution")
    if not distribution:
        return [{}]
    nodes, processes = distribution["node_count"], distribution["process_count"]
    each = processes // nodes
    tell = {"PyTorch": _pytorch, "Mpi": _mpi, "TensorFlow": _tensorflow}[distribution["kind"]]
    ports = free_ports(processes)
    return [
        {
            "AZUREML_NODE_COUNT": str(nodes),
            "AZ_BATCH_HOST_LIST": ",".join([HOST] * nodes),
            "AZ_BATCH_MASTER_NODE": f"{HOST}:{ports[0]}",
            "AZ_BATCHAI_MPI_MASTER_NODE": HOST,
            **{name: str(value) for name, value in tell(rank, processes, each, ports).items()},
        }
        for rank in range(processes)
    ]


def _pytorch(rank: int, processes: int, each: int, ports: list[int]) -> dict:
    return {
        "MASTER_ADDR": HOST,
        "MASTER_PORT": ports[0],
        "WORLD_SIZE": processes,
        "RANK": rank,
        "NODE_RANK": rank // each,
        "LOCAL_RANK": rank % each,
    }


def _mpi(rank: int, processes: int, each: int, ports: list[int]) -> dict:
    return {
        "OMPI_COMM_WORLD_SIZE": processes,
        "OMPI_COMM_WORLD_RANK": rank,
        "OMPI_COMM_WORLD_LOCAL_SIZE": each,
        "OMPI_COMM_WORLD_LOCAL_RANK": rank % each,
    }


def _tensorflow(rank: int, processes: int, each: int, ports: list[int]) -> dict:
    cluster = {"worker": [f"{HOST}:{port}" for port in ports]}
    task = {"type": "worker", "index": rank}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})}


def free_ports(count: int) -> list[int]:
    """Ports that no program listens on now, all different."""
    with ExitStack() as sockets:
        bound = [sockets.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in bound]
