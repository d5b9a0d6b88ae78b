"""Runs with their tags and status, in the MLflow store."""

import json
import random
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from helpers.offline.engine.history.mlflow_store import (
    RUN_TYPE,
    artifact_location,
    connected,
    insert,
    is_made,
    now,
    transaction,
)
from helpers.offline.engine.history.statuses import FINAL, MLFLOW_STATUS
from helpers.offline.engine.history.tags import PROPERTY, key, stored, told
from helpers.offline.engine.workspace import database, outages
from helpers.offline.engine.workspace.errors import AlreadyExists, NotFound

ERROR = "azureml.error"
MOST_OF_ERROR = 7000  # characters; a tag of MLflow's holds 8,000
PARENT = "mlflow.parentRunId"
DESCRIPTION = "mlflow.note.content"
ARCHIVED = "azureml.archived"

_COLUMNS = "SELECT run_uuid, experiment_id, name, status, start_time, end_time FROM runs"
_SET_TAG = (
    "INSERT INTO tags (run_uuid, key, value) VALUES (?, ?, ?) "
    "ON CONFLICT (key, run_uuid) DO UPDATE SET value=excluded.value"
)
NAME_TAG = "mlflow.runName"  # MLflow keeps a run's name twice
NAMES = (  # of runs that nobody has named: one word of each, and a number
    ("able", "bold", "calm", "deft", "eager", "fair", "glad", "keen", "mild", "neat", "quick", "wise"),
    ("ash", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine", "rowan", "yew"),
)


@dataclass(frozen=True)
class StoredRun:
    """Status and tags are MLflow's, times milliseconds since 1970."""

    id: str
    experiment_id: str
    name: str
    status: str
    started: int | None
    ended: int | None
    tags: dict[str, str]


def create(
    folder: Path,
    experiment_id: str,
    *,
    display_name: str | None,
    parent_id: str | None,
    tags: dict[str, str],
    properties: dict[str, str],
    status: str,
    run_type: str | None,
    description: str | None = None,
    run_id: str | None = None,
) -> str:
    """A new run's id: `run_id`, where one is given.

    Raises Invalid for a tag or property that the store cannot keep, AlreadyExists for a run_id that is taken.
    """
    mlflow_tags = stored(tags) | stored(properties, PROPERTY)
    if parent_id:
        mlflow_tags[PARENT] = parent_id
    if run_type:
        mlflow_tags[RUN_TYPE] = run_type
    if description:
        mlflow_tags[DESCRIPTION] = description
    run_id = run_id or uuid.uuid4().hex
    _insert(folder, experiment_id, run_id, display_name or _random_name(), mlflow_tags, status)
    give_number(folder, experiment_id, run_id)
    return run_id


def _random_name() -> str:
    return "-".join([*map(random.choice, NAMES), str(random.randint(0, 999))])


@outages.patiently
def _insert(folder: Path, experiment_id: str, run_id: str, name: str, tags: dict[str, str], status: str) -> None:
    """Raises AlreadyExists."""
    row = {
        "run_uuid": run_id,
        "name": name,
        "experiment_id": int(experiment_id),
        "artifact_uri": f"{artifact_location(folder)}/{run_id}/artifacts",
        "user_id": "unknown",
        "status": MLFLOW_STATUS[status],
        "start_time": now(),
        "lifecycle_stage": "active",
        "source_type": "UNKNOWN",
        **dict.fromkeys(("source_name", "entry_point_name", "source_version"), ""),
    }
    with transaction(folder) as connection:
        try:
            insert(connection, "runs", row)
        except sqlite3.IntegrityError as error:
            raise AlreadyExists(f"The workspace has a run {run_id!r} already; give another name.") from error
        kept = {**tags, NAME_TAG: name}
        connection.executemany(_SET_TAG, [(run_id, tag, value) for tag, value in kept.items()])


@outages.patiently
def give_number(folder: Path, experiment_id: str, run_id: str) -> None:
    """Number a run within its experiment; if it has its number, it keeps that."""
    with database.transaction(folder) as connection:
        connection.execute(
            "INSERT OR IGNORE INTO runs "
            "VALUES (?, ?, 1 + (SELECT coalesce(max(number), 0) FROM runs WHERE experiment_id=?))",
            (run_id, experiment_id, experiment_id),
        )


def get(folder: Path, run_id: str) -> StoredRun:
    """The run of this id. Raises NotFound."""
    for found in get_all(folder, [run_id] if isinstance(run_id, str) else []):
        return found
    raise _unknown(run_id)


@outages.patiently
def get_all(folder: Path, run_ids: list[str]) -> list[StoredRun]:
    """The runs of these ids, in this order; those that are not there are left out."""
    wanted = "run_uuid IN (SELECT value FROM json_each(?))"
    tags: dict[str, dict[str, str]] = {}
    with connected(folder) as connection:
        for run_id, name, value in connection.execute(
            f"SELECT run_uuid, key, value FROM tags WHERE {wanted}", (json.dumps(run_ids),)
        ):
            tags.setdefault(run_id, {})[name] = value
        found = {
            row[0]: StoredRun(row[0], str(row[1]), *row[2:], tags.get(row[0], {}))
            for row in connection.execute(f"{_COLUMNS} WHERE {wanted}", (json.dumps(run_ids),))
        }
    return [found[run_id] for run_id in run_ids if run_id in found]


@outages.patiently
def list_ids(folder: Path, experiment_id: str | None, tag: tuple[str, str] | None = None) -> list[str]:
    """The ids of an experiment's runs, or of all experiments', the newest first; with `tag`, of those that have it."""
    query, parameters = "SELECT run_uuid FROM runs WHERE lifecycle_stage='active'", []
    if experiment_id is not None:
        query += " AND experiment_id=?"
        parameters.append(int(experiment_id))
    if tag:
        query += " AND run_uuid IN (SELECT run_uuid FROM tags WHERE key=? AND value=?)"
        parameters += tag
    with connected(folder) as connection:
        return [row[0] for row in connection.execute(f"{query} ORDER BY start_time DESC, rowid DESC", parameters)]


@outages.patiently
def exists(folder: Path, run_id: str) -> bool:
    """Whether there is a run of this id."""
    if not isinstance(run_id, str) or not is_made(folder):
        return False
    with connected(folder) as connection:
        return bool(connection.execute("SELECT 1 FROM runs WHERE run_uuid=?", (run_id,)).fetchone())


def check(folder: Path, run_id: str) -> None:
    """Raises NotFound where there is no run of this id."""
    if not exists(folder, run_id):
        raise _unknown(run_id)


def _unknown(run_id: str) -> NotFound:
    return NotFound(f"The workspace has no run {run_id!r}.")


@contextmanager
def _changing(folder: Path, run_id: str) -> Iterator[sqlite3.Connection]:
    """A transaction that changes the run. Raises NotFound."""
    with transaction(folder) as connection:
        if not connection.execute("SELECT 1 FROM runs WHERE run_uuid=?", (run_id,)).fetchone():
            raise _unknown(run_id)
        yield connection


@outages.patiently
def set_status(folder: Path, run_id: str, status: str, error: dict | None = None) -> None:
    """Bring MLflow's status of the run up to Azure ML's; a final one also sets the end time. Raises NotFound."""
    with _changing(folder, run_id) as connection:
        connection.execute("UPDATE runs SET status=? WHERE run_uuid=?", (MLFLOW_STATUS[status], run_id))
        if status in FINAL:
            connection.execute("UPDATE runs SET end_time=? WHERE run_uuid=?", (now(), run_id))
        if error:
            connection.execute(_SET_TAG, (run_id, ERROR, _as_tag(error)))


def _as_tag(error: dict) -> str:
    """The error as JSON, with so much of its message as a tag can hold."""
    text = json.dumps(error)
    if len(text) > MOST_OF_ERROR:
        message = error["message"]
        # Six characters stand for one at most.
        kept = max(len(message) - (len(text) - MOST_OF_ERROR), MOST_OF_ERROR // 6 - 50)
        text = json.dumps(error | {"message": message[:kept]})
    return text


def set_tags(folder: Path, run_id: str, tags: Mapping[str, str], prefix: str = "") -> None:
    """Set tags, or properties with `prefix=PROPERTY`. Raises Invalid and NotFound."""
    _set(folder, run_id, stored(tags, prefix))


@outages.patiently
def _set(folder: Path, run_id: str, tags: Mapping[str, str]) -> None:
    with _changing(folder, run_id) as connection:
        connection.executemany(_SET_TAG, [(run_id, name, value) for name, value in tags.items()])


@outages.patiently
def remove_tag(folder: Path, run_id: str, name: str) -> None:
    """Remove a tag of the user's; a tag that is not there is no error. Raises NotFound."""
    if name not in told(get(folder, run_id).tags):
        return
    with _changing(folder, run_id) as connection:
        connection.execute("DELETE FROM tags WHERE run_uuid=? AND key=?", (run_id, key(name)))


@outages.patiently
def set_display_name(folder: Path, run_id: str, value: str) -> None:
    with _changing(folder, run_id) as connection:
        connection.execute("UPDATE runs SET name=? WHERE run_uuid=?", (value, run_id))
        connection.execute(_SET_TAG, (run_id, NAME_TAG, value))


def set_description(folder: Path, run_id: str, value: str) -> None:
    _set(folder, run_id, {DESCRIPTION: value})


def set_archived(folder: Path, run_id: str, archived: bool) -> None:
    """Keep a run out of lists, or bring it back. (MLflow's own deleted runs take no metrics any more.)"""
    _set(folder, run_id, {ARCHIVED: json.dumps(archived)})
