"""What runs log: numbers in the MLflow store; tables, lists and names that MLflow has no notion of beside it.

MLflow's numbers are finite floats. Which metrics are whole numbers, and which have been infinite, is kept beside them.
"""

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers.offline.engine.history import artifacts, tags
from helpers.offline.engine.history.mlflow_store import connected, transaction
from helpers.offline.engine.workspace import database, outages

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
    value that comes without one. Raises Invalid for a name that is no text.
    """
    scalars, tables, numbers = [], [], {}
    for event in events:
        name, value = event["name"], event["value"]
        outages.check_text(name)
        if event["kind"] == "table":
            tables.append((run_id, name, event["type"], json.dumps(value)))
            continue
        step = event["step"] if event.get("step") is not None else counts.get(name, 0)
        counts[name] = counts.get(name, 0) + 1
        if tags.is_mlflow_name(name) and not (isinstance(value, int) and abs(value) > _LARGEST_WHOLE):
            scalars.append((name, float(value), int(event["time"] * 1000), int(step)))
            numbers.setdefault(name, []).append(value)
        else:  # a name such as "Accuracy (%)", which MLflow refuses
            tables.append((run_id, name, "scalar", json.dumps(value)))
    kinds = _kinds_after(folder, run_id, numbers, counts)
    if scalars:
        _insert(folder, run_id, scalars)
    if kinds:
        with database.transaction(folder) as connection:
            connection.executemany("INSERT OR REPLACE INTO metric_kinds VALUES (?, ?, ?, ?)", kinds)
    return tables


def read(folder: Path, run_id: str, name: str | None = None) -> dict[str, Any]:
    """The run's metrics in Azure ML's shape, by name; with `name`, that one alone, which is much cheaper.

    What was logged once is that value, more often a list in the order of logging; a list is as if its values had been
    logged one by one. Rows and tables are a dict of column to value, or to list of values. What is kept in a file of
    the run is the file's address. Whole numbers stay such, unless others are among them.
    """
    found = _numbers(folder, run_id, name)
    columns: dict[str, dict[str, list]] = {}
    query = "SELECT name, type, value FROM metric_tables WHERE run_id=? AND name=coalesce(?, name) ORDER BY seq"
    for row in database.rows(folder, query, (run_id, name)):
        name, value = row["name"], json.loads(row["value"])
        match row["type"]:
            case "row" | "table":
                for column, cells in value.items():
                    kept = columns.setdefault(name, {}).setdefault(column, [])
                    kept += cells if row["type"] == "table" else [cells]
            case "artifact":  # the first one, as the SDK gives it
                found.setdefault(name, [f"aml://artifactId/{artifacts.address(run_id, value)}"])
            case "list":
                found.setdefault(name, []).extend(value)
            case _:
                found.setdefault(name, []).append(value)
    tables = {name: {column: _single(cells) for column, cells in table.items()} for name, table in columns.items()}
    return {name: _single(values) for name, values in found.items()} | tables


def values(folder: Path, run_id: str, name: str) -> list[float]:
    """The numbers among what read() has under one name, in its order."""
    logged = read(folder, run_id, name).get(name)
    return [one for one in (logged if isinstance(logged, list) else [logged]) if isinstance(one, (int, float))]


def counts(folder: Path, run_id: str) -> dict[str, int]:
    """How often each of MLflow's metrics of the run was logged, in the order of the first time."""
    query = "SELECT key, count(*) FROM metrics WHERE run_uuid=? GROUP BY key ORDER BY min(rowid)"
    return dict(_rows(folder, query, run_id))


def _kinds(folder: Path, run_id: str, names: Iterable[str]) -> dict[str, tuple[bool, bool]]:
    """Of each of these metrics of the run, whether all are whole numbers, and some infinite."""
    query = "SELECT name, whole, infinite FROM metric_kinds WHERE run_id=?"
    noted = {row["name"]: (row["whole"], row["infinite"]) for row in database.rows(folder, query, (run_id,))}
    return {name: tuple(map(bool, noted.get(name, (0, 0)))) for name in names}


def _kinds_after(folder: Path, run_id: str, numbers: dict[str, list], counts: dict[str, int]) -> list[tuple]:
    """The rows of metric_kinds that change with these numbers, which `counts` counts already."""
    known = _kinds(folder, run_id, numbers) if numbers else {}
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


def _numbers(folder: Path, run_id: str, name: str | None) -> dict[str, list]:
    """The numbers of the run's metrics, by name, in the order of the first time; with `name`, of that one alone."""
    which, asked = ("", [run_id]) if name is None else (" AND key=?", [run_id, name])
    query = f"SELECT key, value, is_nan, rowid FROM metrics WHERE run_uuid=?{which} ORDER BY step, timestamp, value"
    found: dict[str, list] = {}
    first: dict[str, int] = {}
    for key, value, is_nan, row in _rows(folder, query, *asked):
        found.setdefault(key, []).append(math.nan if is_nan else value)
        first[key] = min(row, first.get(key, row))
    kinds = _kinds(folder, run_id, found) if found else {}  # after the numbers: one that comes meanwhile changes none
    return {key: _as_logged(found[key], *kinds[key]) for key in sorted(found, key=first.get)}


def _as_logged(logged: list[float], whole: bool, infinite: bool) -> list[float]:
    if infinite:
        logged = [math.copysign(math.inf, value) if abs(value) == sys.float_info.max else value for value in logged]
    return [int(value) for value in logged] if whole else logged


@outages.patiently
def _rows(folder: Path, query: str, *parameters: str) -> list[tuple]:
    with connected(folder) as connection:
        return connection.execute(query, parameters).fetchall()


@outages.patiently
def _insert(folder: Path, run_id: str, scalars: list[tuple[str, float, int, int]]) -> None:
    """Keep numbers, each with its name, time in milliseconds and step, and of each name the latest one once more."""
    rows = [(run_id, name, *_as_number(value), time, step) for name, value, time, step in scalars]
    columns = "(run_uuid, key, value, is_nan, timestamp, step) VALUES (?, ?, ?, ?, ?, ?)"
    latest = "SET value=excluded.value, is_nan=excluded.is_nan, timestamp=excluded.timestamp, step=excluded.step"
    with transaction(folder) as connection:
        connection.executemany(f"INSERT OR IGNORE INTO metrics {columns}", rows)
        connection.executemany(
            f"INSERT INTO latest_metrics {columns} ON CONFLICT (key, run_uuid) DO UPDATE {latest} "
            "WHERE (excluded.step, excluded.timestamp, excluded.value) > (step, timestamp, value)",
            rows,
        )


def _as_number(value: float) -> tuple[float, bool]:
    """A number as MLflow keeps it, the largest float in the place of infinity, and whether it is none at all."""
    if math.isnan(value):
        return 0.0, True
    return (math.copysign(sys.float_info.max, value) if math.isinf(value) else value), False


def _single(values: list) -> Any:
    """The only value, or all; whole numbers among others are such as they are."""
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) == len(values) and any(isinstance(value, float) for value in values):
        values = [float(value) for value in values]
    return values[0] if len(values) == 1 else values
