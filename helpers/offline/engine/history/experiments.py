"""Experiments, in the MLflow store."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.offline.engine.history.mlflow_store import artifact_location, connected, now, transaction
from helpers.offline.engine.history.tags import key, stored
from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import Invalid, NotFound

LONGEST_NAME = 500  # characters, as MLflow counts them
_COLUMNS = "SELECT experiment_id, name, lifecycle_stage, creation_time, last_update_time FROM experiments"


@dataclass(frozen=True)
class StoredExperiment:
    """Times are milliseconds since 1970."""

    id: str
    name: str
    archived: bool
    created: int | None
    modified: int | None
    tags: dict[str, str]


@outages.patiently
def create(folder: Path, name: str) -> str:
    """The id of the experiment, which is made if it is not there. Raises Invalid."""
    if len(name) > LONGEST_NAME:
        raise Invalid(f"The name of the experiment has {len(name)} characters; it holds up to {LONGEST_NAME}.")
    made = now()
    with transaction(folder) as connection:
        connection.execute(
            "INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time) "
            "VALUES (?, ?, 'active', ?, ?) ON CONFLICT DO NOTHING",
            (name, artifact_location(folder), made, made),
        )
        (found,) = connection.execute("SELECT experiment_id FROM experiments WHERE name=?", (name,)).fetchone()
    return str(found)


def get(folder: Path, name: str) -> StoredExperiment:
    """The experiment of this name, archived or not. Raises NotFound."""
    for found in _select(folder, "WHERE name=?", (name,)):
        return found
    raise NotFound(f"The workspace has no experiment {name!r}.")


def list_all(folder: Path) -> list[StoredExperiment]:
    """All experiments by name, those that are archived, too."""
    return _select(folder, "ORDER BY name", ())


@outages.patiently
def _select(folder: Path, which: str, parameters: tuple) -> list[StoredExperiment]:
    with connected(folder) as connection:
        tags: dict[int, dict[str, str]] = {}
        for one, name, value in connection.execute("SELECT experiment_id, key, value FROM experiment_tags"):
            tags.setdefault(one, {})[name] = value
        return [
            StoredExperiment(str(row[0]), row[1], row[2] != "active", row[3], row[4], tags.get(row[0], {}))
            for row in connection.execute(f"{_COLUMNS} {which}", parameters)
        ]


@outages.patiently
def set_archived(folder: Path, experiment_id: str, archived: bool) -> None:
    """Take an experiment and its runs out of MLflow's lists, which calls that deleted, or bring them back."""
    changed, stage = now(), "deleted" if archived else "active"
    with transaction(folder) as connection:
        connection.execute(
            "UPDATE experiments SET lifecycle_stage=?, last_update_time=? WHERE experiment_id=?",
            (stage, changed, int(experiment_id)),
        )
        connection.execute(
            "UPDATE runs SET lifecycle_stage=?, deleted_time=? WHERE experiment_id=?",
            (stage, changed if archived else None, int(experiment_id)),
        )


@outages.patiently
def set_tags(folder: Path, experiment_id: str, tags: Mapping[str, str]) -> None:
    """Set tags of the user's. Raises Invalid."""
    rows = [(int(experiment_id), name, value) for name, value in stored(tags).items()]
    with transaction(folder) as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO experiment_tags (experiment_id, key, value) VALUES (?, ?, ?)", rows
        )


@outages.patiently
def remove_tag(folder: Path, experiment_id: str, name: str) -> None:
    """Remove a tag of the user's."""
    with transaction(folder) as connection:
        connection.execute(
            "DELETE FROM experiment_tags WHERE experiment_id=? AND key=?", (int(experiment_id), key(name))
        )
