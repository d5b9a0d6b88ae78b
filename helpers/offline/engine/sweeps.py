"""Sweeps: one job, tried with many hyperparameters. Submitting one, and what is at its end.

A sweep is a job itself, of the kind "sweep": it takes no node, and the process that sees it through
(sweep_controller.py) submits its trials, which are jobs below it.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from helpers.offline.engine import artifacts, finish, job_states, jobs, sweep_policies, sweep_sampling
from helpers.offline.engine.errors import Invalid

LOG = "azureml-logs/hyperdrive.txt"  # of the sweep, among its files
MAX_TOTAL_RUNS, MAX_CONCURRENT_RUNS = 1000, 100  # the service's limits
LOST = (
    "The process that led the sweep ended before the sweep did: it was killed, or the machine was restarted. "
    "Its trials were ended; what they had logged and written until then is kept. Submit the sweep again."
)


def submit(folder: Path, experiment: str, sweep: dict, job: dict, **given) -> str:
    """Start a sweep and return its run's id at once; what can be refused is refused before there is a run.

    `sweep` has sampling and policy (see sweep_sampling.py and sweep_policies.py), metric (a name), goal ("maximize" or
    "minimize"), max_total_runs, max_concurrent_runs and max_duration_minutes. `job` is what jobs.submit takes, with a
    command; a trial's hyperparameters are added to it as "--name value". `given` are jobs.submit's.
    Raises NotFound, Invalid and TooLarge.
    """
    check(sweep)
    return jobs.submit(folder, experiment, {**job, "sweep": sweep}, **given)


def check(sweep: dict) -> None:
    """Refuse what the service refuses. Raises Invalid."""
    sweep_sampling.check(sweep["sampling"])
    sweep_policies.check(sweep["policy"])
    if sweep["sampling"]["name"] == sweep_sampling.BAYESIAN and sweep["policy"]["name"] != sweep_policies.NONE:
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


def end(folder: Path, run_id: str, outcome: str, error: dict | None = None) -> None:
    """Cancel the trials that are not final, and write down how the sweep ended; finish.record() is what remains."""
    for trial in job_states.unfinished(folder, parent_id=run_id):
        jobs.cancel(folder, trial["run_id"])
    if error:
        log(folder, run_id, error["message"])
    log(folder, run_id, f"The sweep ended: {outcome}.")
    job_states.set_outcome(folder, run_id, outcome, error, None)


def log(folder: Path, run_id: str, line: str) -> None:
    """Add a line, with the time in UTC, to the sweep's log."""
    finish.append(log_path(folder, run_id), f"[{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}] {line}")


def log_path(folder: Path, run_id: str) -> Path:
    """The sweep's log: which trial got what, and what became of it."""
    return artifacts.root_of(folder, run_id) / LOG
