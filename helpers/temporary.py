"""Folders that last as long as their process; what one that was killed has left, the next deletes that makes one."""

import atexit
import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

PREFIX = "keras-azureml-"  # of the names of the folders around those that notebooks get


def new_folder(name: str) -> Path:
    """An empty folder of this name, which is deleted when the kernel ends."""
    around, delete = own_folder(PREFIX, Path(tempfile.gettempdir()))
    atexit.register(delete)
    (folder := around / name).mkdir()
    return folder


def own_folder(prefix: str, parent: Path) -> tuple[Path, Callable[[], None]]:
    """A new folder in `parent`, and what deletes it. It has a lock, which this process holds for as long as it lives.

    Folders of this prefix whose lock nobody holds have lost their process, and are deleted.
    """
    for left in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # in use, or deleted by another process at this moment
            if left.lstat().st_uid == os.getuid():
                _delete(left, _lock(left))
    new = Path(tempfile.mkdtemp(prefix=f"new-{prefix}", dir=parent))
    lock = _lock(new)
    folder = new.rename(parent / new.name.removeprefix("new-"))  # under its name it is never without the lock
    return folder, functools.partial(_delete, folder, lock)


def _lock(folder: Path) -> int:
    """The lock of a folder. Raises OSError where another process has it."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def _delete(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
