"""The Portuguese notebooks say what the English ones say now, around the same code and the same outputs."""

import re

import nbformat
import picture_words
import portuguese
import pytest
from plain_metadata import plain
from small_notebooks import jupyterlab_opens

LINK = re.compile(r"\]\(([^)\s]+)\)")
DRAWN = re.compile(r"!\[([^\]]*)\]\(([^)\s]*/)([\w-]+\.svg)\)")
CODE = re.compile(r"`[^`\n]+`")
FORM = re.compile(r"^(?:#+ |- |\d+\. |\| |</?details>|```)", re.MULTILINE)  # headings, lists, tables, what folds
TEXTS = {"title": "# 1 · Data", "purpose": "See [2](02_next.ipynb), ![map](../docs/map.svg)."}


@pytest.fixture(params=portuguese.english_notebooks(), ids=portuguese.told)
def path(request):
    return request.param


def test_code_outputs_and_order_are_the_english_ones_and_nothing_is_left_to_translate(path):
    translation = portuguese.read(portuguese.translation_of(path))
    followed, left = portuguese.follow(path, portuguese.read(path), translation)
    assert left == [] and plain(translation) == followed, "run `make portuguese`"


def test_links_and_pictures_are_the_english_ones_seen_from_the_translation(path):
    translated = {cell.id: cell.source for cell in portuguese.read(portuguese.translation_of(path)).cells}
    for cell in portuguese.read(path).cells:
        if cell.cell_type == "markdown":
            expected = [portuguese.as_linked(target, path) for target in LINK.findall(cell.source)]
            assert sorted(LINK.findall(translated[cell.id])) == sorted(expected), cell.id


def test_a_picture_with_words_is_the_portuguese_one_with_its_alternative_text(path):
    translated = portuguese.read(portuguese.translation_of(path)).cells
    for cell in translated:
        for alt, folder, name in DRAWN.findall(cell.source):
            assert (folder, alt) == ("../../docs/images/pt/", picture_words.ALTERNATIVES[name])


def test_what_is_code_in_the_text_and_its_form_are_the_english_ones(path):
    translated = {cell.id: cell.source for cell in portuguese.read(portuguese.translation_of(path)).cells}
    for cell in portuguese.read(path).cells:
        if cell.cell_type == "markdown":
            assert set(CODE.findall(translated[cell.id])) == set(CODE.findall(cell.source)), cell.id
            assert FORM.findall(translated[cell.id]) == FORM.findall(cell.source), cell.id


def test_every_link_leads_somewhere(path):
    translation = portuguese.translation_of(path)
    text = "\n".join(cell.source for cell in portuguese.read(translation).cells if cell.cell_type == "markdown")
    targets = [target for target in LINK.findall(text) if "://" not in target]
    assert targets and [target for target in targets if not (translation.parent / target).exists()] == []


def test_no_notebook_is_a_translation_of_none():
    expected = {portuguese.translation_of(path) for path in portuguese.english_notebooks()}
    found = [path for folder in portuguese.FOLDERS for path in (folder / portuguese.LANGUAGE).glob("*.ipynb")]
    assert set(found) == expected


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A folder of two English notebooks; the first has two texts and a line of code with its output."""
    monkeypatch.setattr(portuguese, "ROOT", tmp_path)
    monkeypatch.setattr(portuguese, "FOLDERS", [tmp_path / "notebooks"])
    (tmp_path / "notebooks").mkdir()
    cells = [nbformat.v4.new_markdown_cell(text, id=name) for name, text in TEXTS.items()]
    printed = nbformat.v4.new_output("stream", text="1\n")
    code = nbformat.v4.new_code_cell("print(1)", id="code", outputs=[printed], execution_count=1)
    nbformat.write(nbformat.v4.new_notebook(cells=[*cells, code]), tmp_path / "notebooks" / "01_data.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "notebooks" / "02_next.ipynb")
    return tmp_path / "notebooks" / "01_data.ipynb"


def write(path, **texts):
    """Give cells of a notebook other texts."""
    notebook = portuguese.read(path)
    for cell in notebook.cells:
        cell.source = texts.get(cell.id, cell.source)
    nbformat.write(notebook, path)


def test_a_new_translation_begins_with_the_english_text_and_lists_all_of_it(lesson, capsys):
    assert portuguese.main([]) == 1
    assert "notebooks/pt/01_data.ipynb: title: it is not translated" in capsys.readouterr().out
    _, purpose, code = portuguese.read(portuguese.translation_of(lesson)).cells
    assert purpose.source == "See [2](02_next.ipynb), ![map](../../docs/map.svg)."
    assert code == portuguese.read(lesson).cells[2]


def test_what_jupyterlab_notes_of_a_machine_is_not_taken_over(lesson):
    portuguese.main([])
    translation = portuguese.translation_of(lesson)
    before = translation.read_bytes()
    jupyterlab_opens(lesson)
    jupyterlab_opens(translation)
    assert (
        plain(portuguese.read(translation))
        == portuguese.follow(lesson, portuguese.read(lesson), portuguese.read(translation))[0]
    )
    portuguese.main([])
    assert translation.read_bytes() == before


def test_a_change_of_the_english_text_is_listed_and_one_of_the_code_is_taken_over(lesson, capsys):
    translation = portuguese.translation_of(lesson)
    portuguese.main([])
    write(translation, title="# 1 · Dados")
    assert portuguese.main(["--done", str(translation)]) == 0

    write(lesson, title="# 1 · Files", code="print(2)")
    capsys.readouterr()
    assert portuguese.main([]) == 1
    left = [line for line in capsys.readouterr().out.splitlines() if "English text" in line]
    assert left == ["notebooks/pt/01_data.ipynb: title: the English text has changed"]
    title, _, code = portuguese.read(translation).cells
    assert (title.source, code.source) == ("# 1 · Dados", "print(2)")

    write(translation, title="# 1 · Arquivos")
    assert portuguese.main(["--done", str(translation), "title"]) == 0
    assert portuguese.read(translation).cells[0].source == "# 1 · Arquivos"


@pytest.mark.parametrize(
    ("done", "message"),
    [(["03_none.ipynb"], "03_none.ipynb is no translation"), (["01_data.ipynb", "titel"], "has no cell titel")],
)
def test_what_is_done_has_to_be_there(lesson, capsys, done, message):
    portuguese.main([])
    name, *cells = done
    with pytest.raises(SystemExit) as exit:
        portuguese.main(["--done", str(portuguese.translation_of(lesson).with_name(name)), *cells])
    assert exit.value.code == 2 and message in capsys.readouterr().err
