"""Processes that outlive whoever starts them, and that hold a lock on a file for as long as they live.

The kernel takes the lock away when the process ends, however it ends; so whoever finds the lock free knows that it is
gone. The lock is taken before the process starts, and inherited: there is no moment at which a live one has none.
"""

import fcntl
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from helpers.offline.engine.processes import machine, run_python

ENGINE = "helpers.offline.engine."  # begins the names of the modules that are started


def take_lock(path: Path) -> int | None:
    """A descriptor that holds the lock on the file, which is made with the folders above it; None while it is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    if take(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def is_held(path: Path) -> bool:
    """Whether a process holds the lock on the file."""
    descriptor = take_lock(path)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


def take(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock the file that is open at `descriptor`, for this process alone or LOCK_SH; False while another one does."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start(
    module: str,
    arguments: Iterable[object],
    lock: int,
    log: Path,
    variables: Mapping[str, str] | None = None,
    pass_on: Iterable[int] = (),
) -> subprocess.Popen:
    """Run `python -m module ARGUMENT… LOCK` in a session of its own, in the log's folder, its output added to `log`.

    `variables` are added to its environment variables, `pass_on` has other descriptors. The caller closes its own
    afterwards.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [run_python.own(), "-m", module, *map(str, arguments), str(lock)],
            cwd=log.parent,
            env=machine.engine_variables() | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[lock, *pass_on],
            start_new_session=True,
        )


def is_one(process: psutil.Process) -> bool:
    """Whether it is such a process of the engine's. Raises psutil.Error where it is gone."""
    command = process.cmdline()
    return command[1:2] == ["-m"] and "".join(command[2:3]).startswith(ENGINE)


def keep_lock(descriptor: str) -> None:
    """In the process that was started, with its last argument: keep the lock from the programs that it starts."""
    os.set_inheritable(int(descriptor), False)
