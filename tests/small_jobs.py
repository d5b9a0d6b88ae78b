"""Small jobs for tests: submit a script to the engine, and wait for states."""

import re
import textwrap
import time
from pathlib import Path

import psutil

from helpers.offline.engine import jobs, sweeps
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import logs
from helpers.offline.engine.history.statuses import FINAL

LOG = """
import json, os, time
_events = os.open(os.environ["AZUREML_OFFLINE_SPOOL"] + "/events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def log(name, value, step=None):
    event = {"kind": "metric", "name": name, "value": value, "step": step, "time": time.time()}
    os.write(_events, (json.dumps(event) + "\\n").encode())
"""


def make_cluster(folder: Path, name: str = "cpu", max_nodes: int = 2, **changes) -> None:
    settings = {"vm_size": "Standard_DS3_v2", "min_nodes": 0, "max_nodes": max_nodes, "idle_seconds": 120}
    clusters.create(folder, name, settings | changes)


def submit(folder: Path, source: Path, text: str, arguments: list = (), **changes) -> str:
    """Submit a Python script, given as text, from the directory `source`."""
    return jobs.submit(folder, "tests", job_of(source, text, arguments) | changes)


def submit_sweep(folder: Path, source: Path, text: str, space: dict, policy: dict | None = None, **changes) -> str:
    """Submit a sweep of a Python script, given as text, on the cluster "cpu"; `changes` are of the sweep.

    Among them `job` is another job than of the text.
    """
    job = changes.pop("job", None) or job_of(source, text)
    job |= {"target": "cpu", "environment_variables": changes.pop("environment", {})}
    sweep = {
        "sampling": {"name": "GRID", "parameter_space": space},
        "policy": policy or {"name": "Default"},  # none
        "metric": "Accuracy",
        "goal": "maximize",
        "max_total_runs": 10,
        "max_concurrent_runs": 2,
        "max_duration_minutes": 5,
        "trial_run_type": "azureml.scriptrun",
    }
    return sweeps.submit(folder, "tests", sweep | changes, job)


def job_of(source: Path, text: str, arguments: list = ()) -> dict:
    """A job of a Python script, given as text, which is written into the directory `source`."""
    source.mkdir(exist_ok=True)
    (source / "script.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return {
        "source_directory": str(source),
        "script": "script.py",
        "command": ["python", "script.py", *arguments],
        "arguments": list(arguments),
        "target": "local",
        "environment": None,
        "environment_variables": {},
        "inputs": [],
        "max_run_duration_seconds": 120,
    }


def supervisor_of(run_id: str, module: str = "jobs.supervisor") -> psutil.Process | None:
    """The process that supervises a run."""
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if run_id in command and f"helpers.offline.engine.{module}" in command:
            return process
    return None


def printed_pid(folder: Path, run_id: str, rank: int = 0) -> int:
    """The process id that a script tells by print("pid", …), once the log has all of it: it is written in pieces."""
    log = logs.log_path(folder, run_id, rank)
    return int(wait_until(lambda: log.exists() and re.search(r"^pid (\d+)\n", log.read_text(), re.MULTILINE))[1])


def wait_until(condition, seconds: float = 120):
    """The condition's value as soon as it is true; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
    return value


def wait_for(folder: Path, run_id: str, *statuses: str) -> dict:
    """The job's state once its status is one of `statuses`, by default a final one."""
    wanted = statuses or FINAL

    def reached():
        state = jobs.look(folder, run_id)
        assert state["status"] in wanted or state["status"] not in FINAL, f"ended as {state}"
        return state if state["status"] in wanted else None

    return wait_until(reached)
