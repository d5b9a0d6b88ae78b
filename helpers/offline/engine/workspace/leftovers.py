"""What a killed process has left half done: files that are not whole, and folders that nothing in the workspace owns.

Whoever makes such a thing holds a lock on it meanwhile, which the kernel takes away from a process that ends, however
it ends. So what is neither owned nor locked has nobody any more, and is deleted when the workspace is opened next.
"""

import contextlib
import fcntl
import os
import re
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

STORE = "mlflow.db"  # history's, and the registry of models
SUPERVISOR_LOCK = "supervisor.lock"  # in the folder of a run or service: held for as long as its process lives
UPLOAD_SECONDS = 24 * 3600.0  # after which an upload that nothing was added to is given up

_WITH_FILES = ("artifacts", "datastores", "snapshots", "uploads", "web")  # parts of the workspace, at any depth
_FOLDERS = {  # what is made as a folder: which database and query tell the paths of those that are owned
    "models/*/*": (STORE, "SELECT source FROM model_versions"),
    "services/*": ("assets.db", "SELECT json_extract(body, '$.id') FROM assets"),
    "runs/*": ("assets.db", "SELECT run_id FROM jobs"),
}


def partial_path(target: Path) -> Path:
    """A path beside `target` for a file that is not whole yet."""
    return target.with_name(f".partial-{uuid.uuid4().hex}")


def is_partial(name: str) -> bool:
    """Whether a file's name is one that partial_path() gives."""
    return re.fullmatch(r"\.partial-[0-9a-f]+", name) is not None


def making_file(path: Path):
    """Make an empty file, which no opening of the workspace deletes until the block is left."""
    return _making(path, lambda: path.touch(exist_ok=False))


def making_folder(path: Path, mode: int = 0o777):
    """Make a folder and those above it; no opening of the workspace deletes it until the block is left.

    Raises FileExistsError.
    """
    return _making(path, lambda: path.mkdir(mode, parents=True))


@contextmanager
def removed_if_refused(folder: Path) -> Iterator[None]:
    """Within, an exception has the folder, which somebody is making, deleted."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def delete(path: Path) -> None:
    """Delete a file or folder, unless somebody is making it."""
    _delete_unless(path, lambda: False)


def sweep(folder: Path) -> None:
    """Delete what nobody owns and nobody is making. What cannot be read or deleted now is left to the next time."""
    with contextlib.suppress(OSError, sqlite3.Error):
        for path in _partials(folder):
            delete(path)
        if (folder / STORE).exists():  # without it, nothing tells what is owned
            for pattern, question in _FOLDERS.items():
                _sweep_folders(folder, pattern, *question)
        for path in folder.glob("uploads/*"):
            _give_up(path)


def _sweep_folders(folder: Path, pattern: str, store: str, query: str) -> None:
    def owned() -> set[str]:
        with contextlib.closing(sqlite3.connect(f"{(folder / store).as_uri()}?mode=ro", uri=True)) as connection:
            return {str(row[0]).rpartition("/")[2] for row in connection.execute(query)}

    there = owned()
    for path in folder.glob(pattern):
        if path.name not in there and path.is_dir() and not path.is_symlink():
            _delete_unless(path, lambda path=path: path.name in owned())  # it may have found its owner meanwhile


def _partials(folder: Path) -> Iterator[Path]:
    for part in _WITH_FILES:
        for parent, _, names in os.walk(folder / part):
            yield from (Path(parent, name) for name in names if is_partial(name))
    for part in ("runs", "services"):  # deeper down the files are a script's
        yield from (path for path in folder.glob(f"{part}/*/.partial-*") if is_partial(path.name))


def _give_up(upload: Path) -> None:
    newest = max(path.stat().st_mtime for path in (upload, *upload.rglob("*")))
    if time.time() - newest > UPLOAD_SECONDS:
        shutil.rmtree(upload, ignore_errors=True)


def _delete_unless(path: Path, is_owned: Callable[[], bool]) -> None:
    """Delete a file or folder that nobody has a lock on and that is not owned."""
    with contextlib.ExitStack() as stack:
        for locked in (path, path / SUPERVISOR_LOCK) if path.is_dir() else (path,):
            if locked.exists():
                descriptor = _lock(locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if descriptor is None:
                    return
                stack.callback(os.close, descriptor)
        if is_owned():
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def _making(path: Path, make: Callable[[], None]) -> Iterator[None]:
    while True:
        make()
        descriptor = _lock(path, fcntl.LOCK_EX)
        if descriptor is not None:
            break
        # An opening came between the two, and has deleted it.
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(path: Path, kind: int) -> int | None:
    """A descriptor that holds the lock on what lies at `path`; None where another has it, or it is gone."""
    try:
        # On NFS nothing but a file that is open for writing can be locked for oneself alone (Linux's flock(2)).
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, kind)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
