"""Versions of models in MLflow's registry: its tables, as history.mlflow_store has them."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.offline.engine.history.mlflow_store import connected, insert, now, transaction
from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import AlreadyExists

_THERE = "current_stage != 'Deleted_Internal'"
_OF_NO_PROMPT = (  # MLflow keeps prompts for language models among the models
    "name NOT IN (SELECT name FROM registered_model_tags WHERE key='mlflow.prompt.is_prompt' AND lower(value)='true')"
)
_SET_TAG = "INSERT OR REPLACE INTO model_version_tags (name, version, key, value) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True)
class StoredVersion:
    """Created is milliseconds since 1970; source is the address of the files, tags are MLflow's."""

    name: str
    version: int
    created: int
    description: str | None
    source: str
    run_id: str | None
    tags: dict[str, str]


@outages.patiently
def list_all(folder: Path, name: str | None = None) -> list[StoredVersion]:
    """The versions of a model, or of all."""
    which, parameters = ("", ()) if name is None else ("AND name=?", (name,))
    tags: dict[tuple[str, int], dict[str, str]] = {}
    with connected(folder) as connection:
        for model, version, key, value in connection.execute(
            f"SELECT name, version, key, value FROM model_version_tags WHERE 1 {which}", parameters
        ):
            tags.setdefault((model, version), {})[key] = value
        return [
            StoredVersion(*row, tags.get(row[:2], {}))
            for row in connection.execute(
                "SELECT name, version, creation_time, description, coalesce(storage_location, source), run_id "
                f"FROM model_versions WHERE {_THERE} AND {_OF_NO_PROMPT} {which}",
                parameters,
            )
        ]


@outages.patiently
def add(
    folder: Path,
    name: str,
    version: int | None,
    source: str,
    *,
    run_id: str | None,
    tags: Mapping[str, str],
    description: str,
) -> int:
    """A new version's number: the next one of the model, or the one that is given. Raises AlreadyExists."""
    made = now()
    with transaction(folder) as connection:
        connection.execute(
            "INSERT INTO registered_models (name, creation_time, last_updated_time) VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET last_updated_time=excluded.last_updated_time",
            (name, made, made),
        )
        if version is None:
            (version,) = connection.execute(
                "SELECT 1 + coalesce(max(version), 0) FROM model_versions WHERE name=?", (name,)
            ).fetchone()
        row = {
            "name": name,
            "version": version,
            "creation_time": made,
            "last_updated_time": made,
            "description": description,
            "current_stage": "None",
            "source": source,
            "storage_location": source,
            "run_id": run_id,
            "status": "READY",
        }
        try:
            insert(connection, "model_versions", row)
        except sqlite3.IntegrityError as error:
            raise AlreadyExists(f"The model {name!r} has a version {version} already.") from error
        connection.executemany(_SET_TAG, [(name, version, key, value) for key, value in tags.items()])
    return version


@outages.patiently
def update(
    folder: Path,
    name: str,
    version: int,
    *,
    set_tags: Mapping[str, str],
    removed_tags: list[str],
    description: str | None,
) -> None:
    """Change what is told of a version; a description of None leaves it as it is."""
    with transaction(folder) as connection:
        connection.executemany(_SET_TAG, [(name, version, key, value) for key, value in set_tags.items()])
        connection.executemany(
            "DELETE FROM model_version_tags WHERE name=? AND version=? AND key=?",
            [(name, version, key) for key in removed_tags],
        )
        if description is not None:
            connection.execute(
                "UPDATE model_versions SET description=?, last_updated_time=? WHERE name=? AND version=?",
                (description, now(), name, version),
            )


@outages.patiently
def delete(folder: Path, name: str, version: int) -> None:
    """Delete a version as MLflow does: its number is not given again."""
    changed = now()
    with transaction(folder) as connection:
        connection.execute("UPDATE registered_models SET last_updated_time=? WHERE name=?", (changed, name))
        connection.execute("DELETE FROM registered_model_aliases WHERE name=? AND version=?", (name, version))
        connection.execute(
            "UPDATE model_versions SET current_stage='Deleted_Internal', last_updated_time=?, description=NULL, "
            "user_id=NULL, source='REDACTED-SOURCE-PATH', run_id='REDACTED-RUN-ID', run_link='REDACTED-RUN-LINK', "
            "status_message=NULL WHERE name=? AND version=?",
            (changed, name, version),
        )
