"""What the processes do alike that lead other jobs, such as the trials of a sweep or the steps of a pipeline."""

import time
import traceback
from collections.abc import Callable
from pathlib import Path

from helpers.offline.engine.history import job_states, runs
from helpers.offline.engine.jobs import finish, submission
from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import EngineError

LOOK = 0.2  # seconds between two looks at the jobs that are led
PATIENCE = 60.0  # seconds that canceled jobs have to end


class Stopped(Exception):
    """The job is canceled, by its user (None) or by its time limit (the error to tell)."""

    def __init__(self, error: dict | None = None):
        super().__init__()
        self.error = error


def see_through(
    folder: Path,
    run_id: str,
    lead: Callable[[], tuple[str, dict | None]],
    last: Callable[[str], None],
) -> None:
    """Lead a job to its end, whatever happens.

    `lead` does so and returns the final status and the error to tell; it may raise Stopped and EngineError. `last`,
    which is told the status, comes after it in any case. A store that is locked or full is waited for.
    """
    with outages.patience():
        status, error = _outcome(folder, run_id, lead)
        try:
            last(status)
        except Exception:
            traceback.print_exc()
        finish.end(folder, run_id, status, error)
    finish.record_in_time(folder, run_id)


def _outcome(folder: Path, run_id: str, lead: Callable[[], tuple[str, dict | None]]) -> tuple[str, dict | None]:
    """How it came out: the final status, and the error to tell."""
    try:
        job_states.advance(folder, run_id, "Running")
        runs.set_status(folder, run_id, "Running")
        return lead()
    except Stopped as stopped:
        return "Canceled", stopped.error
    except EngineError as refused:
        if job_states.cancel_requested(folder, run_id):  # as where its cluster is deleted, and both are so
            return "Canceled", None
        return "Failed", {"code": "UserError", "message": str(refused)}
    except Exception as failure:
        traceback.print_exc()
        message = outages.told(folder, failure) or traceback.format_exc(limit=-1).strip()
        return "Failed", {"code": "SystemError", "message": str(message)}


def stop_if_canceled(folder: Path, run_id: str) -> None:
    """Raises Stopped."""
    if job_states.cancel_requested(folder, run_id):
        raise Stopped


def end_children(folder: Path, run_id: str) -> None:
    """Cancel the jobs below this one that still run, and wait until all are final."""
    deadline = time.monotonic() + PATIENCE
    while left := job_states.unfinished(folder, parent_id=run_id):
        for child in left:
            if submission.look(folder, child["run_id"]):
                job_states.request_cancel(folder, child["run_id"])
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK)
