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
