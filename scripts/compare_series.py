"""Fill docs/v1-to-v2.md with code and output of both series' notebooks: each line that it shows is one that runs.

The page's own text stays as it is. What stands between `<!-- … -->` and `<!-- end -->` is filled in anew:

    <!-- v1 04_train submit, watch | v2 04_train submit-job, streamed -->     those cells' code, side by side
    <!-- output v1 06_download_validate accuracy | v2 06_download_validate compared -->     what they printed
"""

import re
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there
import nbformat

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "v1-to-v2.md"
FOLDERS = {"v1": ROOT / "notebooks", "v2": ROOT / "notebooks" / "v2"}
PLACE = re.compile(r"<!-- (output )?(v1 [^|\n]+) \| (v2 [^|\n]+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str) -> str:
    """The page with every place filled in. Raises KeyError for a cell that no notebook has."""
    return PLACE.sub(_fill, page)


def _fill(place: re.Match) -> str:
    read, language = (_output, "text") if place[1] else (_code, "python")
    columns = [f"```{language}\n{read(side)}\n```" for side in (place[2], place[3])]
    table = "\n\n</td><td>\n\n".join(columns)
    heading = "<table><tr><th>SDK v1</th><th>SDK v2</th></tr><tr><td>"
    return f"{place[0].splitlines()[0]}\n{heading}\n\n{table}\n\n</td></tr></table>\n<!-- end -->"


def _code(side: str) -> str:
    return "\n\n".join(cell.source.strip() for cell in _cells(side))


def _output(side: str) -> str:
    return "\n".join(output.text.strip() for cell in _cells(side) for output in cell.outputs if "text" in output)


def _cells(side: str) -> list:
    """The cells that `v1 04_train submit, watch` names, in that order."""
    series, notebook, names = side.split(maxsplit=2)
    cells = nbformat.read(FOLDERS[series] / f"{notebook}.ipynb", as_version=4).cells
    by_id = {cell.id: cell for cell in cells if cell.cell_type == "code"}
    return [by_id[name.strip()] for name in names.split(",")]


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
