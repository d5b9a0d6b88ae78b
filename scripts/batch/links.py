"""Links and pictures in an executed notebook, whose paths begin in the folder of the notebook that it was made from."""

import html
import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

import nbformat

from batch.outcome import read_executed

# What precedes a target in Markdown and HTML, and the target, which Markdown has in < > where it has blanks.
TARGET = re.compile(r'(\]\(|^\[[^\]\n]+\]:[ \t]+|\b(?:src|href)=")(?:<([^<>\n]+)>|([^\s()<>"]+))', re.MULTILINE)


def lead_on(executed: Path, source: Path) -> None:
    """Have its links lead to what they mean beside the notebook `source`: in the output folder, once that is there.

    What is there changes as a batch goes on; then it is done again.
    """
    notebook = read_executed(executed)
    if notebook is None:
        return
    output, folder = executed.parent, source.parent

    def lead(found: re.Match) -> str:
        target = found[2] or found[3]
        path, mark, part = target.partition("#")
        places = [place / file_name(path) for place in (folder, output)]  # the latter where it was led on before
        meant = next(filter(os.path.exists, places), None)  # False of what no file can be called, such as a long one
        if ":" in path or path.startswith("/") or not path or meant is None:
            return found[0]
        there = output / os.path.relpath(meant, folder)
        led = Path(os.path.relpath(there if there.exists() else meant, output)).as_posix()
        return found[0] if led == file_name(path) else f"{found[1]}{quote(led)}{mark}{part}"

    before = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = TARGET.sub(lead, cell.source)
    if [cell.source for cell in notebook.cells] != before:
        nbformat.write(notebook, executed)


def file_name(target: str) -> str:
    """The file that a target names, in which HTML and addresses stand for some characters by others."""
    return unquote(html.unescape(target))
