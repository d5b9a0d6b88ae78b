"""Every notebook is made alike, so that a reader finds the same things at the same places."""

import ast
import html
import re
from pathlib import Path

import draw_pictures
import nbformat
import pytest
from batch.needs import WORDS
from books import NOTEBOOKS, ROOT, SERIES
from IPython.core.inputtransformer2 import TransformerManager

from helpers import plots

LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
RECAP = "## Recap"
CREATING = {"create", "deploy", "register", "register_model", "submit"}  # calls that make something in a workspace
CREATING |= {"create_or_update", "begin_create_or_update"}
LONGEST_SHOWN = 107  # characters of a line
CLEAN_UP = "09_clean_up"
ABSOLUTE_PATH = re.compile(r"(?<![\w:/.])/(?:home|root|tmp|work|usr|var|opt|Users|private)/\S+")


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def names(path: Path) -> list[str]:
    """The lessons of the series that a notebook is one of."""
    return [other.stem for other in series(path)]


def series(path: Path) -> list[Path]:
    return next(paths for paths in SERIES.values() if path in paths)


def outputs(notebook):
    return [(cell.id, output) for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.fixture(
    params=[path for paths in SERIES.values() for path in paths],
    ids=[f"{version}-{path.stem}" for version, paths in SERIES.items() for path in paths],
)
def path(request) -> Path:
    return request.param


@pytest.fixture(params=SERIES.values(), ids=SERIES)
def paths(request) -> list[Path]:
    return request.param


@pytest.fixture
def notebook(path) -> nbformat.NotebookNode:
    return read(path)


@pytest.fixture
def code(notebook) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def text(notebook) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def parameter_lines(notebook) -> dict[str, str]:
    """The line of each parameter by its name; fails for anything but an annotated constant with a comment.

    Before them stands an import of their types, of which each is used.
    """
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1, "one cell is tagged `parameters`"
    lines = {}
    first, *statements = ast.parse(cells[0].source).body
    assert isinstance(first, ast.ImportFrom) and first.module == "helpers.parameters"
    assert {name.name for name in first.names} <= {ast.unparse(statement.annotation) for statement in statements}
    for statement in statements:
        assert isinstance(statement, ast.AnnAssign), f"`{ast.unparse(statement)}` is no annotated constant"
        ast.literal_eval(statement.value)
        line = cells[0].source.splitlines()[statement.lineno - 1]
        assert re.search(r"  # \S.*", line), f"`{line}` has no comment"
        lines[statement.target.id] = line
    return lines


def test_a_series_is_numbered_from_01_on():
    """A lesson of version 2 has the name of its twin in version 1, or a number after those."""

    def numbered(names: list[str], first: int) -> list[str]:
        return [f"{number:02}_" for number in range(first, first + len(names))]

    first, second = ([path.name for path in paths] for paths in SERIES.values())
    assert [name[:3] for name in first] == numbered(first, 1)
    further = [name for name in second if name not in first]
    assert [name[:3] for name in further] == numbered(further, len(first) + 1)
    assert len(first) == 9 and len(second) >= 10


def test_each_lesson_names_its_twin_in_the_other_version():
    for second in SERIES["v2"]:
        first = NOTEBOOKS / second.name
        if first in SERIES["v1"]:
            assert f"](../{first.name})" in read(second).cells[1].source
            assert f"](v2/{second.name})" in read(first).cells[1].source


def test_what_is_shown_of_a_file_fits_on_its_lines(notebook):
    """In JupyterLab and in what nbconvert makes of a notebook a longer line is cut in two."""
    kept = [path for path in (ROOT / "scripts").rglob("*") if path.suffix in (".py", ".yml")]
    lines = {line.strip() for path in kept for line in path.read_text(encoding="utf-8").splitlines()}
    shown = [line for _, output in outputs(notebook) for line in output.get("text", "").splitlines()]
    assert [line for line in shown if len(line) > LONGEST_SHOWN and line.strip() in lines] == []


def test_it_is_valid_and_names_a_kernel_that_everybody_has(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) <= {"kernelspec", "language_info", "workspace"}
    assert set(notebook.metadata) >= {"kernelspec", "language_info"}


def test_every_code_cell_compiles(path, code):
    transform = TransformerManager().transform_cell
    for cell in code:
        compile(transform(cell.source), f"{path.name}, cell {cell.id}", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_it_begins_with_a_title_and_one_paragraph_of_purpose(path, notebook):
    title, purpose = notebook.cells[:2]
    assert re.fullmatch(rf"# {int(path.name[:2])} · \S.*", title.source)
    assert title.source.endswith(", in version 2") == (path in SERIES["v2"])
    assert purpose.cell_type == "markdown"
    assert "\n\n" not in purpose.source
    for subject in ("After this notebook", "needs", "Azure", "cost"):
        assert subject in purpose.source, f"the first paragraph does not tell: {subject}"
    assert re.search(r"minute|second", purpose.source), "the first paragraph does not tell how long it takes"


def creations(notebook) -> set[str]:
    """The calls in a notebook that make something in the workspace."""
    source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {call.attr for call in calls if isinstance(call, ast.Attribute) and call.attr in CREATING}


def test_what_it_makes_on_azure_has_a_word_on_its_cost_and_on_where_it_is_removed(path, notebook, text):
    made = creations(notebook)
    if not made:
        return
    assert re.search(r"\bcosts?\b", text[1].source), f"it calls {made}, and its first paragraph tells no cost"
    paragraphs = [paragraph for cell in text[:-1] for paragraph in cell.source.split("\n\n")]
    linking = [paragraph for paragraph in paragraphs if re.search(rf"\({CLEAN_UP}\.ipynb\)", paragraph)]
    assert any("remove" in paragraph for paragraph in linking), (
        f"it calls {made}, and does not say where that is removed"
    )


def test_the_rule_on_costs_sees_what_makes_something():
    for paths in SERIES.values():
        making = {path.stem for path in paths if creations(read(path))}
        assert {"02_data", "03_compute", "04_train", "05_register", "08_deploy"} <= making
        assert not making & {"01_setup", "06_download_validate", CLEAN_UP}


def test_then_come_its_parameters_and_one_cell_of_set_up(notebook):
    parameters, setup = notebook.cells[2:4]
    assert "parameters" in parameters.metadata.get("tags", [])
    assert "backend" in parameter_lines(notebook)
    assert setup.source.startswith("import helpers\n\nhelpers.use_backend(backend)")


def test_then_comes_its_place_on_the_map(path, notebook):
    picture = f"here-{int(path.name[:2])}.svg"
    alt = draw_pictures.alternatives()[picture]
    assert notebook.cells[4].source == f"![{alt}]({up_to_images(path)}/{picture})"


def test_the_stages_of_a_run_are_shown_where_one_is_watched(paths):
    (training,) = [path for path in paths if path.stem == "04_train"]
    cells = [cell for cell in read(training).cells if "stages.svg" in cell.source]
    alt = draw_pictures.alternatives()["stages.svg"]
    assert [cell.source for cell in cells] == [f"![{alt}]({up_to_images(training)}/stages.svg)"]


def up_to_images(path: Path) -> str:
    """The pictures' folder, seen from a notebook."""
    return "../" * len(path.relative_to(NOTEBOOKS).parts) + "docs/images"


def test_a_parameter_has_the_same_type_and_default_in_every_notebook(paths):
    seen = {}
    for path in paths:
        for name, line in parameter_lines(read(path)).items():
            declared = line.split("  # ")[0]
            assert seen.setdefault(name, declared) == declared, f"{path.name}: {name}"


def calls(notebook, name: str) -> list[ast.Call]:
    """The calls of the helper of this name."""
    source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in found if ast.unparse(call.func) == f"helpers.{name}"]


def test_its_metadata_say_what_it_needs_as_its_code_and_its_first_paragraph_do(path, notebook, text):
    needs = notebook.metadata.get("workspace", {}).get("needs", {})
    in_code = {call.args[0].value.removesuffix(".ipynb") for call in calls(notebook, "made_by")}
    if calls(notebook, "finished_run") or calls(notebook, "finished_job"):
        in_code.add("04_train")
    assert set(needs) == in_code
    for maker, things in needs.items():
        assert names(path).index(maker) < names(path).index(path.stem)
        assert f"({maker}.ipynb)" in text[1].source
        for kind, parameter in things.items():
            assert kind in WORDS
            assert parameter in parameter_lines(notebook)
            assert parameter in parameter_lines(read(path.with_name(f"{maker}.ipynb")))


def test_its_metadata_say_what_it_removes(notebook):
    removes = notebook.metadata.get("workspace", {}).get("removes", {})
    declared = parameter_lines(notebook)
    assert set(removes.values()) == {name for name in declared if name.startswith(("delete_", "archive_"))}
    assert all(": bool = " in declared[name] for name in removes.values())
    assert set(removes) <= {*WORDS, "service", "endpoint"}


def test_it_ends_with_a_recap_and_the_way_on(path, text):
    recap = text[-1].source
    assert recap.startswith(RECAP)
    points = re.findall(r"^- ", recap, re.MULTILINE)
    assert 3 <= len(points) <= 5
    following = names(path)[names(path).index(path.stem) + 1 :]
    if following:
        last_line = recap.splitlines()[-1]
        assert re.fullmatch(rf"\*\*Next:\*\* \[.+\]\({following[0]}\.ipynb\)", last_line)


def test_every_link_to_a_file_leads_somewhere(path, text):
    for cell in text:
        for target in LINK.findall(cell.source):
            if not target.startswith(("https://", "#")):
                assert (path.parent / target).resolve().is_file(), f"{cell.id}: {target}"


def test_its_code_finds_files_from_the_repository_not_from_where_it_runs(code):
    for cell in code:
        assert not re.search(r"""["']\.{1,2}/""", cell.source), f"{cell.id}: helpers.REPOSITORY is where files are"


def test_no_cell_is_empty_long_or_wide(notebook):
    for cell in notebook.cells:
        assert cell.source.strip(), cell.id
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 16, f"{cell.id} is too long to be read aloud"
            longest = max(cell.source.splitlines(), key=len)
            assert len(longest) <= 100, f"{cell.id}: `{longest}` is cut off in a narrow window"


def test_cells_have_names_of_their_own(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids), "ids are words, so that changes stay readable"


def test_it_was_run_from_its_first_cell_to_its_last(code):
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


def test_outputs_have_no_error_and_nothing_on_stderr(notebook):
    for cell, output in outputs(notebook):
        assert output.output_type != "error", cell
        assert output.get("name") != "stderr", f"{cell}: {output.get('text')}"


def test_every_picture_has_an_alternative_text_that_reaches_the_reader(notebook):
    for cell, output in outputs(notebook):
        data = output.get("data", {})
        assert not any(kind.startswith("image/") for kind in data), f"{cell}: no front end shows its words"
        for tag in re.findall(r"<(?:img|svg)\b[^>]*>", data.get("text/html", "")):
            words = re.search(r'\b(?:alt|aria-label)="([^"]{20,})"', tag)
            assert words, f"{cell}: {tag}"
            if data["text/plain"].startswith("[picture: "):
                assert f"<details><summary>{plots.WORDS}</summary>{words[1]}</details>" in data["text/html"]
                assert data["text/plain"].endswith(f"{plots.WORDS}: {html.unescape(words[1])}")


def test_outputs_tell_no_path_of_the_machine_they_were_made_on(notebook):
    for cell, output in outputs(notebook):
        texts = [output.get("text", "")]
        texts += [value for kind, value in output.get("data", {}).items() if kind.startswith("text/")]
        assert not [found for told in texts for found in ABSOLUTE_PATH.findall(told)], cell


def test_few_outputs_are_left_uncompared(code):
    ignored = [cell.id for cell in code if "nbval-ignore-output" in cell.metadata.get("tags", [])]
    assert len(ignored) <= 3
    assert {tag for cell in code for tag in cell.metadata.get("tags", [])} <= {"parameters", "nbval-ignore-output"}
