"""Runs a program in a process group of its own, and ends it together with whatever it has started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import psutil

TICK = 0.05  # seconds between two looks at the program
LOOK = 0.2  # seconds between two calls of `look`
GRACE = 5.0  # seconds that a program has between SIGTERM and SIGKILL


def cores() -> int:
    """How many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(command: list[str], look: Callable[[], None], **settings) -> int:
    """Run a program to its end; its exit code.

    `look` is called a few times a second; what it raises ends the whole process group and is passed on. `settings` are
    subprocess.Popen's. Raises OSError where the program cannot be started.
    """
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **settings)
    next_look = 0.0
    try:
        while True:
            try:
                return process.wait(TICK)
            except subprocess.TimeoutExpired:
                pass
            if time.monotonic() > next_look:
                next_look = time.monotonic() + LOOK
                look()
    except BaseException:
        end_group(process)
        raise


def end_group(process: subprocess.Popen) -> None:
    """SIGTERM for the process's whole group, SIGKILL for what is left of it after the grace."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def end_marked(variable: str, value: str) -> None:
    """Kill every process with this value in its environment: a program's children, wherever they went."""
    own, killed = os.getpid(), []
    for process in psutil.process_iter():
        try:
            if process.pid != own and process.environ().get(variable) == value:
                process.kill()
                killed.append(process)
        except (psutil.Error, OSError):  # gone, or not ours
            continue
    psutil.wait_procs(killed, timeout=10)
