"""What a notebook leaves in its outputs for whoever runs it as a batch, in JSON beside what its reader sees."""

import json

from helpers import display
from helpers.looks import FINAL

RESULT_MIME_TYPE = "application/vnd.keras-azureml.result+json"
RUN_MIME_TYPE = "application/vnd.keras-azureml.run+json"


def record(name: str, value) -> None:
    """Show "name: value", and keep the pair in the cell's output, where scripts/run_notebooks.py collects it.

    Raises TypeError for a value that JSON cannot hold, such as a NumPy number, or a float that is not finite.
    """
    try:
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise TypeError(f"{name} cannot be recorded as {value}: {error}") from error
    display.show({"text/plain": f"{name}: {value}", RESULT_MIME_TYPE: {"name": name, "value": value}})


def unfinished(run, status: str) -> dict[str, dict]:
    """What to show beside a run's status: which run it is while it has not ended, so that a batch can name it."""
    return {} if status in FINAL else {RUN_MIME_TYPE: {"run_id": run.id, "experiment": run.experiment.name}}
