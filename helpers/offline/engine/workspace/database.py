"""The SQLite file beside the MLflow store: what MLflow has no notion of."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import NotFound

BUSY_SECONDS = 60.0  # that a connection waits for another one's lock
VERSION = 3  # of the folder's format; kept in the file's user_version

SCHEMA = """
CREATE TABLE assets (
    kind TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL, created TEXT NOT NULL, modified TEXT NOT NULL,
    PRIMARY KEY (kind, name, version));
CREATE TABLE jobs (
    run_id TEXT PRIMARY KEY, parent_id TEXT,
    target TEXT NOT NULL, nodes INTEGER NOT NULL, status TEXT NOT NULL, stages TEXT NOT NULL,
    submitted REAL NOT NULL, cancel_requested INTEGER NOT NULL DEFAULT 0,
    outcome TEXT, exit_code INTEGER, error TEXT,
    carried INTEGER NOT NULL DEFAULT 0, counts TEXT NOT NULL DEFAULT '{}');
CREATE INDEX jobs_by_status ON jobs (status);
CREATE TABLE nodes (
    cluster TEXT NOT NULL, number INTEGER NOT NULL, run_id TEXT, since REAL NOT NULL,
    PRIMARY KEY (cluster, number));
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, experiment_id TEXT NOT NULL, number INTEGER NOT NULL,
    UNIQUE (experiment_id, number));
CREATE TABLE metric_tables (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL, value TEXT NOT NULL);
CREATE TABLE metric_kinds (
    run_id TEXT NOT NULL, name TEXT NOT NULL, whole INTEGER NOT NULL, infinite INTEGER NOT NULL,
    PRIMARY KEY (run_id, name));
CREATE INDEX metric_tables_by_run ON metric_tables (run_id);
"""
INSERT_TABLE = "INSERT INTO metric_tables (run_id, name, type, value) VALUES (?, ?, ?, ?)"


def now() -> str:
    """The time as ISO 8601 in UTC, to the microsecond."""
    return iso(time.time())


def iso(seconds: float) -> str:
    """A moment, in seconds since 1970, as now() tells the time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def database_path(folder: Path) -> Path:
    return folder / "assets.db"


def connect(folder: Path, create: bool = False) -> sqlite3.Connection:
    connection = open_file(database_path(folder), "rwc" if create else "rw")
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    return connection


def open_file(path: Path, mode: str = "rw") -> sqlite3.Connection:
    """A connection to a database, which waits for the locks of others."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    # With WAL, a commit costs no fsync then, yet survives the death of any process.
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


@contextmanager
def transaction(folder: Path) -> Iterator[sqlite3.Connection]:
    """A read-and-write transaction that no other process's can come between. Raises FolderError."""
    with outages.translated(folder), closing(connect(folder)) as connection, whole(connection):
        yield connection


@contextmanager
def whole(connection: sqlite3.Connection) -> Iterator[None]:
    """What is done within is done whole or not at all, and nothing of another process's comes between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a fault may have ended it
            connection.execute("ROLLBACK")
        raise


@outages.patiently
def rows(folder: Path, query: str, parameters: tuple = ()) -> list[sqlite3.Row]:
    """All rows of one reading query. Raises FolderError, and NotFound where it asks for what no name is, as a list."""
    with outages.translated(folder), closing(connect(folder)) as connection:
        try:
            return connection.execute(query, parameters).fetchall()
        except sqlite3.ProgrammingError as error:
            wrong = [value for value in parameters if not isinstance(value, (str, int, float, type(None)))]
            if not wrong:
                raise
            raise NotFound(f"The workspace has nothing by the name {wrong[0]!r}: a name is a text.") from error
