"""Open a workshop for a learner, or bring a late one to where the others are.

    .venv/bin/python scripts/workshop.py open                   workshop/run/learner, in JupyterLab
    .venv/bin/python scripts/workshop.py open --name ana        another learner on the same machine
    .venv/bin/python scripts/workshop.py open --series v2       the same, at the first lesson on version 2
    .venv/bin/python scripts/workshop.py reset 4 --name ana     ana's world as it is at the start of lesson 4
    .venv/bin/python scripts/workshop.py reset 4 --series v2    the same of the lessons on version 2

Exit codes: 0 done; 1 an earlier lesson could not be run; 2 what was asked for cannot be done; 130 interrupted.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NoReturn

import in_venv  # noqa: F401 - before what may not be there
from batch.selection import other_series
from classroom import WorkshopError, forward, learners

from helpers.offline.engine.history import job_states
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace.errors import FolderError

SERIES = {"v1": "", "v2": "v2", "pt": ""}  # whose lessons are run for each: those in Portuguese have v1's code


class Interrupted(BaseException):
    """Ctrl-C. No KeyboardInterrupt, which `helpers.watch` in a lesson takes for the end of the watching alone."""


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        folder = learners.folder_of(options.name)
        _known(options.series)
        if options.what == "open":
            _open(folder, options.series, options.jupyter)
        lesson = _lesson(options.lesson, options.series)
        with _interruptible():
            return _reset(folder, lesson, options.series)
    except (WorkshopError, FolderError) as error:
        print(f"workshop: {error}", file=sys.stderr)
        return 2
    except Interrupted:
        told = f"{folder.name} is on the way to lesson {lesson}, and a training may still be going"
        print(f"\nworkshop: interrupted. {told}. The same command begins anew.", file=sys.stderr)
        return 130


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("open").add_argument("jupyter", nargs="*", help="further arguments of JupyterLab, after --")
    reset = commands.add_parser("reset")
    reset.add_argument("lesson", nargs="?", default="", help="the lesson to be at the start of")
    for command in commands.choices.values():
        command.add_argument("--series", default="v1", help="the series of the lesson: v1 (default), v2 or pt")
        command.add_argument("--name", default="learner", help="whose folder it is (default: learner)")
    return parser.parse_args(arguments)


def _known(series: str) -> None:
    """Raises WorkshopError for what is no series."""
    if series not in SERIES:
        raise WorkshopError(
            f"There is no series {series!r}: SERIES=v2 is the one on version 2, SERIES=v1 the other, and SERIES=pt "
            "that in Portuguese."
        )


def _open(folder: Path, series: str, arguments: list[str]) -> NoReturn:
    learners.prepare(folder)
    print(f"Your notebooks are in {learners.told(folder)}; nothing else is changed.")
    learners.open_lab(folder, "" if series == "v1" else series, arguments)


def _lesson(number: str, series: str) -> int:
    """Raises WorkshopError for what is not the number of a lesson of the series."""
    known = list(forward.lessons(SERIES[series]))
    if not number.isdecimal() or int(number) not in known:
        asked = f"There is no lesson {number}." if number else "At the start of which lesson?"
        folder = learners.LESSONS / SERIES[series]
        other = other_series(number, folder, learners.LESSONS) if number.isdecimal() else None
        there = f" The series {other.name} has it: SERIES={other.name}." if other else ""
        raise WorkshopError(f"{asked}{there} Give a number from {known[0]} to {known[-1]}: make workshop-reset N=4")
    return int(number)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Raise Interrupted at Ctrl-C."""

    def interrupt(*_) -> NoReturn:
        raise Interrupted

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _going(world: Path) -> int:
    """How many runs of a world have not ended; none where it cannot be read, which the reset then sees to."""
    try:
        return len(job_states.unfinished(folders.open_folder(world))) if world.exists() else 0
    except FolderError:
        return 0


def _reset(folder: Path, lesson: int, series: str) -> int:
    began = time.monotonic()
    world = learners.world_of(folder)
    going = _going(world)
    if going:
        print(f"{going} {'run is' if going == 1 else 'runs are'} still going and will be ended.")
    # In a process of its own, so that nothing here has the old world's files open when the new one takes their place.
    ended = subprocess.run([sys.executable, "-m", "helpers.offline.reset"], env=learners.environment(folder))
    if ended.returncode:
        raise WorkshopError("The world could not be reset, and nothing else was changed.")
    aside = learners.put_aside(folder)
    if aside:
        print(f"The notebooks as they were are in {learners.told(aside)}.")
    learners.prepare(folder)

    os.environ["AZUREML_OFFLINE_FOLDER"] = str(world)
    log = folder / "reset.log"
    for notebook in forward.lessons_before(lesson, SERIES[series]):
        print(f"{notebook.stem} …", end=" ", flush=True)
        try:
            with log.open("a") as file, redirect_stdout(file), redirect_stderr(file):
                forward.run(folder / "notebooks" / notebook.relative_to(learners.LESSONS), forward.QUICK)
        except Exception as error:
            with log.open("a") as file:
                traceback.print_exc(file=file)
            reason = str(error).strip().splitlines()[:1]
            print(f"failed: {type(error).__name__}: {''.join(reason)}")
            print(f"workshop: {notebook.stem} could not be run; {learners.told(log)} has all of it.", file=sys.stderr)
            return 1
        print("done", flush=True)
    settings = "" if folder.name == "learner" else f" NAME={folder.name}"
    settings += "" if series == "v1" else f" SERIES={series}"
    on = " in version 2" if series == "v2" else ""
    print(
        f"{folder.name} is at the start of lesson {lesson}{on} after {time.monotonic() - began:.0f} s. If JupyterLab is"
    )
    print(f"open there, restart its kernels and open the notebooks anew; otherwise: make workshop{settings}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
