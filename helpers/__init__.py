"""What the notebooks need and their readers did not come to learn.

Everything is imported when it is first asked for, so that `import helpers` costs nothing.
"""

import importlib
from pathlib import Path

_FUNCTIONS = {
    "use_backend": "backend",
    "BackendError": "backend",
    "connect": "workspace",
    "ml_client": "workspace_v2",
    "finished_job": "workspace_v2",
    "credential": "credentials",
    "explained": "azure_problems",
    "AzureProblem": "azure_problems",
    "check": "checks",
    "NoSuchExercise": "checks",
    "check_current": "retired",
    "Retired": "retired",
    "made_by": "workspace",
    "NotMadeYet": "workspace",
    "of_series": "workspace",
    "vm_family": "vm_families",
    "watch": "runs",
    "finished_run": "runs",
    "trials": "sweeps",
    "rank_correlations": "sweeps",
    "job_trials": "sweeps",
    "record": "results",
    "stage_training_script": "training",
}
_MODULES = (
    "backend",
    "costs",
    "drills",
    "mnist",
    "plots",
    "results",
    "runs",
    "scoring",
    "sweeps",
    "training",
    "workspace",
)

# The clone that this package is part of: data/, scripts/ and output/ are found there, wherever a notebook runs.
REPOSITORY = Path(__file__).parents[1]

# What the series makes in a workspace carries this tag; the last notebook touches nothing else.
SERIES_TAG = {"series": "train-keras-azureml"}

__all__ = sorted([*_FUNCTIONS, *_MODULES, "REPOSITORY", "SERIES_TAG"])


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"helpers.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"helpers.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'helpers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
