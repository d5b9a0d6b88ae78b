"""Checks of the runs that a sweep goes on from, in the words of the real SDK."""

import warnings

from azureml.core.run import Run
from azureml.train.hyperdrive._checks import check_type, expects
from azureml.train.hyperdrive.exceptions import HyperDriveConfigException

MAX_PARENT_RUNS = 5
RESUME_FROM_TOTAL_RUNS = 1000
_FINAL = ("Canceled", "Completed", "Failed")


def sweeps(config, resume_from):
    """The ids of the sweeps of resume_from, one or a list. Raises HyperDriveConfigException."""
    runs = resume_from if isinstance(resume_from, list) else [resume_from]
    condition = f"the number of parent runs to not exceed than {MAX_PARENT_RUNS}"
    expects("HyperDriveConfig", condition, len(runs) <= MAX_PARENT_RUNS)
    total, seen = config._max_total_runs, set()
    for run in runs:
        _check_alike(config, run)
        _refuse_if(
            run.id in seen,
            f"resume_from cannot contain duplicate runs. More than one run with id '{run.id}' was found",
        )
        seen.add(run.id)
        status = run.get_status()
        _refuse_if(
            status not in ("Completed", "Canceled"),
            "All resume_from runs should be completed or canceled. A resume_from run with status "
            f"'{status}' was found.",
        )
        total += run.hyperdrive_config._max_total_runs
    _refuse_if(
        total > RESUME_FROM_TOTAL_RUNS,
        f"The number of total runs should not be greater than {RESUME_FROM_TOTAL_RUNS}. ",
    )
    return [run.id for run in runs]


def trials(config, resume_child_runs):
    """The ids of the trials of resume_child_runs, one or a list. Raises HyperDriveConfigException."""
    runs = resume_child_runs if isinstance(resume_child_runs, list) else [resume_child_runs]
    condition = "the number of resume_child_runs to not exceed max_total_runs of current run"
    expects("HyperDriveConfig", condition, len(runs) <= config._max_total_runs)
    if len(runs) >= MAX_PARENT_RUNS:
        warnings.warn(
            "Validating data to be inherited from previous experiments. Please note that this may take a few minutes.",
            stacklevel=4,
        )
    parents, seen = {}, set()
    for run in runs:
        check_type("resume_child_runs", run, Run)
        _refuse_if(run.id in seen, "resume_child_runs cannot contain duplicate runs.")
        seen.add(run.id)
        status, parent = run.get_status(), run.parent
        _refuse_if(
            status not in _FINAL,
            f"All resume_child_runs should be in a terminal state. Found a run with state '{status}'.",
        )
        _refuse_if(parent is None, "Every run in resume_child_runs should have a parent run.")
        parents[parent.id] = parent
    _refuse_if(
        len(parents) > MAX_PARENT_RUNS,
        f"resume_child_runs should not come from more than {MAX_PARENT_RUNS} unique parents. "
        f"{len(parents)} unique parents were found.",
    )
    for parent in parents.values():
        _check_alike(config, parent)
    return [run.id for run in runs]


def _check_alike(config, run):
    """Whether a run is a sweep, for the same metric; of Bayesian sampling, with the same space, too."""
    expects("Parent run", "to be HyperDriveRun objects.", getattr(run, "type", None) == "hyperdrive")
    theirs = run.hyperdrive_config
    for key in ("name", "goal"):
        own, other = config._primary_metric_config[key], theirs._primary_metric_config[key]
        told = f"Current run's {key} is {own}, while a run with {other} was found"
        _refuse_if(own != other, f"primary_metric_{key} should be the same for all runs. {told}")
    _refuse_if(
        config._generator_config["name"] == "BayesianOptimization"
        and config._generator_config["parameter_space"] != theirs._generator_config["parameter_space"],
        "parameter_space for Bayesian sampling should be the same for all runs. ",
    )


def _refuse_if(met, message):
    if met:
        raise HyperDriveConfigException(message)
