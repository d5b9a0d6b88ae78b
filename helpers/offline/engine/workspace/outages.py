"""Faults of the store: SQLite's, MLflow's on SQLite, the disk's. Told in words, and waited for where there is time."""

import errno
import functools
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path

from helpers.offline.engine.workspace.errors import (
    EngineError,
    FolderError,
    FolderUnreadable,
    Invalid,
    StoreUnavailable,
)

PAUSE = 5.0  # seconds between two tries
LEAST_ROOM = 1 << 20  # bytes; with less than this a disk is full
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
OTHER_TABLES = re.compile(r"no such (table|column)|has no column")  # as where a later MLflow has had the store

_patient: ContextVar[bool] = ContextVar("patient", default=False)


def translated(folder: Path) -> AbstractContextManager[None]:
    """Within, a fault of the store leaves as FolderError, FolderUnreadable or StoreUnavailable, with advice.

    A text that no store can keep leaves as Invalid.
    """
    return _telling(lambda error: told(folder, error) or _no_text(error))


def check_text(text: str) -> None:
    """Raises Invalid for a text that no store can keep; for where it is to be known before it is written."""
    with _telling(_no_text):
        text.encode()


def writing(path: Path) -> AbstractContextManager[None]:
    """Within, a full disk leaves as StoreUnavailable, which tells the path that is written: any, a user's own too."""
    return _telling(lambda error: _full(str(path)) if any(map(_is_no_room, _causes(error))) else None)


@contextmanager
def _telling(fault_of: Callable[[Exception], EngineError | None]) -> Iterator[None]:
    """Within, an error that is such a fault leaves as it."""
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise fault from error


@contextmanager
def patience() -> Iterator[None]:
    """Within, and in this thread alone, what is patiently() done waits for a store that is locked or full."""
    token = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(token)


def patiently(function: Callable) -> Callable:
    """A function that is done whole or not at all, done again while the store is unavailable to who has patience()."""

    @functools.wraps(function)
    def waiting(*arguments, **named):
        while True:
            try:
                return function(*arguments, **named)
            except StoreUnavailable as fault:
                if not _patient.get():
                    raise
                wait(fault)

    return waiting


def wait(fault: StoreUnavailable) -> None:
    """Wait until it makes sense to try again, and say so."""
    print(f"Waiting. {fault}", file=sys.stderr, flush=True)
    time.sleep(PAUSE)


def told(folder: Path, error: BaseException) -> FolderError | None:
    """The fault of the store in `folder` that an error is, or follows from; None where it is no such fault."""
    for cause in _causes(error):
        if isinstance(cause, FolderError):
            return cause
        if isinstance(cause, sqlite3.DatabaseError):
            return _of_sqlite(folder, cause)
        if _is_no_room(cause):
            return _full(f"the offline workspace in {folder}")
        if isinstance(cause, FileNotFoundError) and not folder.exists():
            return _gone(folder)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it follows from; SQLAlchemy has SQLite's as `orig`."""
    seen = set()
    todo = [error]
    while todo:
        cause = todo.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            todo += [getattr(cause, "orig", None), cause.__cause__, cause.__context__]


def _of_sqlite(folder: Path, error: sqlite3.DatabaseError) -> FolderError | None:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    if not folder.exists() or code == sqlite3.SQLITE_READONLY_DBMOVED:
        return _gone(folder)
    primary = code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreUnavailable(
            f"The offline workspace in {folder} is busy: another process keeps its database locked. Try again; if it "
            "stays so, look for a program that has the database open, such as a browser of databases or a backup."
        )
    if primary == sqlite3.SQLITE_FULL or (
        primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and not _has_room(folder)
    ):
        return _full(f"the offline workspace in {folder}")
    if primary == sqlite3.SQLITE_IOERR:
        return StoreUnavailable(
            f"The disk that holds the offline workspace in {folder} cannot be read or written ({error}). "
            "Look to the disk, and try again."
        )
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return FolderError(
            f"The offline workspace in {folder} cannot be written ({error}). Give yourself write permission to the "
            "folder and to what is in it."
        )
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or OTHER_TABLES.search(str(error)):
        return FolderUnreadable(
            f"The offline workspace in {folder} is damaged ({error}). `make clean` removes it and starts anew."
        )
    return None


def tells_of_no_room(output: str) -> bool:
    """Whether a program says in its output that a disk is full."""
    return any(os.strerror(code) in output for code in NO_ROOM)


def _is_no_room(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in NO_ROOM


def _no_text(error: BaseException) -> Invalid | None:
    """Half of a pair of UTF-16, as Python has for a byte of a file's name that is no text."""
    if not isinstance(error, UnicodeEncodeError):
        return None
    return Invalid(
        f"{error.object!r} is no text: character {error.start + 1} of it stands for none. "
        "`text.encode(errors='replace').decode()` has a question mark there."
    )


def _full(held: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The disk that holds {held} is full. Make room, and try again: what was kept until now is kept."
    )


def _gone(folder: Path) -> FolderError:
    return FolderError(
        f"The offline workspace in {folder} is gone: it was reset or deleted, and its runs with it. Run the notebook "
        "again from its first cell, in a fresh kernel."
    )


def _has_room(folder: Path) -> bool:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize >= LEAST_ROOM and (disk.f_favail > 0 or disk.f_files == 0)
