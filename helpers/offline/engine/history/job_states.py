"""The state of each job, in one table, and whether its supervisor lives.

`outcome` is the final status of a job that has ended; it becomes `status` when all that the job left is in the history.

A supervisor holds a lock on a file of its run for as long as it lives (see detached), so a run that is not final and
whose lock is free has lost its supervisor.
"""

import json
import os
import shutil
import time
from pathlib import Path

from helpers.offline.engine.history.statuses import FINAL
from helpers.offline.engine.processes import detached
from helpers.offline.engine.workspace import database, outages
from helpers.offline.engine.workspace.errors import AlreadyExists, FolderError
from helpers.offline.engine.workspace.files import write_whole
from helpers.offline.engine.workspace.leftovers import SUPERVISOR_LOCK, making_folder, removed_if_refused

RUN_ID_VARIABLE = "AZUREML_RUN_ID"  # in the environment of each process of a job


def make(folder: Path, run_id: str, job: dict) -> int:
    """Keep what is submitted, as a job that insert() makes known; a descriptor that holds its supervisor's lock.

    Raises AlreadyExists.
    """
    try:
        with making_folder(place := run_folder(folder, run_id)), removed_if_refused(place):
            lock = take_lock(folder, run_id)
            try:
                write_whole(json.dumps(job).encode(), place / "job.json")
            except BaseException:
                os.close(lock)
                raise
            return lock
    except FileExistsError:
        raise AlreadyExists(f"The workspace has a run {run_id!r} already; give another name.") from None


@outages.patiently
def discard(folder: Path, run_id: str) -> None:
    """Forget a job that was made, within its lock: no run of it was."""
    with database.transaction(folder) as connection:
        connection.execute("DELETE FROM jobs WHERE run_id=?", (run_id,))
    shutil.rmtree(run_folder(folder, run_id), ignore_errors=True)


@outages.patiently
def insert(folder: Path, run_id: str, target: str, *, nodes: int = 1, parent_id: str | None = None) -> None:
    """A new job, NotStarted, that needs so many nodes of its target at once."""
    with database.transaction(folder) as connection:
        connection.execute(
            "INSERT INTO jobs (run_id, parent_id, target, nodes, status, stages, submitted) "
            "VALUES (?, ?, ?, ?, 'NotStarted', ?, ?)",
            (run_id, parent_id, target, nodes, json.dumps([_stage("NotStarted")]), time.time()),
        )


def get(folder: Path, run_id: str) -> dict | None:
    """The job's row, or None where the run is not a job: stages, error and the rest."""
    return next(iter(get_all(folder, [run_id])), None)


def get_all(folder: Path, run_ids: list[str]) -> list[dict]:
    """The rows of those of the runs that are jobs."""
    query = f"SELECT * FROM jobs WHERE run_id IN ({', '.join('?' * len(run_ids))})"
    return [_job(row) for row in database.rows(folder, query, tuple(run_ids))]


def run_folder(folder: Path, run_id: str) -> Path:
    """Where a job is kept: what was submitted, its supervisor's lock and log, its spool, and its code while it runs."""
    return folder / "runs" / run_id


def submitted(folder: Path, run_id: str) -> dict:
    """The job as it was submitted; empty where the run is not a job."""
    try:
        return json.loads((run_folder(folder, run_id) / "job.json").read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise FolderError(f"What is kept of the run {run_id} is damaged: its job.json is no JSON ({error}).") from error


def unfinished(folder: Path, target: str | None = None, *, parent_id: str | None = None) -> list[dict]:
    """The jobs that are not final, the first submitted first: all, or those of a cluster, or of a parent."""
    query = "SELECT * FROM jobs WHERE status NOT IN (?, ?, ?) ORDER BY rowid"
    jobs = [_job(row) for row in database.rows(folder, query, FINAL)]
    return [job for job in jobs if target in (None, job["target"]) and parent_id in (None, job["parent_id"])]


@outages.patiently
def advance(folder: Path, run_id: str, status: str) -> bool:
    """Go on to the next stage; False where the job is final already, which stays so."""
    with database.transaction(folder) as connection:
        row = connection.execute("SELECT * FROM jobs WHERE run_id=?", (run_id,)).fetchone()
        if row is None or row["status"] in FINAL:
            return False
        stages = [*json.loads(row["stages"]), _stage(status)]
        connection.execute("UPDATE jobs SET status=?, stages=? WHERE run_id=?", (status, json.dumps(stages), run_id))
        return True


@outages.patiently
def set_outcome(folder: Path, run_id: str, outcome: str, error: dict | None, exit_code: int | None) -> None:
    """Write down how the job ended."""
    with database.transaction(folder) as connection:
        connection.execute(
            "UPDATE jobs SET outcome=?, error=?, exit_code=? WHERE run_id=?",
            (outcome, json.dumps(error) if error else None, exit_code, run_id),
        )


@outages.patiently
def set_carried(folder: Path, run_id: str, position: int, counts: dict[str, int], tables: list[tuple]) -> None:
    """Write down how much of the job's spool is in the history (see spool), and keep the `tables` of metrics in it."""
    with database.transaction(folder) as connection:
        connection.executemany(database.INSERT_TABLE, tables)
        connection.execute("UPDATE jobs SET carried=?, counts=? WHERE run_id=?", (position, json.dumps(counts), run_id))


@outages.patiently
def request_cancel(folder: Path, run_id: str, failure: dict | None = None) -> None:
    """Ask for the job's end; with an error it ends as failed of that. How a job has ended, stays as it is."""
    error = json.dumps(failure) if failure else None
    with database.transaction(folder) as connection:
        connection.execute(
            "UPDATE jobs SET cancel_requested=1, error=coalesce(?, error) WHERE run_id=? AND outcome IS NULL",
            (error, run_id),
        )


def cancel_requested(folder: Path, run_id: str) -> bool:
    found = database.rows(folder, "SELECT cancel_requested FROM jobs WHERE run_id=?", (run_id,))
    return not found or bool(found[0]["cancel_requested"])


def take_lock(folder: Path, run_id: str) -> int | None:
    """A descriptor that holds the lock of the run's supervisor; None while another process holds it."""
    return detached.take_lock(run_folder(folder, run_id) / SUPERVISOR_LOCK)


def supervised(folder: Path) -> set[str]:
    """The runs whose supervisor lives."""
    locks = (folder / "runs").glob(f"*/{SUPERVISOR_LOCK}")
    return {path.parent.name for path in locks if detached.is_held(path)}


def _stage(status: str) -> dict:
    return {"status": status, "time": database.now()}


def _job(row) -> dict:
    return {
        **row,
        "stages": json.loads(row["stages"]),
        "error": json.loads(row["error"]) if row["error"] else None,
        "counts": json.loads(row["counts"]),
    }
