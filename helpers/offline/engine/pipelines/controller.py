"""The process that leads one pipeline: `python -m helpers.offline.engine.pipelines.controller FOLDER RUN_ID LOCK`.

It is detached from whoever submitted the pipeline, and holds the run's lock (an inherited descriptor) while it lives.
It submits each step, which is a job with a supervisor of its own, when those that it waits for are Completed.
"""

import sys
import time
from pathlib import Path

from helpers.offline.engine import jobs
from helpers.offline.engine.history import job_states
from helpers.offline.engine.history.statuses import FINAL
from helpers.offline.engine.jobs import finish, leading
from helpers.offline.engine.pipelines import submission
from helpers.offline.engine.processes import detached
from helpers.offline.engine.workspace.errors import EngineError, FolderError


def main(folder: Path, run_id: str) -> None:
    """See the pipeline through to its end, whatever happens."""
    job = job_states.submitted(folder, run_id)

    def last(status: str) -> None:
        leading.end_children(folder, run_id)
        leading.log(folder, run_id, f"The pipeline ended: {status}.")

    leading.see_through(folder, run_id, lambda: lead(folder, run_id, job), last)


def lead(folder: Path, run_id: str, job: dict) -> tuple[str, dict | None]:
    """Run the steps; the final status, and the error to tell. Raises Stopped."""
    waiting, running, completed, problems = dict(job["steps"]), set(), set(), []
    while True:
        finish.stop_if_canceled(folder, run_id)
        for name in sorted(running):
            state = jobs.look(folder, submission.step_id(run_id, name))
            if state["status"] in FINAL:
                running.remove(name)
                problems += ended(folder, run_id, name, state)
                if state["status"] == "Completed":
                    completed.add(name)
        if problems and not job["goes_on"]:
            return failed(problems)
        ready = [name for name, step in waiting.items() if completed.issuperset(step["after"])]
        for name in ready:
            problem = start(folder, run_id, job, name, waiting.pop(name))
            problems += problem
            running |= set() if problem else {name}
        if not running and not ready:
            break
        time.sleep(leading.LOOK)
    return failed(problems) if problems else ("Completed", None)


def start(folder: Path, run_id: str, job: dict, name: str, step: dict) -> list[str]:
    """Submit a step; a sentence where it cannot begin."""
    step_id = submission.step_id(run_id, name)
    try:
        submission.begin(folder, job["experiment"], name, step, parent_id=run_id, run_id=step_id)
    except FolderError:
        raise
    except EngineError as error:
        problem = f"The step {name!r} could not begin: {error}"
        leading.log(folder, run_id, problem)
        return [problem]
    leading.log(folder, run_id, f"The step {name!r} ({step_id}) is submitted.")
    return []


def ended(folder: Path, run_id: str, name: str, state: dict) -> list[str]:
    """Log how a step ended; a sentence where it did not end well."""
    leading.log(folder, run_id, f"The step {name!r} ended: {state['status']}.")
    if state["status"] == "Completed":
        return []
    why = state["error"]["message"] if state["error"] else "it was canceled, and the pipeline was not."
    return [f"The step {name!r} ({submission.step_id(run_id, name)}) ended as {state['status']}: {why}"]


def failed(problems: list[str]) -> tuple[str, dict]:
    return "Failed", {"code": "UserError", "message": " ".join(problems)}


if __name__ == "__main__":
    detached.keep_lock(sys.argv[3])
    main(Path(sys.argv[1]), sys.argv[2])
