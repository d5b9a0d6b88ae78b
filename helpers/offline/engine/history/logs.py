"""The logs of a run, among its files: what its job prints, and how its environment was had."""

from pathlib import Path

from helpers.offline.engine.history import artifacts, job_states
from helpers.offline.engine.workspace import outages

LOG = "user_logs/std_log.txt"
BUILD_LOG = "azureml-logs/20_image_build_log.txt"


def log_path(folder: Path, run_id: str, rank: int = 0) -> Path:
    """The run's log: what the script prints. Where several processes run it, each has its own.

    A run that is no job has none; it would lie where a job's does.
    """
    names = job_states.submitted(folder, run_id).get("logs") or [LOG]
    return artifacts.root_of(folder, run_id) / names[rank]


def build_log_path(folder: Path, run_id: str) -> Path:
    """The log of the run's environment: its check or its build."""
    return artifacts.root_of(folder, run_id) / BUILD_LOG


def append_log(folder: Path, run_id: str, line: str) -> None:
    """Add a line to the run's log."""
    append(log_path(folder, run_id), line)


@outages.patiently
def append(path: Path, *lines: str) -> None:
    """Add lines to a log, which is made if it is not there. Raises StoreUnavailable where the disk is full."""
    with outages.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.writelines(f"{line}\n" for line in lines)
