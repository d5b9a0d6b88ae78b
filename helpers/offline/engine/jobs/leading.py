"""What the processes do alike that lead other jobs, such as the trials of a sweep or the steps of a pipeline."""

import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from helpers.offline.engine.history import job_states, logs, runs
from helpers.offline.engine.jobs import finish, submission
from helpers.offline.engine.workspace import outages

LOOK = 0.2  # seconds between two looks at the jobs that are led
PATIENCE = 60.0  # seconds that canceled jobs have to end


def see_through(
    folder: Path,
    run_id: str,
    lead: Callable[[], tuple[str, dict | None]],
    last: Callable[[str], None],
) -> None:
    """Lead a job to its end, whatever happens.

    `lead` does so and returns the final status and the error to tell; see finish.outcome_of for what it raises. `last`,
    which is told the status, comes after it in any case. A store that is locked or full is waited for.
    """
    with outages.patience():
        try:
            job_states.advance(folder, run_id, "Running")
            runs.set_status(folder, run_id, "Running")
            status, error = lead()
        except Exception as failure:
            status, error = finish.outcome_of(folder, run_id, failure)
        try:
            last(status)
        except Exception:
            traceback.print_exc()
        finish.end(folder, run_id, status, error)
    finish.record_in_time(folder, run_id)


def log(folder: Path, run_id: str, line: str) -> None:
    """Add a line, with the time in UTC, to the log of the job that leads: what it submitted, and what became of it."""
    logs.append_log(folder, run_id, f"[{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}] {line}")


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
