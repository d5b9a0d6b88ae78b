"""The workshop's exercises: each can be solved, is not solved before, and no copy for learners tells how."""

import ast
import json
import re
import subprocess
import sys

import nbformat
import pytest
from books import NOTEBOOKS, ROOT, SERIES, environment
from classroom import copies

from helpers import checks, drills
from helpers.offline.engine import removal

PATHS = [*sorted(copies.SOURCES.glob("[0-9]*.ipynb")), *sorted(copies.SOURCES.glob("v2/*.ipynb"))]
SOURCES = {
    path.relative_to(copies.SOURCES).with_suffix("").as_posix(): nbformat.read(path, as_version=4) for path in PATHS
}
DRIVER = ROOT / "tests" / "notebooks" / "exercise_driver.py"
ORDER = ["task", "hint", "start", "solution", "check"]


@pytest.fixture(params=SOURCES)
def lesson(request) -> str:
    return request.param


@pytest.fixture
def source(lesson) -> nbformat.NotebookNode:
    return SOURCES[lesson]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> list[tuple[str, dict]]:
    """What the driver told of one world, from lesson 1 to the last one of version 2."""
    world = tmp_path_factory.mktemp("class")
    variables = environment(ROOT / "scripts") | {"AZUREML_OFFLINE_FOLDER": str(world / "offline")}
    try:
        command = [sys.executable, str(DRIVER), *SOURCES]
        ran = subprocess.run(command, env=variables, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    finally:
        removal.reset(world / "offline")
    found = re.findall(r"^(VERDICT|DRILLS) (.*)$", ran.stdout, re.MULTILINE)
    return [(kind, json.loads(line)) for kind, line in found]


@pytest.fixture
def verdicts(told) -> list[dict]:
    """What the checks said to the learners' copies, and then to the solutions."""
    return [line for kind, line in told if kind == "VERDICT"]


def named(notebook, tag: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if tag in copies.tags(cell)]


def exercises(notebook) -> list[str]:
    """The names of the exercises that a notebook has checks of."""
    return [
        re.fullmatch(r'helpers\.check\("((?:v2\.)?\d\d\.\d)"\)', cell.source)[1] for cell in named(notebook, "check")
    ]


def statements(cells) -> set[str]:
    """The statements of cells of code, each on one line."""
    found = [(cell, statement) for cell in cells for statement in ast.parse(cell.source).body]
    return {flat(ast.get_source_segment(cell.source, statement)) for cell, statement in found}


def flat(text: str) -> str:
    return " ".join(text.split())


def test_each_lesson_has_exercises():
    lessons = [path.relative_to(NOTEBOOKS).with_suffix("").as_posix() for paths in SERIES.values() for path in paths]
    assert list(SOURCES) == lessons


def test_it_is_a_notebook_without_outputs_and_its_cells_have_names_of_their_own(source):
    nbformat.validate(source)
    ids = [cell.id for cell in source.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)
    code = [cell for cell in source.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    for cell in code:
        ast.parse(cell.source)


def test_it_says_what_it_needs_and_costs_and_begins_like_a_lesson(lesson, source):
    title, purpose, parameters, setup = source.cells[:4]
    version, connected = (
        (", in version 2", "ml_client = helpers.ml_client()") if "/" in lesson else ("", "ws = helpers.connect()")
    )
    assert re.fullmatch(rf"# \d+ · \S.*{version}: exercises", title.source)
    assert re.search(r"minutes|an hour", purpose.source)
    assert all(word in purpose.source for word in ("Azure", "cost"))
    assert parameters.source.startswith('backend: str = "offline"')
    assert setup.source.startswith(f"import helpers\n\nhelpers.use_backend(backend)\n{connected}")


def test_each_task_has_its_parts_in_their_order(source):
    parts = [tag for cell in source.cells for tag in ORDER if tag in copies.tags(cell) and cell.id != "how"]
    assert 3 <= len(named(source, "check")) <= 5
    assert parts == ORDER * len(named(source, "check"))
    assert 3 <= len(named(source, "question")) <= 5
    assert len(named(source, "answer")) == len(named(source, "question"))


def test_exercises_are_numbered_and_each_has_a_check(lesson, source):
    name = lesson.split("_")[0].replace("/", ".")  # 04, or v2.04
    expected = [f"{name}.{number}" for number in range(1, len(named(source, "check")) + 1)]
    assert exercises(source) == expected == checks.exercises(name)
    titles = [re.match(r"## (\d\d\.\d) · \S", cell.source)[1] for cell in named(source, "task")]
    assert titles == [exercise.removeprefix("v2.") for exercise in expected]


def test_hints_and_answers_are_folded(source):
    for cell in [*named(source, "hint"), *named(source, "answer")]:
        word = "Hint" if "hint" in copies.tags(cell) else "Answer"
        assert cell.source.startswith(f"<details><summary>{word}</summary>\n\n"), cell.id
        assert cell.source.endswith("\n\n</details>"), cell.id
    assert all(cell.metadata.jupyter.source_hidden for cell in named(source, "solution"))


def test_no_solution_leaks_into_a_learners_copy(lesson, source):
    copy = copies.learner_copy(source, f"{lesson}.ipynb")
    assert not named(copy, "solution") + named(copy, "answer")
    assert len(named(copy, "start")) == len(named(copy, "check")) + 1  # and the word on how it works
    shared = [cell for cell in source.cells if cell.cell_type == "code" and "solution" not in copies.tags(cell)]
    secret = statements(named(source, "solution")) - statements(shared)
    assert len(secret) >= len(named(source, "check"))
    told = flat("\n".join(cell.source for cell in copy.cells if "hint" not in copies.tags(cell)))
    assert not [statement for statement in secret if statement in told]
    for hint, solution in zip(named(copy, "hint"), named(source, "solution"), strict=True):
        parts = statements([solution]) & secret
        assert not parts or any(part not in flat(hint.source) for part in parts), f"{hint.id} tells the whole solution"


def test_a_solution_copy_has_each_task_solved_and_each_question_answered(source):
    copy = copies.solution_copy(source)
    assert not named(copy, "start")
    assert len(named(copy, "solution")) == len(named(copy, "check"))
    assert len(named(copy, "answer")) == len(named(copy, "question"))


def test_copies_are_of_a_copy(lesson, source):
    before = nbformat.writes(source)
    copies.learner_copy(source, f"{lesson}.ipynb").cells[0].source = "changed"
    assert nbformat.writes(source) == before


@pytest.mark.timeout(1800)
def test_every_unsolved_exercise_fails_its_check_with_a_helpful_sentence(verdicts):
    unsolved = [verdict for verdict in verdicts if verdict["copy"] == "learner"]
    assert [verdict["exercise"] for verdict in unsolved] == [
        name for book in SOURCES.values() for name in exercises(book)
    ]
    for verdict in unsolved:
        assert not verdict["solved"], verdict
        assert re.search(r"`\S.*`|still|run the cell", verdict["sentence"]), verdict
        assert verdict["sentence"].endswith("."), verdict


@pytest.mark.timeout(1800)
def test_every_solution_passes_its_check(verdicts):
    solved = [verdict for verdict in verdicts if verdict["copy"] == "solution"]
    assert [verdict["exercise"] for verdict in solved] == [
        name for book in SOURCES.values() for name in exercises(book)
    ]
    assert [verdict for verdict in solved if not verdict["solved"]] == []


@pytest.mark.timeout(1800)
def test_drills_fail_for_real_and_can_be_repaired(told):
    (came,) = [line for kind, line in told if kind == "DRILLS"]
    raw, scaled = came.pop("sure of, raw and scaled")
    assert raw > 95 > scaled
    assert came.pop("version that takes its place") > 1
    assert came == {
        "registered file is intact": False,
        "status for the stranger": 401,
        "bill": pytest.approx(2 * 2 * 0.526),
        "bill after the repair": 0,
        "drills left on": [],
    }


def test_each_drill_is_started_and_stopped_once_and_its_repair_does_not_leak():
    source = nbformat.read(copies.SOURCES / "drills.ipynb", as_version=4)
    code = "\n".join(cell.source for cell in source.cells if cell.cell_type == "code")
    for kind in ("start", "stop"):
        assert re.findall(rf'helpers\.drills\.{kind}\("([a-z-]+)"\)', code) == list(drills.DRILLS)
    copy = copies.learner_copy(source, "drills.ipynb")
    assert not named(copy, "solution")
    assert len(named(copy, "task")) == len(named(copy, "hint")) == len(named(source, "solution")) == len(drills.DRILLS)
    assert all("..." in cell.source for cell in named(copy, "start"))
    for cell in named(copy, "hint"):
        assert cell.source.startswith("<details><summary>What to look at</summary>\n\n")
