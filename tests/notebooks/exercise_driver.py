"""Go through both series as a class does, in one process: the exercises of each lesson unsolved, then solved.

Of the lessons only those are run whose work the exercises look at; tests of their own run all. Prints a line of JSON
for each check: which copy, which exercise, whether it is solved, and what was said.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from books import QUICK, STARTS_SOON
from classroom import copies, forward

from helpers import checks

SMALL = {"epochs": 2, **QUICK}
MAKERS = ("02_data", "03_compute", "04_train", "05_register", "08_deploy")  # lessons that make what exercises look at
ENOUGH = {"v2/08_deploy": "traffic"}  # the cell after which a lesson has made it

DRILLS = {"parameters", "setup", "given", "five", "six", "eight", "nine", "left"}  # what their cells' names begin with


def main(lessons: list[str]) -> None:
    for lesson in lessons:
        with forward.standing_in(copies.LESSONS):
            if not lesson.endswith("08_deploy"):  # a service computes with NumPy, which starts soonest of all
                os.environ.update(STARTS_SOON)
            take(lesson)
            if lesson == "08_deploy":
                with TemporaryDirectory() as folder, forward.standing_in(Path(folder)):
                    drill()


def take(lesson: str) -> None:
    """The lesson, as far as its exercises need it, and then these."""
    if lesson.endswith(MAKERS):
        forward.run(copies.LESSONS / f"{lesson}.ipynb", SMALL, until=ENOUGH.get(lesson))
    source = nbformat.read(copies.SOURCES / f"{lesson}.ipynb", as_version=4)
    for kind, copy in (
        ("learner", copies.learner_copy(source, f"{lesson}.ipynb")),
        ("solution", copies.solution_copy(source)),
    ):
        with TemporaryDirectory() as folder, forward.standing_in(Path(folder)):
            go_through(kind, copy)


def drill() -> None:
    """Run the drills that train nothing, with their repairs, and tell what came of them."""
    source = nbformat.read(copies.SOURCES / "drills.ipynb", as_version=4)
    variables: dict[str, object] = {"__name__": "__main__"}
    for cell in copies.solution_copy(source).cells:
        if cell.cell_type == "code" and cell.id.split("-")[0] in DRILLS:
            forward.execute(cell.source, cell.id, variables)
            variables["bill_seconds"] = 2
    told = {
        "registered file is intact": variables["is_intact"],
        "version that takes its place": variables["replacement"].version,
        "status for the stranger": variables["stranger"](),
        "bill": variables["dollars"],
        "bill after the repair": variables["dollars_after"],
        "sure of, raw and scaled": [int(count) for count in variables["sure"]],
        "drills left on": variables["helpers"].drills.on(),
    }
    print("DRILLS", json.dumps(told), flush=True)


def go_through(kind: str, copy: nbformat.NotebookNode) -> None:
    """Run a copy's cells, and tell the verdict where a cell checks an exercise."""
    variables: dict[str, object] = {"__name__": "__main__"}
    for cell in copy.cells:
        if cell.cell_type != "code":
            continue
        forward.execute(cell.source, cell.id, variables)
        if "check" in copies.tags(cell):
            exercise = cell.source.split('"')[1]
            verdict = checks.examine(exercise, variables)
            told = {"copy": kind, "exercise": exercise, "solved": verdict.solved, "sentence": verdict.sentence}
            print("VERDICT", json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
