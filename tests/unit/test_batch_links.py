"""Where the links and pictures of executed notebooks lead."""

import re
from pathlib import Path

import nbformat
import pytest
from batch.links import lead_on
from small_notebooks import executed, run, write_notebook


@pytest.fixture
def project(tmp_path):
    """The notebooks 1 and 2, the first also as of another series, a picture whose name has blanks, and a page."""
    for name, series in (("01_a", ""), ("02_b", ""), ("01_a", "v2")):
        write_notebook(tmp_path, name, "x = 1", series=series)
    (tmp_path / "notebooks" / "a map.svg").touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "azure.md").touch()
    return tmp_path


def led_on(source: str, project: Path, output: Path) -> str:
    """What becomes of a cell of notebook 1 in an output folder, however often it is led on."""
    cells = [nbformat.v4.new_markdown_cell(source)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), output / "01_a.ipynb")
    for _ in range(2):
        lead_on(output / "01_a.ipynb", project / "notebooks" / "01_a.ipynb")
    return nbformat.read(output / "01_a.ipynb", as_version=4).cells[0].source


@pytest.mark.parametrize(
    ("source", "led"),
    [
        ("[Next](02_b.ipynb#part)", "[Next](../notebooks/02_b.ipynb#part)"),
        ("[v2](v2/01_a.ipynb)", "[v2](../notebooks/v2/01_a.ipynb)"),
        ("[v2]\n\n[v2]: v2/01_a.ipynb", "[v2]\n\n[v2]: ../notebooks/v2/01_a.ipynb"),
        ('<a href="02_b.ipynb">', '<a href="../notebooks/02_b.ipynb">'),
        ("![A](a%20map.svg) ![B](<a map.svg>)", "![A](../notebooks/a%20map.svg) ![B](../notebooks/a%20map.svg)"),
        ("[Itself](01_a.ipynb)", "[Itself](01_a.ipynb)"),
        ("[Page](../docs/azure.md)", "[Page](../docs/azure.md)"),
        ("[Nothing](03_c.ipynb), [part](#part)", "[Nothing](03_c.ipynb), [part](#part)"),
        ("[Web](https://example.org/02_b.ipynb)", "[Web](https://example.org/02_b.ipynb)"),
        ("[Absolute](/dev/null)", "[Absolute](/dev/null)"),
        *[(longer, longer) for longer in (f"![Inside](data:image/png;base64,{'A' * 5000})", f"[No file]({'a' * 500})")],
    ],
)
def test_what_is_not_in_the_output_is_found_where_the_notebooks_are(project, source, led):
    (project / "output").mkdir()
    assert led_on(source, project, project / "output") == led


def test_an_executed_notebook_leads_to_those_of_its_batch_and_of_earlier_ones(project):
    (project / "output" / "v2").mkdir(parents=True)
    (project / "output" / "v2" / "01_a.ipynb").touch()  # of an earlier batch
    write_notebook(project, "03_c", "raise ValueError", prose=" [b](02_b.ipynb), [d](04_d.ipynb), [v2](v2/01_a.ipynb)")
    write_notebook(project, "04_d", "x = 1")
    led = "# 03_c [b](../notebooks/02_b.ipynb), [d]({}04_d.ipynb), [v2](v2/01_a.ipynb)"
    assert run(project, "3-4") == 1
    assert led.format("../notebooks/") in [cell.source for cell in executed(project, "03_c").cells]
    write_notebook(project, "03_c", "x = 1", prose=" [b](02_b.ipynb), [d](04_d.ipynb), [v2](v2/01_a.ipynb)")
    assert run(project, "3-4") == 0
    assert led.format("") in [cell.source for cell in executed(project, "03_c").cells]


def test_from_a_folder_elsewhere_it_leads_to_a_notebook_that_a_later_batch_has_run(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    targets = []
    for source, code in (("1 / 0", 1), ("x = 1", 0)):
        write_notebook(project, "01_a", source, prose=" [b](02_b.ipynb)")
        assert run(project, "--output", str(elsewhere)) == code
        cells = nbformat.read(elsewhere / "01_a.ipynb", as_version=4).cells
        targets += re.findall(r"# 01_a \[b\]\((.*)\)", "".join(cell.source for cell in cells))
    assert (elsewhere / targets[0]).samefile(project / "notebooks" / "02_b.ipynb")
    assert targets[1] == "02_b.ipynb"


def test_from_an_output_folder_elsewhere_everything_is_found(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    target = led_on("[Page](../docs/azure.md)", project, elsewhere).removeprefix("[Page](").removesuffix(")")
    assert (elsewhere / target).samefile(project / "docs" / "azure.md")
