"""Checks what a run is asked to log, as the SDK does, and makes of it the event that the run history stores.

Imported by a job's side too: standard library only, and valid on Python 3.7. Each function returns an event (see
`_spool`) or None where there is nothing to store; all raise AzureMLException for values that cannot be a metric,
and AttributeError for empty lists and tables.
"""

import json
import logging
import os
import sys
import time
import types
from pathlib import Path

from azureml.exceptions import AzureMLException, UserErrorException

_logger = logging.getLogger(__name__)

_PLAIN = (float, str, bool, type(None), int)
_MAX_NUMBER_SIZE = 64  # bytes that Python takes for a number, as the SDK measures it
# What the SDK converts; of other types, numpy.int64 among them, it logs the repr as text.
_NUMPY = {
    "bool": bool, "bool_": bool, "str_": str,
    "int8": int, "int16": int, "int32": int, "uint8": int, "uint16": int, "uint32": int,
    "float16": float, "float32": float, "float64": float,
}  # fmt: skip
_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", 0),
    (b"\xff\xd8\xff", 0),
    (b"GIF8", 0),
    (b"BM", 0),
    (b"II*\0", 0),
    (b"MM\0*", 0),
    (b"WEBP", 8),
)


def scalar(name, value, description, step):
    """A number or a text, e.g. the accuracy of one epoch."""
    if isinstance(value, (list, range, types.GeneratorType)):
        raise UserErrorException("run.log does not support list type. Use run.log_list instead")
    value = _converted(name, value)
    if value is None:
        return None  # the SDK sends it, and never gives it back
    step = None if step is None else int(step)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_size(value)
        return {"kind": "metric", "name": str(name), "value": value, "step": step, "time": time.time()}
    return _table("text", name, value, description, step)


def values(name, value, description):
    """A list of numbers or texts."""
    cells = [_cell(name, cell) for cell in value]
    if not cells:
        _fail_as_the_client_does()
    return _table("list", name, cells, description)


def row(name, value, description):
    """One row of a table: a dict of column to cell."""
    for column, cell in value.items():
        if isinstance(cell, list):
            raise AzureMLException(f"Rows cannot contain list values, column {column} contains a list.")
    cells = {column: _cell(column, cell) for column, cell in value.items()}
    return _table("row", name, cells, description) if cells else None


def table(name, value, description):
    """A whole table: a dict of column to list of cells, all of one length, or to one cell."""
    if not isinstance(value, dict):
        raise AzureMLException("Argument [Table] is of invalid type. Expected type: [dict[string]: column]")
    columns = {key: column if isinstance(column, list) else [column] for key, column in value.items()}
    first = next(iter(columns), None)
    for key, column in columns.items():
        if len(column) != len(columns[first]):
            raise AzureMLException(
                f"Columns must have the same length, column {first} had length {len(columns[first])}, however, "
                f"column {key} had length {len(column)}."
            )
    if first is None:
        _fail_as_the_client_does()
    if not columns[first]:
        raise Exception("Index 0 out of range for column []")
    cells = {str(key): [_cell(key, cell) for cell in column] for key, column in columns.items()}
    return _table("table", name, cells, description)


def chart(value):
    """One of Azure ML's charts, such as a confusion matrix, as the content of a file: a dict, or the JSON text of one.

    Raises UserErrorException for what is no JSON.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise UserErrorException("Invalid JSON provided") from None
    try:
        return json.dumps(value).encode()
    except TypeError as error:
        raise UserErrorException(f"Invalid JSON provided: {error}") from None


def artifact(name, path, description):
    """A metric that is among the run's files, as a chart and an image are: `path` is its address in the run."""
    return _table("artifact", name, path, description)


def file_name(path):
    """The name among the run's files of an image at `path`: one from elsewhere keeps all of its folders."""
    if Path(path).is_absolute() or ".." in Path(path).parts:
        whole = Path(os.path.normpath(str(Path(path).absolute())))
        return whole.relative_to(whole.anchor).as_posix()
    return path


def check_image(path):
    """Raise AzureMLException unless the file at `path` begins as an image does; OSError where it cannot be read."""
    with Path(path).open("rb") as file:
        head = file.read(16)
    if not any(head[start:].startswith(mark) for mark, start in _IMAGES):
        raise AzureMLException(f"Argument [{path}] is malformed.")


def plot_name(name, taken):
    """A file name for a plot of the metric `name` that is not in the set `taken`, to which it is added."""
    stamp = int(time.time())
    while f"{name}_{stamp}.png" in taken:
        stamp += 1
    taken.add(f"{name}_{stamp}.png")
    return f"{name}_{stamp}.png"


def _fail_as_the_client_does():
    # It makes nothing of an empty list or table, and then looks for its value; a script that logs one fails on Azure.
    raise AttributeError("'NoneType' object has no attribute 'value'")


def _table(type, name, value, description, step=None):
    return {
        "kind": "table",
        "type": type,
        "name": str(name),
        "value": value,
        "description": description or "",
        "step": step,
        "time": time.time(),
    }


def _cell(name, value):
    if type(value) not in _PLAIN and not _numpy_converter(value):
        raise AzureMLException(
            f"Value of type {type(value)} is not supported, supported types include [{list(_PLAIN)}]"
        )
    value = _converted(name, value)
    _check_size(value)
    return value


def _converted(name, value):
    if type(value) in _PLAIN:
        return value
    converter = _numpy_converter(value)
    if converter:
        return converter(value)
    _logger.warning(
        "Converted key %s of value %s to %s: log a float or an int to have a number.", name, value, repr(value)
    )
    return repr(value)


def _numpy_converter(value):
    return _NUMPY.get(type(value).__name__) if type(value).__module__ == "numpy" else None


def _check_size(value):
    if isinstance(value, (int, float)) and sys.getsizeof(value) > _MAX_NUMBER_SIZE:
        raise AzureMLException(f"Number size of type [{type(value)}] is out of range: log it as text.")
