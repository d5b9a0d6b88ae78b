"""Slides are made of the notebooks' own cells, and need no network."""

import re

import make_slides
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

NOTEBOOKS = sorted(make_slides.NOTEBOOKS.glob("*.ipynb"))


def kinds(*cells) -> list[str]:
    slides = make_slides.as_slides(new_notebook(cells=list(cells)))
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
        ("[2](v2/02_data.ipynb)", "[2](../../notebooks/v2/02_data.ipynb)"),
        ("[p](../docs/azure.md)", "[p](../../docs/azure.md)"),
        ("[a](https://example.org/x)", "[a](https://example.org/x)"),
        ("![map](../docs/images/here-1.svg)", "![map](../docs/images/here-1.svg)"),  # it is put into the page
    ],
)
def test_links_lead_from_the_slides_to_where_they_led_from_the_notebook(source, expected):
    assert make_slides.LINK.sub(make_slides.from_slides, source) == expected


def test_a_page_asks_nobody_for_anything_and_has_its_pictures_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr(make_slides, "FOLDER", tmp_path)
    make_slides.place_reveal()
    notebook = NOTEBOOKS[3]
    page = make_slides.page(make_slides.as_slides(nbformat.read(notebook, as_version=4)), notebook)
    asked = re.findall(r'<(?:script|link|img)\b[^>]*?(?:src|href)="([^"]+)"', page)
    assert asked
    for address in asked:
        assert address.startswith("data:") or (tmp_path / address).is_file(), address
    assert not re.search(r"@import|url\(['\"]?https?:", page)
    assert page.count("data:image/svg+xml") >= 2
    assert (tmp_path / "reveal" / "LICENSE").is_file()


def test_the_index_leads_to_each_page():
    page = make_slides.index({"01_setup": "1 · Set <up>"})
    assert '<a href="01_setup.html">1 · Set &lt;up&gt;</a>' in page
