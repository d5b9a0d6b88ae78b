"""The offline workspace's folder: where it is, what it holds, how it is made."""

import contextlib
import fcntl
import os
import shutil
import sqlite3
from pathlib import Path

from helpers.offline.engine.workspace import database, leftovers, outages
from helpers.offline.engine.workspace.errors import FolderError, FolderUnreadable, StoreUnavailable

VARIABLE = "AZUREML_OFFLINE_FOLDER"
REPOSITORY = Path(__file__).resolve().parents[4]
PARTS = ("artifacts", "datastores", "environments", "models", "runs", "services", "snapshots", "uploads", "web")

_opened: dict[Path, tuple[int, int]] = {}


def offline_folder() -> Path:
    """The folder that the environment names, or `.offline` at the top of the repository."""
    return Path(os.environ.get(VARIABLE) or REPOSITORY / ".offline").expanduser().resolve()


def open_folder(path: Path | None = None) -> Path:
    """The workspace in `path` (by default `offline_folder()`), made if it is not there.

    What killed processes have left half done is swept away, when this process opens it first.

    Raises FolderError where the folder cannot be written, is something else, or was made by a newer version, and
    FolderUnreadable where it is damaged or was made by an older one.
    """
    folder = Path(path).expanduser().resolve() if path else offline_folder()
    if _opened.get(folder) == (identity := _identity(folder)) and identity:
        return folder
    _opened.pop(folder, None)
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)  # jobs' environment variables are in it, and so may be secrets
        refuse_foreign(folder)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two first openings at once: one makes it
            for part in PARTS:
                (folder / part).mkdir(exist_ok=True)
            _open_database(folder)
    except (OSError, sqlite3.DatabaseError) as error:
        fault = outages.told(folder, error)
        if isinstance(fault, (FolderUnreadable, StoreUnavailable)):
            raise fault from error
        raise FolderError(
            f"The offline workspace in {folder} cannot be written ({error}). Give the folder write permission, "
            f"or set {VARIABLE} to a folder of your own."
        ) from error
    leftovers.sweep(folder)
    _opened[folder] = _identity(folder)
    return folder


def refuse_foreign(folder: Path) -> None:
    """Raise FolderError for a folder that holds something else than an offline workspace."""
    if not database.database_path(folder).exists() and any(
        entry.name not in (*PARTS, ".lock") for entry in folder.iterdir()
    ):
        raise FolderError(
            f"{folder} holds other files and is no offline workspace. Set {VARIABLE} to an empty or new folder."
        )


def remove(folder: Path) -> None:
    """Delete the workspace's folder, in which nothing may run any more; another process may be at it, too.

    Raises FolderError where something in it cannot be deleted.
    """
    tried = False
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue
        except OSError as error:  # it may not be written, or something was put into it meanwhile
            if tried:
                raise FolderError(
                    f"{error.filename} cannot be deleted ({error.strerror}). Delete it, and try again."
                ) from None
            _allow_to_write(folder)
            tried = True
    _opened.pop(folder, None)


def _allow_to_write(folder: Path) -> None:
    """Allow to write in all folders below this one, as far as they are ours: a job may have forbidden it."""
    for place, names, _ in os.walk(folder):
        for below in [Path(place, name) for name in names]:
            if not below.is_symlink():
                with contextlib.suppress(OSError):
                    below.chmod(0o700)


def _identity(folder: Path) -> tuple[int, int] | None:
    """Tells a folder from one that was deleted and made again at the same place; None where it has to be looked at."""
    try:
        status = database.database_path(folder).stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_size else None


def _open_database(folder: Path) -> None:
    connection = database.connect(folder, create=True)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > database.VERSION:
            raise FolderError(
                f"The offline workspace in {folder} was made by a newer version of this project (format {version}, "
                f"this one knows {database.VERSION}). Update the project, or set {VARIABLE} to another folder."
            )
        if 0 < version < database.VERSION:
            raise FolderUnreadable(
                f"The offline workspace in {folder} was made by an older version of this project (format {version}, "
                f"this one has {database.VERSION}). `make clean` removes it and starts anew; or set {VARIABLE} to "
                "another folder."
            )
        if version == 0 and (folder / leftovers.STORE).exists():
            raise FolderUnreadable(
                f"The offline workspace in {folder} is damaged: {database.database_path(folder).name} is empty, though "
                "there are runs. `make clean` removes the workspace and starts anew."
            )
        if version == 0:
            connection.executescript(f"BEGIN; {database.SCHEMA} PRAGMA user_version={database.VERSION}; COMMIT;")
        connection.execute("BEGIN IMMEDIATE")  # fails here, not at the first submit, where it is read-only
        connection.execute("ROLLBACK")
    finally:
        connection.close()
