"""Submitting a pipeline: jobs that follow each other.

A pipeline is a job itself, with a leader: it takes no node, and the process that sees it through (controller.py)
submits its steps, which are jobs below it.
"""

import graphlib
from pathlib import Path

from helpers.offline.engine import jobs, sweeps
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import snapshot, tags
from helpers.offline.engine.jobs.submission import check as check_job
from helpers.offline.engine.workspace.errors import EngineError, Invalid

CONTROLLER = "helpers.offline.engine.pipelines.controller"
LOG = "logs/azureml/executionlogs.txt"  # of the pipeline, among its files
LOST = (
    "The process that led the pipeline ended before the pipeline did: it was killed, or the machine was restarted. "
    "Its steps were ended; what they had logged and written until then is kept. Submit the pipeline again."
)
NO_SCRIPT = {
    "source_directory": None,
    "target": clusters.LOCAL,
    "environment_variables": {},
    "inputs": [],
    "max_run_duration_seconds": None,
}


def submit(folder: Path, experiment: str, pipeline: dict, **given) -> str:
    """Start a pipeline and return its run's id at once; what can be refused is refused before there is a run.

    `pipeline` has steps: by its name, each has a job, as jobs.submit takes it, or a sweep and the job of its trials, as
    sweeps.submit does, or a pipeline, as this does; after, the names of the steps that it waits for; and run, further
    words for jobs.submit: display_name, tags and the like. It has outputs, as jobs have them, which are among those of
    its steps, and goes_on, whether a step that fails ends only those that wait for it. An input with of_step is what
    another step writes: it is looked for when that one has ended. `given` are jobs.submit's. Raises NotFound, Invalid
    and TooLarge.
    """
    check(folder, pipeline["steps"])
    leader = {"module": CONTROLLER, "log": LOG, "lost": LOST}
    job = {**NO_SCRIPT, **pipeline, "snapshot_id": snapshot.take_empty(folder), "leader": leader}
    return jobs.submit(folder, experiment, job, **given)


def begin(folder: Path, experiment: str, name: str, step: dict, **given) -> None:
    """Submit a step. Raises what submit() does."""
    given |= step["run"]
    if "pipeline" in step:
        submit(folder, experiment, {**step["pipeline"], "step": name}, **given)
    elif "sweep" in step:
        sweeps.submit(folder, experiment, step["sweep"], {**step["job"], "step": name}, **given)
    else:
        jobs.submit(folder, experiment, {**step["job"], "step": name}, **given)


def check(folder: Path, steps: dict[str, dict]) -> None:
    """Refuse what cannot run. Raises NotFound and Invalid."""
    if not steps:
        raise Invalid("The pipeline has no steps.")
    in_order({name: step["after"] for name, step in steps.items()})
    for name, step in steps.items():
        try:
            if "sweep" in step:
                sweeps.check(step["sweep"])
            if "pipeline" in step:
                check(folder, step["pipeline"]["steps"])
            else:
                own = [given for given in step["job"]["inputs"] if not given.get("of_step")]
                check_job(folder, step["job"] | {"inputs": own})
            tags.stored(step["run"].get("tags") or {})
            tags.stored(step["run"].get("properties") or {}, tags.PROPERTY)
        except EngineError as error:
            raise type(error)(f"The step {name!r} cannot run. {error}") from error


def in_order(after: dict[str, list[str]]) -> list[str]:
    """The steps' names, each after those that it waits for. Raises Invalid for a circle."""
    try:
        return list(graphlib.TopologicalSorter(after).static_order())
    except graphlib.CycleError as error:
        circle = " waits for ".join(map(repr, reversed(error.args[1])))
        raise Invalid(f"The pipeline goes round in a circle: {circle}.") from error


def step_id(run_id: str, name: str) -> str:
    """The run's id of a step."""
    return f"{run_id}_{name}"
