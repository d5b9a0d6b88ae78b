"""Slides are made of the notebooks' own cells, and need no network."""

import re

import make_slides
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def kinds(*cells) -> list[str]:
    slides = make_slides.as_slides(new_notebook(cells=list(cells)), make_slides.NOTEBOOKS)
    return [cell.metadata.slideshow.slide_type for cell in slides.cells]


def test_a_heading_begins_a_slide_and_a_full_one_goes_on_below():
    text, long_text = new_markdown_cell("A word."), new_markdown_cell("word " * 300)
    cells = [
        new_markdown_cell("# Title"),
        text,
        new_code_cell("x = 1"),
        long_text,
        new_markdown_cell("## Next"),
        new_markdown_cell("A word."),
    ]
    assert kinds(*cells) == ["slide", "-", "-", "subslide", "slide", "-"]


def test_parameters_are_left_out():
    assert kinds(new_code_cell("x: int = 1", metadata={"tags": ["parameters"]})) == ["skip"]


def test_a_picture_takes_room_and_a_long_output_not_more_than_fits():
    picture = nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": "[picture]"})
    log = nbformat.v4.new_output("stream", text="line\n" * 500)
    cells = [new_code_cell("", outputs=[picture]), new_code_cell("", outputs=[log]), new_markdown_cell("![map](x.svg)")]
    assert all(make_slides.PICTURE <= make_slides.height(cell) + 1.5 <= make_slides.FULL for cell in cells)


@pytest.mark.parametrize(
    "source, expected",
    [
        ("[2](02_data.ipynb)", "[2](02_data.html)"),
        ("[2](v2/02_data.ipynb)", "[2](v2/02_data.html)"),
        ("[2](pt/02_data.ipynb)", "[2](pt/02_data.html)"),
        ("[2](../workshop/02_data.ipynb)", "[2](../../workshop/02_data.ipynb)"),
        ("[p](../docs/azure.md)", "[p](../../docs/azure.md)"),
        ("[a](https://example.org/x)", "[a](https://example.org/x)"),
        ("![map](../docs/images/here-1.svg)", "![map](../docs/images/here-1.svg)"),  # it is put into the page
    ],
)
def test_links_lead_from_the_slides_to_where_they_led_from_the_notebook(source, expected):
    folder = make_slides.NOTEBOOKS
    assert make_slides.LINK.sub(lambda link: make_slides.from_slides(link, folder), source) == expected


def test_links_of_version_two_lead_to_its_slides_and_out_of_their_folder():
    folder = make_slides.NOTEBOOKS / "v2"
    source = "[3](03_compute.ipynb) [1](../03_compute.ipynb) [p](../../docs/azure.md)"
    expected = "[3](03_compute.html) [1](../03_compute.html) [p](../../../docs/azure.md)"
    assert make_slides.LINK.sub(lambda link: make_slides.from_slides(link, folder), source) == expected


@pytest.mark.parametrize("series", make_slides.SERIES.values(), ids=make_slides.SERIES)
def test_a_page_asks_nobody_for_anything_and_has_its_pictures_in_it(tmp_path, monkeypatch, series):
    monkeypatch.setattr(make_slides, "FOLDER", tmp_path)
    make_slides.place_reveal()
    notebook = sorted(series.glob("*.ipynb"))[3]
    page = make_slides.page(make_slides.as_slides(nbformat.read(notebook, as_version=4), series), notebook)
    asked = re.findall(r'<(?:script|link|img)\b[^>]*?(?:src|href)="([^"]+)"', page)
    assert asked
    for address in asked:
        assert address.startswith("data:") or (make_slides.slides_of(notebook).parent / address).resolve().is_file(), (
            address
        )
    assert not re.search(r"@import|url\(['\"]?https?:", page)
    assert page.count("data:image/svg+xml") >= 2
    assert page.index("word-break: break-all") < page.index("word-break: normal; overflow-wrap")
    assert f'<html lang="{"pt" if series.name == "pt" else "en"}">' in page
    assert (tmp_path / "reveal" / "LICENSE").is_file()


def test_every_series_has_slides():
    assert set(make_slides.SERIES.values()) == {path.parent for path in make_slides.NOTEBOOKS.glob("**/01_setup.ipynb")}


def test_the_index_leads_to_each_page():
    page = make_slides.index({"Version 2": {"v2/01_setup.html": "1 · Set <up>"}})
    assert "<h2>Version 2</h2>" in page
    assert '<a href="v2/01_setup.html">1 · Set &lt;up&gt;</a>' in page
