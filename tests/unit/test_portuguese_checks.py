"""What the checks say is there in Portuguese, all of it, and is said where the Portuguese edition asks."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import checks
from helpers.checks import portuguese

FOLDER = Path(checks.__file__).parent
SENTENCES = json.loads(portuguese.SENTENCES.read_text(encoding="utf-8"))
PAIRS = [pair for sentences in SENTENCES.values() for pair in sentences.items()]
CODE, NUMBERED = re.compile(r"`([^`]*)`"), re.compile(r"\{\d\}")
# What has a space and is no sentence: names of metrics and kinds, patterns, a list's items.
NOT_SAID = {"Final test accuracy", "compute targets", "must be a whole number", "{}: {}"}


def said(module: str) -> set[str]:
    """The sentences and parts of sentences in a module of the checks, with {} for what differs each time."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    return {text for text in texts(tree) if " " in text.strip()} - NOT_SAID


def texts(node: ast.AST) -> Iterator[str]:
    """The texts in the code, without docstrings and how values are formatted."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        inner = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    else:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        inner = ast.iter_child_nodes(node)
    for part in inner:
        yield from texts(part)


@pytest.mark.parametrize("module", ["looking", *(f"lesson_{number:02}" for number in range(1, 10))])
def test_every_sentence_has_a_translation_and_no_translation_is_of_none(module):
    of_counted = {text for text in SENTENCES[module] if re.fullmatch(r"\{\} \w+", text)}  # words.counted's
    assert said(module) == set(SENTENCES[module]) - of_counted


@pytest.mark.parametrize("english, translation", PAIRS)
def test_a_translation_has_the_code_of_the_sentence_and_parts_that_there_are(english, translation):
    assert set(CODE.findall(NUMBERED.sub("{}", translation))) == set(CODE.findall(english))
    parts = re.findall(r"\{(.*?)\}", translation)
    assert all(part.isdecimal() and int(part) < english.count("{}") for part in parts)
    assert english.endswith(".") == translation.endswith(".")


@pytest.mark.parametrize(
    "english, expected",
    [
        ("There is no `x` yet: run the cell above first.", "Ainda não há `x`: execute primeiro a célula acima."),
        ("It has up to 4 machines; `max_nodes` should be 2.", "Ele tem até 4 máquinas; `max_nodes` deveria ser 2."),
        (
            "6,265 of 60,000 images show a 7: 10.4%, a little more than a tenth.",
            "6.265 de 60.000 imagens mostram um 7: 10,4%, pouco mais de um décimo.",
        ),
        (
            "The run is Failed; it should end as Completed. Its log says why: `helpers.watch` shows the last lines.",
            "A execução está em Failed; ela deveria terminar em Completed. "
            "O log diz por quê: `helpers.watch` mostra as últimas linhas.",
        ),
        (
            "Of the images that show a 5, 81.0% are read correctly; another digit has a lower share.",
            "Das imagens que mostram um 5, 81,0% são lidas corretamente; outro dígito tem uma proporção menor.",
        ),
        ("`x` is of type `float`; a whole number is expected.", "`x` é do tipo `float`; espera-se um número inteiro."),
        ("Nobody has said this yet.", "Nobody has said this yet."),
    ],
)
def test_the_parts_of_a_sentence_go_where_they_belong(english, expected):
    assert portuguese.translated(english) == expected


def test_a_check_speaks_the_language_of_the_notebooks_folder(tmp_path, monkeypatch, capsys):
    (tmp_path / "pt").mkdir()
    for folder, right in (
        (tmp_path, "✓ Right · 03.1: 126.24 USD, for"),
        (tmp_path / "pt", "✓ Certo · 03.1: 126,24 USD, por"),
    ):
        monkeypatch.chdir(folder)
        exec('import helpers\ndollars = 126.24\nhelpers.check("03.1")', {})
        assert capsys.readouterr().out.startswith(right)
    exec('import helpers\nhelpers.check("03.1")', {})
    assert capsys.readouterr().out == "✗ Ainda não · 03.1: Ainda não há `dollars`: execute primeiro a célula acima.\n"
