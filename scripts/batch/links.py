"""Links and pictures in an executed notebook, whose paths begin in the folder of the notebook that it was made from."""

import html
import os
import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import quote, unquote

import nbformat

from batch.outcome import read_executed

# What precedes a target in Markdown and HTML, and the target, which Markdown has in < > where it has blanks.
TARGET = re.compile(r'(\]\(|^\[[^\]\n]+\]:[ \t]+|\b(?:src|href)=")(?:<([^<>\n]+)>|([^\s()<>"]+))', re.MULTILINE)


def lead_on(executed: Path, source: Path, batch: Collection[str]) -> None:
    """Have what would lead nowhere from the output folder lead to what it means beside the notebook `source`.

    To a notebook of the batch, whose names are given, it leads in the output folder, where that is or will be.
    """
    notebook = read_executed(executed)
    if notebook is None:
        return
    output = executed.parent

    def lead(found: re.Match) -> str:
        target = found[2] or found[3]
        path, mark, part = target.partition("#")
        meant = source.parent / file_name(path)
        there = output / file_name(path)
        if ":" in path or there.exists() or (there.parent == output and there.name in batch) or not meant.exists():
            return found[0]
        return f"{found[1]}{quote(Path(os.path.relpath(meant, output)).as_posix())}{mark}{part}"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = TARGET.sub(lead, cell.source)
    nbformat.write(notebook, executed)


def file_name(target: str) -> str:
    """The file that a target names, in which HTML and addresses stand for some characters by others."""
    return unquote(html.unescape(target))
