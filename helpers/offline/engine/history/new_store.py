"""New MLflow stores: copies of one that the set-up keeps, since MLflow takes seconds to be imported and to make one."""

import importlib.metadata
import logging
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from helpers.imports import quick_import
from helpers.offline.engine.workspace import telemetry


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
    os.environ.update(telemetry.OFF)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # what it logs, is raised as well
    with quick_import():  # MLflow's migrations are as many modules, one for each release that changed a table
        from mlflow import MlflowClient

        MlflowClient(address(path), address(path)).search_experiments()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def address(path: Path) -> str:
    """As MLflow takes it."""
    return "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")
