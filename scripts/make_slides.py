"""Make slides of the notebooks' own cells: output/slides, one page for each lesson and an index. `make slides`.

A heading begins a slide. What follows it stands below, on further slides where one is full. The pages need no network:
reveal.js is copied beside them, and pictures are in them.
"""

import base64
import html
import math
import os
import re
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there
import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
FOLDER = ROOT / "output" / "slides"
SERIES = {"Version 1": NOTEBOOKS, "Version 2": NOTEBOOKS / "v2", "Versão 1, em português": NOTEBOOKS / "pt"}
TEMPLATE = Path(__file__).with_name("slides")
FULL = 19  # lines of text that fit on a slide
LINE = 95  # letters that fit on a line
PICTURE = 11  # lines that a picture takes
LONGEST_OUTPUT = 12  # lines; what is longer scrolls
LINK = re.compile(r"(?<!!)(\[[^\]]+\]\()([^)\s]+)\)")
PICTURE_LINK = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
NOT_SHOWN = {"parameters"}  # tags of cells that nobody reads aloud


def main() -> int:
    place_reveal()
    titles = {}
    for series, folder in SERIES.items():
        slides_of(folder).mkdir(parents=True, exist_ok=True)
        titles[series] = {}
        for notebook in sorted(folder.glob("*.ipynb")):
            slides = as_slides(nbformat.read(notebook, as_version=4), folder)
            place = slides_of(notebook)
            place.write_text(page(slides, notebook), encoding="utf-8")
            titles[series][place.relative_to(FOLDER).as_posix()] = slides.cells[0].source.splitlines()[0].lstrip("# ")
    (FOLDER / "index.html").write_text(index(titles), encoding="utf-8")
    count = sum(map(len, titles.values()))
    print(f"{count} sets of slides: open {(FOLDER / 'index.html').relative_to(ROOT)} in a browser.")
    return 0


def slides_of(path: Path) -> Path:
    """Where the slides of a notebook are, or those of all in a folder."""
    place = FOLDER / path.relative_to(NOTEBOOKS)
    return place.with_suffix(".html") if path.suffix == ".ipynb" else place


def address(path: Path, folder: Path) -> str:
    """How a page in the folder links to the file."""
    return Path(os.path.relpath(path, folder)).as_posix()


def place_reveal() -> None:
    """Copy reveal.js and its licence from the package that brings it to where the pages look for it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    source = Path(str(files("pyreveal") / "revealjs"))
    shutil.rmtree(FOLDER / "reveal", ignore_errors=True)
    shutil.copytree(source / "dist", FOLDER / "reveal" / "dist")
    shutil.copy(source / "LICENSE", FOLDER / "reveal")


def as_slides(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook of this folder, each cell marked with where its slide begins, in nbconvert's words."""
    used = 0.0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(lambda link: from_slides(link, folder), cell.source)
        lines = height(cell)
        if NOT_SHOWN & set(cell.metadata.get("tags", [])):
            kind = "skip"
        elif cell.cell_type == "markdown" and cell.source.startswith("#"):
            kind, used = "slide", lines
        elif used and used + lines > FULL:
            kind, used = "subslide", lines
        else:
            kind, used = "-", used + lines
        cell.metadata["slideshow"] = {"slide_type": kind}
    return notebook


def from_slides(link: re.Match, folder: Path) -> str:
    """A link of a notebook in `folder` as it is on its slides: to another notebook's slides, or a file."""
    text, target = link.groups()
    if target.startswith(("https://", "#")):
        return link[0]
    there = Path(os.path.normpath(folder / target))
    if there.suffix == ".ipynb" and there.parent in SERIES.values():
        there = slides_of(there)
    return f"{text}{address(there, slides_of(folder))})"


def height(cell: nbformat.NotebookNode) -> float:
    """About how many lines of text a cell takes on a slide, with its outputs."""
    lines = [line for line in cell.source.splitlines() if line.strip()]
    if cell.cell_type == "markdown":
        pictures = sum(line.startswith("![") for line in lines)
        text = " ".join(line for line in lines if not line.startswith("!["))
        tables_and_lists = sum(line.startswith(("|", "- ", "1. ")) for line in lines)
        return PICTURE * pictures + max(math.ceil(len(text) / LINE), tables_and_lists) + 1
    return 0.8 * len(lines) + 1 + sum(map(output_height, cell.get("outputs", [])))


def output_height(output: nbformat.NotebookNode) -> float:
    data = output.get("data", {})
    if "<img " in data.get("text/html", "") or any(kind.startswith("image/") for kind in data):
        return PICTURE
    text = output.get("text") or data.get("text/plain", "")
    return 0.8 * min(LONGEST_OUTPUT, text.count("\n") + 1)


def page(slides: nbformat.NotebookNode, notebook: Path) -> str:
    """The slides as one HTML page."""
    from nbconvert import SlidesExporter

    exporter = SlidesExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        reveal_url_prefix=address(FOLDER / "reveal", slides_of(notebook).parent),
        language_code="pt" if notebook.parent.name == "pt" else "en",
    )
    for cell in slides.cells:
        if cell.cell_type == "markdown":
            cell.source = PICTURE_LINK.sub(lambda link: embedded(link, notebook.parent), cell.source)
    body, _ = exporter.from_notebook_node(slides, resources={"metadata": {"name": notebook.stem}})
    return body


def embedded(link: re.Match, folder: Path) -> str:
    """A picture's link as the picture itself."""
    alt, target = link.groups()
    kind = {".svg": "svg+xml", ".png": "png"}[Path(target).suffix]
    content = base64.b64encode((folder / target).read_bytes()).decode("ascii")
    return f'<img alt="{html.escape(alt)}" src="data:image/{kind};base64,{content}">'


def index(titles: dict[str, dict[str, str]]) -> str:
    """The page that leads to the slides: of each series the titles by address."""
    lists = []
    for series, pages in titles.items():
        items = [f'<li><a href="{page}">{html.escape(title)}</a></li>' for page, title in pages.items()]
        lists += [f"<h2>{series}</h2>", "<ul>", *items, "</ul>"]
    listed = "\n".join(lists)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Slides</title></head>\n'
        '<body style="font: 1.3em sans-serif; margin: 3em; color-scheme: light dark">\n'
        f"<h1>Slides of the lessons</h1>\n{listed}\n"
        "<p>Space goes on, Escape shows all slides, S opens the speaker's view, F fills the screen.</p>\n"
        "</body></html>\n"
    )


if __name__ == "__main__":
    sys.exit(main())
