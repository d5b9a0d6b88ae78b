"""Runs programs, each in a process group of its own, and ends them together with whatever they have started."""

import contextlib
import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psutil

TICK = 0.05  # seconds between two looks at the program
LOOK = 0.2  # seconds between two calls of `look`
GRACE = 5.0  # seconds that a program has between SIGTERM and SIGKILL
SET_CHILD_SUBREAPER = 36  # of Linux's prctl


def cores() -> int:
    """How many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(command: list[str], look: Callable[[], None], **settings) -> int:
    """Run a program to its end; its exit code.

    `look` is called a few times a second; what it raises ends the whole process group and is passed on. `settings` are
    subprocess.Popen's. Raises OSError where the program cannot be started.
    """
    return run_together(command, look, [settings])[1]


def run_together(command: list[str], look: Callable[[], None], settings: list[dict]) -> tuple[int, int]:
    """Run a program several times at once, as many as there are `settings`; see run().

    When one of them fails all end. Returns the number of that one, or else of any, and its exit code.
    """
    running, ended = [], queue.SimpleQueue()
    next_look = 0.0
    try:
        for number, own in enumerate(settings):
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **own)
            running.append(process)
            # Threads that wait tell in which order the processes ended: the first to fail made others fail.
            threading.Thread(target=lambda n=number, p=process: ended.put((n, p.wait())), daemon=True).start()
        left = len(running)
        while True:
            with contextlib.suppress(queue.Empty):
                number, exit_code = ended.get(timeout=TICK)
                left -= 1
                if exit_code or not left:
                    break
            if time.monotonic() > next_look:
                next_look = time.monotonic() + LOOK
                look()
    except BaseException:
        end_groups(running)
        raise
    if left:
        end_groups(running)
    return number, exit_code


def end_groups(processes: list[subprocess.Popen]) -> None:
    """SIGTERM for the processes' whole groups, SIGKILL for what is left of them after the grace."""
    groups = {process.pid for process in processes}
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE
        for group in groups:
            # PermissionError is macOS's where all of a group have ended, and one is not waited for yet.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
        # Not for the programs alone: a shell ends at once, while what it has started may still be saving something.
        while _is_left(groups) and time.monotonic() < deadline:
            time.sleep(TICK)
    for process in processes:
        process.wait()


def _is_left(groups: set[int]) -> bool:
    """Whether a process of one of these groups has not ended."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # gone, or not ours
            if os.getpgid(process.pid) in groups and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def adopt_orphans() -> None:
    """Be the parent of whatever process below this one has lost its own, as one that detaches itself (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_children(spared: Callable[[psutil.Process], bool]) -> None:
    """Kill every process below this one, but not those that are `spared` and what is below them."""
    deadline = time.monotonic() + GRACE
    while (left := list(_below(psutil.Process(), spared))) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=GRACE)


def _below(parent: psutil.Process, spared: Callable[[psutil.Process], bool]) -> Iterator[psutil.Process]:
    for child in parent.children() if parent.is_running() else ():
        try:
            if spared(child):
                continue
        except psutil.Error:  # it has ended, and only waits to be noticed
            pass
        yield child
        yield from _below(child, spared)


def end_marked(marks: dict[str, str]) -> None:
    """Kill every process with all these variables in its environment: a program's children, wherever they went."""
    end_where(lambda process: marks.items() <= process.environ().items())


def signal_name(number: int) -> str:
    """The name of a signal; real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def end_where(is_meant: Callable[[psutil.Process], bool]) -> None:
    """Kill every process but this one that is meant, and wait until it is gone."""
    own, killed = os.getpid(), []
    for process in psutil.process_iter():
        try:
            if process.pid != own and is_meant(process):
                process.kill()
                killed.append(process)
        except (psutil.Error, OSError):  # gone, or not ours
            continue
    psutil.wait_procs(killed, timeout=10)
