"""Small notebooks for tests of the batch runner, in a project folder of their own, and the runner to run them."""

import json
from pathlib import Path

import nbformat

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
RUNNER = SCRIPTS / "run_notebooks.py"

PARAMETERS = """
epochs: int = 20  # times that the data is seen; more = slower
learning_rate: float = 1e-3
name: str = "keras-mnist"  # of the model
shuffle: bool = True
layers: list[int] = [
    300,
    100,
]  # neurons
tags: dict[str, str] | None = None
seed = 42
"""

RECORD = """
from IPython.display import display
payload = {{"application/vnd.keras-azureml.result+json": {{"name": {name!r}, "value": {value}}}, "text/plain": "."}}
display(payload, raw=True)
"""


def write_notebook(
    project: Path,
    name: str,
    *sources: str,
    parameters: str = "",
    tags: dict | None = None,
    prose: str = "",
    series: str = "",
    **workspace: dict,
) -> Path:
    """Write `name`.ipynb, in notebooks/ or its folder `series`, with a code cell for each source, after its prose.

    `tags` are by the cell's place, from 0; `workspace` is what its metadata says that it `needs` and `removes`.
    """
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for place, tag in (tags or {}).items():
        cells[place].metadata["tags"] = [tag]
    if parameters:
        cells.insert(0, nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    cells.insert(0, nbformat.v4.new_markdown_cell(f"# {name}{prose}"))
    path = project / "notebooks" / series / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"workspace": workspace} if workspace else {}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def jupyterlab_opens(path: Path) -> None:
    """Write a notebook as JupyterLab does that has only opened it."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata.language_info = {"name": "python", "version": "3.12.1", "mimetype": "text/x-python"}
    nbformat.write(notebook, path)


def record(name: str, expression: str) -> str:
    """The source of a cell that reports the value of `expression`."""
    return RECORD.format(name=name, value=expression)


def run(project: Path, *arguments: str) -> int:
    import run_notebooks

    return run_notebooks.main(["--notebooks", str(project / "notebooks"), *arguments])


def manifest(project: Path) -> dict[str, dict]:
    return json.loads((project / "output" / "manifest.json").read_text())["notebooks"]


def executed(project: Path, name: str) -> nbformat.NotebookNode:
    return nbformat.read(project / "output" / f"{name}.ipynb", as_version=4)
