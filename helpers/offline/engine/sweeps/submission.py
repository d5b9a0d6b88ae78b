"""Submitting a sweep: one job, tried with many hyperparameters.

A sweep is a job itself, with a leader: it takes no node, and the process that sees it through (controller.py) submits
its trials, which are jobs below it.
"""

import json
from pathlib import Path

from helpers.offline.engine import jobs
from helpers.offline.engine.jobs import outputs
from helpers.offline.engine.sweeps import policies, sampling
from helpers.offline.engine.workspace.errors import Invalid

CONTROLLER = "helpers.offline.engine.sweeps.controller"
LOG = "azureml-logs/hyperdrive.txt"  # of the sweep, among its files
MAX_TOTAL_RUNS, MAX_CONCURRENT_RUNS = 1000, 100  # the service's limits
LOST = (
    "The process that led the sweep ended before the sweep did: it was killed, or the machine was restarted. "
    "Its trials were ended; what they had logged and written until then is kept. Submit the sweep again."
)


def submit(folder: Path, experiment: str, sweep: dict, job: dict, **given) -> str:
    """Start a sweep and return its run's id at once; what can be refused is refused before there is a run.

    `sweep` has sampling and policy (see sampling.py and policies.py), metric (a name), goal ("maximize" or
    "minimize"), max_total_runs, max_concurrent_runs, max_duration_minutes, which may
    be told as limit_told, and trial_run_type; resume_from and resumed are those of warm_start. It may have outputs of
    its own, each of which is a copy of its best trial's of that name.
    `job` is what jobs.submit takes: with a command, to which a trial's hyperparameters are added as "--name value", or
    with a line that names them as ${search:name}.
    `given` are jobs.submit's.
    Raises NotFound, Invalid and TooLarge.
    """
    check(sweep)
    for output in job.get("outputs") or []:
        outputs.check(folder, output)
    # {run-id} in their paths stands for each trial, not for the sweep
    sweep = {"outputs": [], **sweep, "trial_outputs": job.get("outputs") or []}
    job = {**job, "outputs": sweep["outputs"]}
    leader = {"module": CONTROLLER, "log": LOG, "lost": LOST}
    return jobs.submit(folder, experiment, {**job, "sweep": sweep, "leader": leader}, **given)


def check(sweep: dict) -> None:
    """Refuse what the service refuses. Raises Invalid."""
    sampling.check(sweep["sampling"])
    policies.check(sweep["policy"])
    if sweep["sampling"]["name"] == sampling.BAYESIAN and sweep["policy"]["name"] != policies.NONE:
        raise Invalid("Bayesian sampling does not support early termination policies. Leave the policy out.")
    if not isinstance(sweep["metric"], str) or not sweep["metric"]:
        raise Invalid(
            f"The primary metric's name is {sweep['metric']!r}; give what the script logs, such as 'Accuracy'."
        )
    for name, limit in (("max_total_runs", MAX_TOTAL_RUNS), ("max_concurrent_runs", MAX_CONCURRENT_RUNS)):
        if not isinstance(sweep[name], int) or not 1 <= sweep[name] <= limit:
            raise Invalid(f"{name} is {sweep[name]!r}; give a whole number from 1 to {limit}.")
    if not sweep["max_duration_minutes"] > 0:
        raise Invalid(f"max_duration_minutes is {sweep['max_duration_minutes']!r}; give a number above 0.")
    try:
        json.dumps(sweep)
    except TypeError as error:
        raise Invalid(f"The parameter space holds a value that cannot be written down: {error}.") from error
