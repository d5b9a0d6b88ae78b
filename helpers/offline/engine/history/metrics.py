"""What runs log: numbers in the MLflow store; tables, lists and names that MLflow has no notion of beside it.

MLflow's numbers are finite floats. Which metrics are whole numbers, and which have been infinite, is kept beside them.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

from helpers.offline.engine.history import mlflow_store, tags
from helpers.offline.engine.workspace import database

_LARGEST_WHOLE = 2**53  # above it, not every whole number is a float


def log(folder: Path, run_id: str, events: list[dict], counts: dict[str, int]) -> None:
    """Keep metric and table events (as the spool has them); see log_scalars() for `counts`."""
    tables = log_scalars(folder, run_id, events, counts)
    if tables:
        with database.transaction(folder) as connection:
            connection.executemany(database.INSERT_TABLE, tables)


def log_scalars(folder: Path, run_id: str, events: list[dict], counts: dict[str, int]) -> list[tuple]:
    """Log metric and table events as far as the MLflow store has a notion of them; the rest, rows of metric_tables.

    Logged again, they are the same again. `counts` holds how often each metric was logged so far: the step of the next
    value that comes without one.
    """
    from mlflow.entities import Metric

    scalars, tables, numbers = [], [], {}
    for event in events:
        name, value = event["name"], event["value"]
        if event["kind"] == "table":
            tables.append((run_id, name, event["type"], json.dumps(value)))
            continue
        step = event["step"] if event.get("step") is not None else counts.get(name, 0)
        counts[name] = counts.get(name, 0) + 1
        if tags.is_mlflow_name(name) and not (isinstance(value, int) and abs(value) > _LARGEST_WHOLE):
            scalars.append(Metric(name, float(value), int(event["time"] * 1000), int(step)))
            numbers.setdefault(name, []).append(value)
        else:  # a name such as "Accuracy (%)", which MLflow refuses
            tables.append((run_id, name, "scalar", json.dumps(value)))
    kinds = _kinds_after(folder, run_id, numbers, counts)
    store = mlflow_store.client(folder)
    for start in range(0, len(scalars), 1000):  # MLflow's limit of one batch
        store.log_batch(run_id, metrics=scalars[start : start + 1000])
    if kinds:
        with database.transaction(folder) as connection:
            connection.executemany("INSERT OR REPLACE INTO metric_kinds VALUES (?, ?, ?, ?)", kinds)
    return tables


def read(folder: Path, run_id: str) -> dict[str, Any]:
    """The run's metrics in Azure ML's shape, by name.

    What was logged once is that value, more often a list in the order of logging; a list is as if its values had been
    logged one by one. Rows and tables are a dict of column to value, or to list of values. What is kept in a file of
    the run is the file's address. Whole numbers stay such, unless others are among them.
    """
    found = {name: _numbers(folder, run_id, name, kind) for name, kind in _kinds(folder, run_id).items()}
    columns: dict[str, dict[str, list]] = {}
    query = "SELECT name, type, value FROM metric_tables WHERE run_id=? ORDER BY seq"
    for row in database.rows(folder, query, (run_id,)):
        name, value = row["name"], json.loads(row["value"])
        match row["type"]:
            case "row" | "table":
                for column, cells in value.items():
                    kept = columns.setdefault(name, {}).setdefault(column, [])
                    kept += cells if row["type"] == "table" else [cells]
            case "artifact":  # the first one, as the SDK gives it
                found.setdefault(name, [f"aml://artifactId/ExperimentRun/dcid.{run_id}/{value}"])
            case "list":
                found.setdefault(name, []).extend(value)
            case _:
                found.setdefault(name, []).append(value)
    tables = {name: {column: _single(cells) for column, cells in table.items()} for name, table in columns.items()}
    return {name: _single(values) for name, values in found.items()} | tables


def values(folder: Path, run_id: str, name: str) -> list[float]:
    """The numbers that the run has logged under one name, in the order of logging: much cheaper than read()."""
    if tags.is_mlflow_name(name):
        return _numbers(folder, run_id, name, _kinds(folder, run_id, [name])[name])
    query = "SELECT value FROM metric_tables WHERE run_id=? AND name=? AND type='scalar' ORDER BY seq"
    return [json.loads(row["value"]) for row in database.rows(folder, query, (run_id, name))]


def counts(folder: Path, run_id: str) -> dict[str, int]:
    """How often each metric of the run was logged."""
    store = mlflow_store.client(folder)
    return {name: len(store.get_metric_history(run_id, name)) for name in mlflow_store.run(folder, run_id).data.metrics}


def _kinds(folder: Path, run_id: str, names: list[str] | None = None) -> dict[str, tuple[bool, bool]]:
    """Of each of MLflow's metrics of the run, or of those named, whether all are whole numbers, and some infinite."""
    if names is None:
        names = list(mlflow_store.run(folder, run_id).data.metrics)
    query = "SELECT name, whole, infinite FROM metric_kinds WHERE run_id=?"
    noted = {row["name"]: (row["whole"], row["infinite"]) for row in database.rows(folder, query, (run_id,))}
    return {name: tuple(map(bool, noted.get(name, (0, 0)))) for name in names}


def _kinds_after(folder: Path, run_id: str, numbers: dict[str, list], counts: dict[str, int]) -> list[tuple]:
    """The rows of metric_kinds that change with these numbers, which `counts` counts already."""
    known = _kinds(folder, run_id, list(numbers)) if numbers else {}
    changed = []
    for name, logged in numbers.items():
        whole, infinite = known[name]
        now = (
            all(isinstance(value, int) for value in logged) and (whole or counts[name] == len(logged)),
            infinite or any(math.isinf(value) for value in logged),
        )
        if now != (whole, infinite):
            changed.append((run_id, name, *now))
    return changed


def _numbers(folder: Path, run_id: str, name: str, kind: tuple[bool, bool]) -> list[float]:
    whole, infinite = kind
    history = mlflow_store.client(folder).get_metric_history(run_id, name)
    logged = [metric.value for metric in sorted(history, key=lambda metric: (metric.step, metric.timestamp))]
    if infinite:  # MLflow keeps the largest float in its place
        logged = [math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value for value in logged]
    return [int(value) for value in logged] if whole else logged


def _single(values: list) -> Any:
    """The only value, or all; whole numbers among others are such as they are."""
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) == len(values) and any(isinstance(value, float) for value in values):
        values = [float(value) for value in values]
    return values[0] if len(values) == 1 else values
