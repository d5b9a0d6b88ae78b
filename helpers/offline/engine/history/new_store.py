"""MLflow's client of a store, and new stores: copies of one that the set-up keeps, since making one takes seconds.

So does importing MLflow, which therefore happens inside the functions.
"""

import importlib.metadata
import logging
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from helpers.imports import quick_import
from helpers.offline.engine.processes import detached
from helpers.offline.engine.workspace import database


def load() -> None:
    """Import MLflow and what its SQLite store needs, which takes seconds.

    Without pandas it takes fewer, and only the tables that MLflow gives to users need that.
    """
    with quick_import(without=["pandas"] if detached.is_own() else []):
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401


def new_client(uri: str):
    """MLflow's client of the store at this address, which is made if it is not there."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # what it logs, is raised as well
    load()
    from mlflow import MlflowClient

    client = MlflowClient(uri, uri)
    for store in (client._tracking_client.store, client._get_registry_client().store):
        _wait_as_long_as_we(store.engine)
    return client


def _wait_as_long_as_we(engine) -> None:
    """Have MLflow wait for a lock as long as its address says: each of its sessions asks for 20 seconds instead."""
    from sqlalchemy import event

    def ours(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith("PRAGMA busy_timeout"):
            statement = f"PRAGMA busy_timeout = {int(1000 * database.BUSY_SECONDS)}"
        return statement, parameters

    event.listen(engine, "before_cursor_execute", ours, retval=True)


def make(path: Path) -> None:
    """Make an empty store there."""
    if not _is_copied(path):
        path.unlink(missing_ok=True)
        _make_anew(path)


def _is_copied(path: Path) -> bool:
    """Whether the kept one is there now; False where there is none, or one that is damaged."""
    try:
        shutil.copyfile(_kept(), path)
        with closing(sqlite3.connect(path)) as copy:
            copy.execute("SELECT 1 FROM experiments")
            return copy.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except (OSError, sqlite3.Error):
        return False


def keep() -> None:
    """Keep an empty store in this environment for others to be copied from. The set-up calls this."""
    kept = _kept()
    kept.parent.mkdir(parents=True, exist_ok=True)
    new = kept.with_suffix(".part")
    new.unlink(missing_ok=True)
    _make_anew(new)
    new.replace(kept)


def _kept() -> Path:
    return Path(sys.prefix, "share", "keras-azureml", f"mlflow-{importlib.metadata.version('mlflow')}.db")


def _make_anew(path: Path) -> None:
    with quick_import():  # MLflow's migrations are as many modules, one for each release that changed a table
        new_client(address(path)).search_experiments()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def address(path: Path) -> str:
    """As MLflow takes it."""
    return "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")
