"""Make the outputs that the notebooks are committed with, which are also what the tests expect, and README's pictures.

    .venv/bin/python scripts/make_outputs.py [v1] [v2]

Runs each series in order, with the parameters that its notebooks have, in a new offline workspace that is deleted
afterwards. Of a series nothing is written unless all run to their end.
"""

import argparse
import base64
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there
import nbformat
from batch.command_line import NOTEBOOKS
from batch.kernels import ThisInterpreter
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from plain_metadata import plain
from tqdm import tqdm

from helpers.offline.engine.removal import reset

CELL_TIMEOUT = 1200  # seconds
IMAGES = NOTEBOOKS.parent / "docs" / "images"
SERIES = {"v1": NOTEBOOKS, "v2": NOTEBOOKS / "v2"}
COLOR = re.compile(r"\x1b\[\d*m")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", nargs="*", help=f"by default all: {', '.join(SERIES)}")
    names = parser.parse_args().series or list(SERIES)
    if unknown := set(names) - set(SERIES):
        parser.error(f"there is no series {', '.join(sorted(unknown))}; there are: {', '.join(SERIES)}")
    return max(make(SERIES[name]) for name in names)


def make(series: Path) -> int:
    """Run the notebooks of a folder and write them with their outputs; an exit code."""
    paths = sorted(series.glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as world:
        folder = working_copy(Path(world)) / series.relative_to(NOTEBOOKS)
        os.environ["AZUREML_OFFLINE_FOLDER"] = str(offline := Path(world, "offline"))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [world, os.environ.get("PYTHONPATH")]))
        executed = {}
        try:
            for path in tqdm(paths, unit="notebook"):
                executed[path] = execute(path, folder)
                for_readers(executed[path], offline)
        except CellExecutionError as error:
            print(f"{path.name} failed; no notebook was changed.\n{error}", file=sys.stderr)
            return 1
        finally:
            reset(offline)  # a service goes on until it is ended
    for path, notebook in executed.items():
        nbformat.write(notebook, path)
    if series == NOTEBOOKS:
        write_pictures(executed)
    return 0


def working_copy(world: Path) -> Path:
    """A copy of the notebooks' folder in `world`, with what they use beside it.

    With `world` first in PYTHONPATH it is the repository for them: what they write stays in it.
    """
    for name in ("data", "helpers", "scripts"):
        (world / name).symlink_to(NOTEBOOKS.parent / name)
    return Path(shutil.copytree(NOTEBOOKS, world / "notebooks"))


def execute(path: Path, folder: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=ThisInterpreter,
        resources={"metadata": {"path": str(folder)}},
        timeout=CELL_TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
    ).execute()
    return notebook


def for_readers(notebook: nbformat.NotebookNode, offline: Path) -> None:
    """Say in the outputs where a reader's offline workspace is, and leave out what tells of this machine."""
    plain(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = output.text.replace(str(offline), ".offline")
        if "outputs" in cell:  # azure-ai-ml resets the colour of a progress bar that it was told not to show
            cell.outputs = [output for output in cell.outputs if COLOR.sub("", output.get("text", "-")).strip()]


def write_pictures(executed: dict[Path, nbformat.NotebookNode]) -> None:
    """Keep for README the first picture of 02_data, its digits, and the last of 04_train, its curve."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, notebook, which in (("digits", "02_data", 0), ("training_curve", "04_train", -1)):
        cells = executed[NOTEBOOKS / f"{notebook}.ipynb"].cells
        shown = (output.get("data", {}).get("text/html", "") for cell in cells for output in cell.get("outputs", []))
        pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', "".join(shown))
        (IMAGES / f"{name}.png").write_bytes(base64.b64decode(pictures[which]))


if __name__ == "__main__":
    sys.exit(main())
