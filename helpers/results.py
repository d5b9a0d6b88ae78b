"""Results that a notebook reports, for its reader and for whoever runs it as a batch."""

import json

from helpers import display

MIME_TYPE = "application/vnd.keras-azureml.result+json"


def record(name: str, value) -> None:
    """Show "name: value", and keep the pair in the cell's output, where scripts/run_notebooks.py collects it.

    Raises TypeError for a value that JSON cannot hold, such as a NumPy number.
    """
    json.dumps(value)
    display.show({"text/plain": f"{name}: {value}", MIME_TYPE: {"name": name, "value": value}})
