"""The workspace's MLflow store: where it is, how it is opened, and what it holds of its own accord.

Its tables are read and written here, in the modules experiments, runs and metrics, and for models in assets: importing
MLflow takes a second of each process, and a call of it ten times as long as its query. What is written is row for row
what MLflow writes (tests/unit/test_mlflow_rows.py compares the two): whatever uses MLflow itself finds the workspace's
runs in its store, and what that makes is found here.
"""

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path

from helpers.offline.engine.history import new_store
from helpers.offline.engine.workspace import database, files, outages
from helpers.offline.engine.workspace.leftovers import STORE

RUN_TYPE = "azureml.runType"
COMMAND_JOB = "azureml.commandjob"  # the run type of a script that SDK v2 submits
# Azure has no such endpoint, so that MLflow 3 fails there wherever it logs a model (Azure/azure-sdk-for-python #44896).
LOGGED_MODEL = (
    "API request to endpoint /api/2.0/mlflow/logged-models failed with error code 404 != 200. Azure ML has none, so "
    "that log_model of MLflow 3 fails in a job there, and here. Call save_model with a path below outputs/ instead, "
    "and register the model from the files of the job."
)


def is_made(folder: Path) -> bool:
    return (folder / STORE).exists()


def make(folder: Path) -> None:
    """Make the store where there is none yet. Raises FolderError."""
    with outages.translated(folder):
        if not is_made(folder):
            _make_store(folder)
        _set_triggers(folder, (folder / STORE).stat().st_ino)


@contextmanager
def connected(folder: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the store, which is made at its first use. Raises FolderError."""
    make(folder)
    with _opened(folder) as connection:
        yield connection


@contextmanager
def transaction(folder: Path) -> Iterator[sqlite3.Connection]:
    """As connected(), with a transaction that no other process's can come between."""
    with connected(folder) as connection, database.whole(connection):
        yield connection


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    with outages.translated(folder), closing(database.open_file(folder / STORE)) as connection:
        yield connection


def tracking_uri(folder: Path) -> str:
    """The address of the store, as MLflow takes it."""
    return f"{new_store.address(folder / STORE)}?timeout={database.BUSY_SECONDS:.0f}"


def artifact_location(folder: Path) -> str:
    """Where MLflow puts the files of the workspace's runs: in <run id>/artifacts below this address."""
    return (folder / "artifacts").as_uri()


def logged_models(folder: Path, run_id: str) -> dict[str, Path]:
    """The folders of the models that MLflow 3 has logged with a run, by name: it keeps them beside the run's files."""
    if not is_made(folder):
        return {}
    with connected(folder) as connection:
        rows = connection.execute(
            "SELECT name, artifact_location FROM logged_models WHERE source_run_id=? AND lifecycle_stage='active' "
            "ORDER BY creation_timestamp_ms",
            (run_id,),
        ).fetchall()
    return {name: files.path_of(location) for name, location in rows}


def logged_model_name(folder: Path, location: str) -> str | None:
    """The name of the model that MLflow 3 has logged to this address; None where it has not."""
    with connected(folder) as connection:
        found = connection.execute("SELECT name FROM logged_models WHERE artifact_location=?", (location,)).fetchone()
    return found and found[0]


def insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    """Add a row, given as column to value."""
    places = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", [*row.values()])


def now() -> int:
    """The time as MLflow keeps it: milliseconds since 1970."""
    return int(time.time() * 1000)


def _make_store(folder: Path) -> None:
    """Create the database under a lock and under another name first: no process ever sees half of it."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_made(folder):
            return
        new = folder / "mlflow-new.db"
        new.unlink(missing_ok=True)
        new_store.make(new)
        new.rename(folder / STORE)


@lru_cache(maxsize=16)
def _set_triggers(folder: Path, inode: int) -> None:
    """Have the store itself hold what code that uses MLflow directly would do otherwise.

    The files of every experiment are in the workspace's folder: MLflow would put those of experiments that such code
    makes into `mlruns` below its working directory. And the command jobs of SDK v2 log no models: see LOGGED_MODEL.
    """
    location = artifact_location(folder)
    update = f"UPDATE experiments SET artifact_location='{location}' WHERE experiment_id="
    triggers = {
        "inside_from_the_start": f"AFTER INSERT ON experiments BEGIN {update} NEW.experiment_id; END",
        "inside_ever_after": f"AFTER UPDATE OF artifact_location ON experiments BEGIN {update} NEW.experiment_id; END",
        "no_logged_model": (
            "BEFORE INSERT ON logged_models WHEN EXISTS (SELECT 1 FROM runs JOIN tags USING (run_uuid) "
            f"WHERE key='{RUN_TYPE}' AND value='{COMMAND_JOB}' AND (run_uuid=NEW.source_run_id OR "
            # a script that has not started to use its run tells MLflow of none
            "NEW.source_run_id IS NULL AND experiment_id=NEW.experiment_id AND status IN ('RUNNING', 'SCHEDULED'))) "
            f"BEGIN SELECT RAISE(ABORT, '{LOGGED_MODEL}'); END"
        ),
    }
    wanted = {name: f"CREATE TRIGGER {name} {action}" for name, action in triggers.items()}
    with _opened(folder) as connection:
        if dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'").fetchall()) == wanted:
            return
        with database.whole(connection):
            for name, statement in wanted.items():
                connection.execute(f"DROP TRIGGER IF EXISTS {name}")
                connection.execute(statement)
            connection.execute(f"{update} 0")  # MLflow's own experiment "Default", made with the store
