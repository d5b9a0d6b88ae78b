"""Go through the series as a class does, in one process: each lesson, its exercises unsolved, then solved.

Prints a line of JSON for each check: which copy, which exercise, whether it is solved, and what was said.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from classroom import copies, forward

from helpers import checks

SMALL = {
    "epochs": 2,
    "first_layer_neurons": 32,
    "second_layer_neurons": 16,
    "minimum_accuracy": 0.8,
    "max_total_runs": 2,
    "trial_epochs": 1,
}

DRILLS = {"parameters", "setup", "given", "five", "six", "eight", "nine", "left"}  # what their cells' names begin with


def main(lessons: list[str]) -> None:
    for lesson in lessons:
        forward.run(copies.LESSONS / f"{lesson}.ipynb", SMALL)
        source = nbformat.read(copies.SOURCES / f"{lesson}.ipynb", as_version=4)
        for kind, copy in (
            ("learner", copies.learner_copy(source, f"{lesson}.ipynb")),
            ("solution", copies.solution_copy(source)),
        ):
            with TemporaryDirectory() as folder, forward.standing_in(Path(folder)):
                go_through(kind, copy)
        if lesson == "08_deploy":
            with TemporaryDirectory() as folder, forward.standing_in(Path(folder)):
                drill()


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
