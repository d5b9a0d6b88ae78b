"""Copies of the exercises: workshop/NN_name.ipynb holds all, a learner gets the tasks, a teacher the solutions.

What a cell is for stands in its tags. A task has these cells, in this order:

    task      what is to be done
    (none)    cells that both copies have as they are
    hint      folded
    start     only for learners: the cell to be filled in, whose dots stand for what is missing
    solution  the same cell as it may look when it is filled in
    check     helpers.check("NN.M")

and after the last task come cells with the tags question and answer.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "workshop"
LESSONS = ROOT / "notebooks"
NOT_FOR_LEARNERS = {"solution", "answer"}
NOT_FOR_TEACHERS = {"start"}
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]*)?\)")
# What a copy ends with, in Portuguese in the folder pt: the link's words stand in brackets.
TO_SOLUTIONS = {
    "": "When you have tried: [a solution of each task, and the answers to the questions]",
    "pt": "Depois de tentar: [uma solução de cada tarefa e as respostas às perguntas]",
}
TO_EXERCISES = {
    "": "**Exercises:** [what this notebook taught, to try for yourself]",
    "pt": "**Exercícios:** [o que este notebook ensinou, para você mesmo experimentar]",
}


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def learner_copy(source: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """The tasks: without solutions and answers, and with a way to the notebook of this name that has them."""
    copy = _without(source, NOT_FOR_LEARNERS)
    copy.cells.append(nbformat.v4.new_markdown_cell(_way(TO_SOLUTIONS, "solutions", name), id="where-solutions"))
    return copy


def solution_copy(source: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The tasks solved, and the questions with their answers."""
    return _without(source, NOT_FOR_TEACHERS)


def lesson_copy(lesson: nbformat.NotebookNode, exercises: str | None, output: str) -> nbformat.NotebookNode:
    """A lesson as it is before it was run, with a way to its exercises if there are some.

    What it downloads goes to `output` in place of the repository's folder, where others' would be.
    """
    copy = _without(lesson, set())
    for cell in copy.cells:
        if "parameters" in tags(cell):
            cell.source = cell.source.replace('"output/', f'"{output}/')
    if exercises:
        way = _way(TO_EXERCISES, "exercises", exercises)
        copy.cells.append(nbformat.v4.new_markdown_cell(way, id="where-exercises"))
    return copy


def page_copy(page: str, is_there: Callable[[str], bool]) -> str:
    """A page of the documentation; of its links those to files that learners have, and of the others the words."""
    return LINK.sub(lambda link: link[0] if link[2].startswith("https://") or is_there(link[2]) else link[1], page)


def _way(words: dict[str, str], folder: str, name: str) -> str:
    """The way from a copy of this name, 04_train.ipynb or pt/04_train.ipynb, to the one in another folder."""
    parts = Path(name).parts
    told = words.get(parts[0], words[""])
    return f"{told}({'../' * len(parts)}{folder}/{name})"


def _without(notebook: nbformat.NotebookNode, left_out: set[str]) -> nbformat.NotebookNode:
    """A copy without outputs, and without the cells that have one of these tags."""
    copy = deepcopy(notebook)
    copy.cells = [cell for cell in copy.cells if not tags(cell) & left_out]
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return copy
