"""What the repository's pages link to is there."""

import re
import subprocess
from pathlib import Path

import compare_series
import draw_pictures
import nbformat
import picture_words
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in ROOT.rglob("*.md") if not {".venv", ".offline", "output", "run"} & set(path.parts))
LINK = re.compile(r"\]\(([^)\s]+)\)")
SETTING = re.compile(r"\b[A-Z]+=[\w./-]+")  # as make takes them
NEURONS = re.compile(r"\w+_neurons")
DESCRIPTION = re.compile(r'description=("[^"]* hidden layers [^"]*")')
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchor(heading: str) -> str:
    """The heading's address in its page, as code-hosting sites make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_or_heading_leads_somewhere(page):
    for target in LINK.findall(page.read_text()):
        if target.startswith("https://"):
            continue
        name, _, fragment = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        if fragment:
            assert fragment in [anchor(heading) for heading in HEADING.findall(linked.read_text())], target


@pytest.mark.parametrize("readme", ["README.md", "README.pt-BR.md"])
def test_every_make_target_that_readme_names_is_there(readme):
    named = set(re.findall(r"(?:`|^)make ([a-z][a-z0-9-]*)", (ROOT / readme).read_text(), re.MULTILINE))
    dry = subprocess.run(["make", "--dry-run", *sorted(named)], cwd=ROOT, capture_output=True, text=True)
    assert named and dry.returncode == 0, dry.stderr


def test_the_portuguese_readme_has_the_links_and_the_settings_of_the_english_one():
    english, portuguese = ((ROOT / name).read_text() for name in ("README.md", "README.pt-BR.md"))
    links = set(LINK.findall(english)) - {"README.pt-BR.md", "docs/images/house.svg"}
    assert links | {"docs/images/pt/house.svg"} <= set(LINK.findall(portuguese))
    assert set(SETTING.findall(english)) == set(SETTING.findall(portuguese))


def test_readme_shows_the_house():
    alt = draw_pictures.alternatives()["house.svg"]
    assert f"![{alt}](docs/images/house.svg)" in (ROOT / "README.md").read_text()
    alt = picture_words.ALTERNATIVES["house.svg"]
    assert f"![{alt}](docs/images/pt/house.svg)" in (ROOT / "README.pt-BR.md").read_text()


def code_of(lesson: str) -> list[str]:
    """The cells of code of a lesson, in every series."""
    books = [nbformat.read(path, as_version=4) for path in (ROOT / "notebooks").rglob(lesson)]
    return [cell.source for book in books for cell in book.cells if cell.cell_type == "code"]


def test_what_a_network_of_ones_own_leaves_as_it_was_is_told():
    section = (ROOT / "docs" / "development.md").read_text().partition("- **A network**")[2].partition("- **Data**")[0]
    drawn = {name for cell in code_of("04_train.ipynb") if "plots.network(" in cell for name in NEURONS.findall(cell)}
    assert drawn and drawn <= set(NEURONS.findall(section))
    described = {text for cell in code_of("05_register.ipynb") for text in DESCRIPTION.findall(cell)}
    assert described and all(text in section for text in described)


def test_the_comparison_of_the_series_shows_the_notebooks_own_cells():
    page = compare_series.PAGE.read_text(encoding="utf-8")
    shown = compare_series.PLACE.findall(page)
    assert {side.split()[1][:2] for place in shown for side in place[1:]} == {f"0{number}" for number in range(1, 10)}
    assert compare_series.filled(page) == page, "`make v1-to-v2` fills it in anew"
