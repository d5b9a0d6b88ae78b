"""The end of a job, by its supervisor or by whoever finds the supervisor dead: nothing of the run is lost.

It has two steps: end() as soon as the script has ended, and record(), which waits while the store is unavailable.
"""

import shutil
import traceback
from pathlib import Path

from helpers.offline.engine import processes
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import artifacts, job_states, logs, runs, spool
from helpers.offline.engine.history.job_states import RUN_ID_VARIABLE, run_folder
from helpers.offline.engine.history.statuses import FINAL
from helpers.offline.engine.jobs import outputs
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import EngineError, FolderError, StoreUnavailable
from helpers.offline.engine.workspace.files import files_below, left_out

UPLOADED = ("outputs", "logs")  # the folders of a job that go to the run, as the service has it
CODE = "code"  # the folder of a run that its script runs in
OF_SCRIPT = ("inputs", "python")  # the others that only its script needs


class Stopped(Exception):
    """A job is ended before it has come to its own end: its final status, and the error to tell."""

    def __init__(self, status: str, error: dict | None = None):
        super().__init__(status)
        self.status, self.error = status, error


def stop_if_canceled(folder: Path, run_id: str) -> None:
    """Raises Stopped."""
    if job_states.cancel_requested(folder, run_id):
        failure = job_states.get(folder, run_id)["error"]
        raise Stopped("Failed" if failure else "Canceled", failure)


def outcome_of(folder: Path, run_id: str, failure: Exception) -> tuple[str, dict | None]:
    """How a job comes out that this ends: the final status, and the error to tell.

    What the engine refuses is a UserError; a fault of the workspace's folder or store, or of ours, is a SystemError.
    """
    if isinstance(failure, Stopped):
        return failure.status, failure.error
    if isinstance(failure, EngineError):
        try:
            stop_if_canceled(folder, run_id)  # as where its cluster is deleted, and both are so
        except Stopped as stopped:
            return stopped.status, stopped.error
    if isinstance(failure, EngineError) and not isinstance(failure, FolderError):
        return "Failed", {"code": "UserError", "message": str(failure)}
    traceback.print_exception(failure)
    told = outages.told(folder, failure) or "".join(traceback.format_exception(failure, limit=-1)).strip()
    return "Failed", {"code": "SystemError", "message": str(told)}


def end(folder: Path, run_id: str, outcome: str, error: dict | None = None, exit_code: int | None = None) -> None:
    """End what is left of the run's processes, free its nodes, and write down how it ended.

    A job that leads others takes them with it.
    """
    end_processes(folder, run_id)
    clusters.release_nodes(folder, run_id)
    if error:
        logs.append_log(folder, run_id, error["message"])
    if "leader" in job_states.submitted(folder, run_id):
        for child in job_states.unfinished(folder, parent_id=run_id):
            job_states.request_cancel(folder, child["run_id"])
    else:
        job_states.advance(folder, run_id, "Finalizing")
    job_states.set_outcome(folder, run_id, outcome, error, exit_code)


def record(folder: Path, run_id: str) -> None:
    """Keep the metrics and files of a run that has ended, then write its final status.

    Raises FolderError where the store has a fault; then the run has not ended yet, and all is kept until it has.
    """
    with spool.lock(folder, run_id):
        job = job_states.get(folder, run_id)
        if job["status"] in FINAL:
            return
        status, error = job["outcome"], job["error"]
        problems = carry(folder, run_id)
        not_kept = outputs.keep(folder, run_id, completed=status == "Completed")
        problems += not_kept
        left = upload_outputs(folder, run_id)
        if left:
            problems += [*left, f"What is left of them is in {run_folder(folder, run_id) / CODE}."]
        if problems:
            message = f"The run's outputs could not all be kept: {' '.join(problems)}"
            logs.append_log(folder, run_id, message)
            if status == "Completed":
                status, error = "Failed", {"code": "SystemError", "message": message}
                job_states.set_outcome(folder, run_id, status, error, job["exit_code"])
        runs.set_status(folder, run_id, status, error)
        job_states.advance(folder, run_id, status)
    for part in (*OF_SCRIPT, *([] if left else [CODE]), *([] if not_kept else [outputs.FOLDER])):
        shutil.rmtree(run_folder(folder, run_id) / part, ignore_errors=True)


def record_in_time(folder: Path, run_id: str) -> None:
    """record(), again while the store is unavailable. It waits between two tries, so that nobody has to wait for it."""
    while True:
        try:
            return record(folder, run_id)
        except StoreUnavailable as fault:
            outages.wait(fault)


def carry(folder: Path, run_id: str) -> list[str]:
    """Carry what the job's spool still has; what came between. Raises FolderError."""
    try:
        spool.carry(folder, run_id)
    except FolderError:
        raise
    except Exception:
        return [traceback.format_exc(limit=1).strip().splitlines()[-1]]
    return []


def end_processes(folder: Path, run_id: str) -> None:
    """Kill every process that carries the run's id in its environment: the script's children, wherever they went.

    Another workspace may have a run of the same name.
    """
    processes.end_marked({folders.VARIABLE: str(folder), RUN_ID_VARIABLE: run_id})


def upload_outputs(folder: Path, run_id: str) -> list[str]:
    """Move the files of the job's outputs/ and logs/ to the run; a sentence for each that stays where it is.

    What is no file is told in the run's log.
    """
    code, problems = run_folder(folder, run_id) / CODE, []
    for part in UPLOADED:
        for name, what in left_out(code / part).items():
            logs.append_log(folder, run_id, f"Not kept: {part}/{name}, {what}.")
        for name in files_below(code / part):
            try:
                with outages.translated(folder):
                    artifacts.take(folder, run_id, f"{part}/{name}", code / part / name)
            except FolderError:
                raise
            except (OSError, EngineError) as error:
                problems.append(f"{part}/{name}: {error}.")
    return problems
