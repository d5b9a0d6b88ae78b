"""What runs log: numbers in the MLflow store; tables, lists and names that MLflow has no notion of beside it."""

import json
from pathlib import Path
from typing import Any

from helpers.offline.engine.history import mlflow_store, tags
from helpers.offline.engine.workspace import database


def log(folder: Path, run_id: str, events: list[dict], counts: dict[str, int]) -> None:
    """Carry metric and table events (as the spool has them) into the store.

    `counts` holds how often each metric was logged so far: the step of the next value that comes without one.
    """
    from mlflow.entities import Metric

    scalars, tables = [], []
    for event in events:
        name = event["name"]
        if event["kind"] == "table":
            tables.append((run_id, name, event["type"], json.dumps(event["value"])))
            continue
        step = event["step"] if event.get("step") is not None else counts.get(name, 0)
        counts[name] = counts.get(name, 0) + 1
        if tags.is_mlflow_name(name):
            scalars.append(Metric(name, float(event["value"]), int(event["time"] * 1000), int(step)))
        else:  # a name such as "Accuracy (%)", which MLflow refuses
            tables.append((run_id, name, "scalar", json.dumps(event["value"])))
    store = mlflow_store.client(folder)
    for start in range(0, len(scalars), 1000):  # MLflow's limit of one batch
        store.log_batch(run_id, metrics=scalars[start : start + 1000])
    if tables:
        with database.transaction(folder) as connection:
            connection.executemany("INSERT INTO metric_tables (run_id, name, type, value) VALUES (?, ?, ?, ?)", tables)


def read(folder: Path, run_id: str) -> dict[str, Any]:
    """The run's metrics in Azure ML's shape, by name.

    A number logged once is a number, more often a list in the order of logging; a list is a list; rows and tables are
    a dict of column to value, or to list of values; what is kept in a file of the run is the file's address.
    """
    found: dict[str, Any] = {}
    store = mlflow_store.client(folder)
    for name in mlflow_store.run(folder, run_id).data.metrics:
        logged = [metric.value for metric in _in_order(store.get_metric_history(run_id, name))]
        found[name] = logged[0] if len(logged) == 1 else logged
    query = "SELECT name, type, value FROM metric_tables WHERE run_id=? ORDER BY seq"
    for row in database.rows(folder, query, (run_id,)):
        _merge(found, row["name"], row["type"], json.loads(row["value"]), run_id)
    return found


def values(folder: Path, run_id: str, name: str) -> list[float]:
    """The numbers that the run has logged under one name, in the order of logging: much cheaper than read()."""
    if tags.is_mlflow_name(name):
        return [metric.value for metric in _in_order(mlflow_store.client(folder).get_metric_history(run_id, name))]
    query = "SELECT value FROM metric_tables WHERE run_id=? AND name=? AND type='scalar' ORDER BY seq"
    return [json.loads(row["value"]) for row in database.rows(folder, query, (run_id, name))]


def counts(folder: Path, run_id: str) -> dict[str, int]:
    """How often each metric of the run was logged."""
    store = mlflow_store.client(folder)
    return {name: len(store.get_metric_history(run_id, name)) for name in mlflow_store.run(folder, run_id).data.metrics}


def _in_order(history: list) -> list:
    return sorted(history, key=lambda metric: (metric.step, metric.timestamp))


def _merge(found: dict, name: str, type: str, value: Any, run_id: str) -> None:
    if type == "row":
        columns = found.setdefault(name, {})
        for column, cell in value.items():
            columns[column] = _and(columns[column], cell) if column in columns else cell
    elif type == "artifact":
        reference = f"aml://artifactId/ExperimentRun/dcid.{run_id}/{value}"
        found[name] = _and(found[name], reference) if name in found else reference
    elif type == "list":
        found[name] = [*found[name], *value] if isinstance(found.get(name), list) else value
    else:
        found[name] = _and(found[name], value) if name in found else value


def _and(earlier: Any, value: Any) -> list:
    return [*earlier, value] if isinstance(earlier, list) else [earlier, value]
