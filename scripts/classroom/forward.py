"""Bringing a workspace to the start of a lesson, by the code of the lessons before it, with less training.

The notebooks' own code cells run here, one lesson after the other, in this process: nothing is written a second time,
and no kernels have to start.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nbformat

from classroom.copies import LESSONS, tags

# Enough for an accuracy that the next lessons accept, and little enough for somebody who is waiting.
QUICK = {"epochs": 8, "max_total_runs": 2, "max_total_trials": 2, "trial_epochs": 1}


def lessons(series: str = "") -> dict[int, Path]:
    """The notebooks of a series by their number; "v2" is the one on version 2."""
    return {int(path.name[:2]): path for path in sorted((LESSONS / series).glob("*.ipynb"))}


def lessons_before(number: int, series: str = "") -> list[Path]:
    """The notebooks of a series' lessons before this one, in their order."""
    return [path for place, path in lessons(series).items() if place < number]


def run(notebook: Path, parameters: Mapping[str, object], until: str | None = None) -> dict[str, object]:
    """Run a notebook's code cells in its folder, with those of the parameters that it has; return its variables.

    `until` is the id of the last cell to run, by default all. What a cell raises goes through. The environment is as
    before afterwards.
    """
    variables: dict[str, object] = {"__name__": "__main__"}
    with standing_in(notebook.parent):
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                execute(cell.source, f"{notebook.name}, {cell.id}", variables)
            if "parameters" in tags(cell):
                variables |= {name: value for name, value in parameters.items() if name in variables}
            if cell.id == until:
                break
    return variables


def execute(source: str, name: str, variables: dict[str, object]) -> None:
    """Run a cell's code with these variables, which it may change."""
    exec(compile(source, name, "exec"), variables)


@contextmanager
def standing_in(folder: Path) -> Iterator[None]:
    """Work in a folder, and leave the working directory and the environment's variables as they were."""
    before, environment = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)
