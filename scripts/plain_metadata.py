"""Give notebooks back the metadata that they are committed with, which JupyterLab changes as it opens one.

    .venv/bin/python scripts/plain_metadata.py notebooks/04_train.ipynb ...

It writes which kernel and which Python this machine has. Cells and outputs stay as they are. Exit codes: 0 there was
nothing to do; 1 a notebook was written, and a commit should have it.
"""

import sys
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there
import nbformat

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}


def main(paths: list[str]) -> int:
    written = [path for path in map(Path, paths) if make_plain(path)]
    for path in written:
        print(f"{path} has its own metadata again")
    return 1 if written else 0


def make_plain(path: Path) -> bool:
    """Write the notebook with the plain metadata; whether it had others."""
    notebook = nbformat.read(path, as_version=4)
    before = dict(notebook.metadata)
    if plain(notebook).metadata == before:
        return False
    nbformat.write(notebook, path)
    return True


def plain(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The same notebook, its metadata silent about the machine."""
    notebook.metadata |= nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    return notebook


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
