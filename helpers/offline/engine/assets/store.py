"""Named and versioned things: datasets, computes, environments, services and whatever else is kept by name."""

import json
import sqlite3
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from helpers.offline.engine.workspace import database, outages
from helpers.offline.engine.workspace.errors import NotFound


@dataclass(frozen=True)
class Asset:
    kind: str
    name: str
    version: int
    id: str
    body: dict
    created: str
    modified: str


@outages.patiently
def add(folder: Path, kind: str, name: str, body: dict) -> Asset:
    """Store `body` as the next version of `name`; two at once get two versions."""
    with database.transaction(folder) as connection:
        return _insert(connection, kind, name, body)


@outages.patiently
def add_if(folder: Path, kind: str, name: str, choose: Callable[[Asset | None], dict | Asset]) -> Asset:
    """Decide on the latest version, in one transaction, whether a next one is made.

    `choose` is given the latest version, or None, and returns the next version's body, the asset to keep, or raises.
    """
    with database.transaction(folder) as connection:
        chosen = choose(_latest(connection, kind, name))
        return chosen if isinstance(chosen, Asset) else _insert(connection, kind, name, chosen)


def get(folder: Path, kind: str, name: str, version: int | None = None) -> Asset:
    """A version of `name`, the latest by default. Raises NotFound."""
    if version is None:
        found = database.rows(
            folder, "SELECT * FROM assets WHERE kind=? AND name=? ORDER BY version DESC LIMIT 1", (kind, name)
        )
    else:
        found = database.rows(
            folder, "SELECT * FROM assets WHERE kind=? AND name=? AND version=?", (kind, name, version)
        )
    if not found:
        known = [asset.name for asset in list_latest(folder, kind)]
        wanted = f"{name!r}" if version is None else f"{name!r} version {version}"
        there = f"There are: {', '.join(known)}." if known else "There is none yet."
        raise NotFound(f"The workspace has no {kind} {wanted}. {there}")
    return _asset(found[0])


def get_by_id(folder: Path, kind: str, id: str) -> Asset:
    """The asset with this id. Raises NotFound."""
    found = database.rows(folder, "SELECT * FROM assets WHERE kind=? AND id=?", (kind, id))
    if not found:
        raise NotFound(f"The workspace has no {kind} with the id {id!r}.")
    return _asset(found[0])


def list_latest(folder: Path, kind: str, beginning: str = "") -> list[Asset]:
    """The latest version of each name, by name: of all names, or of those that begin so."""
    query = """SELECT * FROM assets AS a WHERE kind=? AND name>=? AND name<? AND version=
               (SELECT max(version) FROM assets AS b WHERE b.kind=a.kind AND b.name=a.name) ORDER BY name"""
    return [_asset(row) for row in database.rows(folder, query, (kind, beginning, f"{beginning}{chr(sys.maxunicode)}"))]


def versions(folder: Path, kind: str, name: str) -> list[Asset]:
    """Every version of `name`, the first one first."""
    query = "SELECT * FROM assets WHERE kind=? AND name=? ORDER BY version"
    return [_asset(row) for row in database.rows(folder, query, (kind, name))]


@outages.patiently
def update(folder: Path, kind: str, name: str, version: int, change: Callable[[dict], dict]) -> Asset:
    """Replace a version's body by `change(body)`, in one transaction. Raises NotFound."""
    with database.transaction(folder) as connection:
        key = (kind, name, version)
        found = connection.execute("SELECT * FROM assets WHERE kind=? AND name=? AND version=?", key).fetchone()
        if found is None:
            raise NotFound(f"The workspace has no {kind} {name!r} version {version}.")
        body = json.dumps(change(json.loads(found["body"])))
        connection.execute(
            "UPDATE assets SET body=?, modified=? WHERE kind=? AND name=? AND version=?",
            (body, database.now(), *key),
        )
        return _asset(connection.execute("SELECT * FROM assets WHERE kind=? AND name=? AND version=?", key).fetchone())


@outages.patiently
def remove(folder: Path, kind: str, name: str) -> None:
    """Delete every version of `name`. Raises NotFound."""
    with database.transaction(folder) as connection:
        if not connection.execute("DELETE FROM assets WHERE kind=? AND name=?", (kind, name)).rowcount:
            raise NotFound(f"The workspace has no {kind} {name!r}.")


def _insert(connection: sqlite3.Connection, kind: str, name: str, body: dict) -> Asset:
    latest = _latest(connection, kind, name)
    time = database.now()
    asset = Asset(kind, name, latest.version + 1 if latest else 1, str(uuid.uuid4()), body, time, time)
    connection.execute(
        "INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?, ?)",
        (kind, name, asset.version, asset.id, json.dumps(body), time, time),
    )
    return asset


def _latest(connection: sqlite3.Connection, kind: str, name: str) -> Asset | None:
    found = connection.execute(
        "SELECT * FROM assets WHERE kind=? AND name=? ORDER BY version DESC LIMIT 1", (kind, name)
    ).fetchone()
    return _asset(found) if found else None


def _asset(row: sqlite3.Row) -> Asset:
    return Asset(**{**row, "body": json.loads(row["body"])})
