"""What a sweep takes over from earlier ones: what is known from their trials, and trials that are to go on.

A sweep's `resume_from` lists sweeps: their trials are known to Bayesian sampling before it draws, and the policy
compares with their curves. Its `resumed` lists trials of earlier sweeps: each is the first to be tried again, with the
same hyperparameters, and its script gets --resume-from with the folder of what the earlier one had written to outputs/.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from helpers.offline.engine.assets import data
from helpers.offline.engine.history import artifacts, run_files
from helpers.offline.engine.jobs import run_records

HYPERPARAMETERS = "hyperparameters"  # the tag of a trial that has them, as JSON
OPTION, INPUT = "--resume-from", "MODEL_LOCATION"
OUTPUTS = "outputs"


@dataclass(frozen=True)
class Earlier:
    run_id: str
    parameters: dict
    curve: list[float]  # what it logged as the primary metric


def earlier_trials(folder: Path, sweep: dict) -> list[Earlier]:
    """The trials of the sweeps of `resume_from`, the first submitted first. Raises NotFound."""
    found = []
    for sweep_id in sweep.get("resume_from") or []:
        experiment = run_records.get_run(folder, sweep_id).experiment
        for run in reversed([*run_records.list_runs(folder, experiment, parent_id=sweep_id)]):
            curve = run_records.get_metric_values(folder, run.id, sweep["metric"])
            found.append(Earlier(run.id, _parameters(run), curve))
    return found


def parameters_of(folder: Path, run_id: str) -> dict:
    """The hyperparameters of a trial. Raises NotFound."""
    return _parameters(run_records.get_run(folder, run_id))


def checkpoints(folder: Path, run_id: str) -> dict:
    """The job's input that holds what a trial had written to outputs/: an empty folder where that is nothing."""
    has_some = any(name.startswith(f"{OUTPUTS}/") for name in run_files.files_of(folder, run_id))
    path = artifacts.address(run_id, OUTPUTS)
    return {
        "name": INPUT,
        "mode": "mount",
        "path_on_compute": None,
        "dataset_id": None,
        "is_reference": True,
        "sources": [{"datastore": data.ARTIFACTSTORE, "path": path, "as_is": True}] if has_some else [],
        "as_is": "folder",
    }


def _parameters(run: run_records.RunRecord) -> dict:
    return json.loads(run.tags.get(HYPERPARAMETERS, "{}"))
