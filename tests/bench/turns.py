"""Programs that take turns, a second or so each: what else the machine does meanwhile meets them all alike.

A program says "ready" when it is, does its work once for each line that it reads, and prints how many seconds it took.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager


def in_turns(programs: dict[str, tuple[list, dict[str, str]]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each program in each round. A program is a Python file with its arguments, and variables."""
    found = {name: [] for name in programs}
    with ExitStack() as ends:
        workers = {name: ends.enter_context(running(*program)) for name, program in programs.items()}
        for _ in range(rounds):
            for name, work in workers.items():
                found[name].append(work())
    return found


@contextmanager
def running(command: list, variables: dict[str, str]) -> Iterator[Callable[[], float]]:
    """Start a program and wait until it is ready; yields what has it do its work once, and returns the seconds.

    A program that fails ends the bench with what it wrote to stderr.
    """
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=os.environ | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):

        def answer() -> str:
            line = process.stdout.readline().strip()
            if not line:
                errors.seek(0)
                sys.exit(f"{command} failed:\n{errors.read()}")
            return line

        def work() -> float:
            process.stdin.write("go\n")
            process.stdin.flush()
            return float(answer())

        try:
            assert answer() == "ready"
            yield work
        finally:
            process.kill()


def ratio(found: dict[str, list[float]], one: str, other: str) -> float:
    """How many times as long one program takes as another: the median over the rounds."""
    return statistics.median(a / b for a, b in zip(found[one], found[other], strict=True))
