"""The workspace, and what earlier notebooks made in it."""

import html
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import helpers
from helpers import backend, display
from helpers.azure_problems import explained
from helpers.credentials import credential

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class NotMadeYet(Exception):
    """What an earlier lesson makes is not in the workspace; the message says so, and names the lesson's notebook."""

    def __init__(self, missing: str, notebook: str, answer: str = ""):
        self.notebook = lesson(notebook)
        super().__init__(f"{missing} Run {self.notebook} first, with the same parameters.{answer}")

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of tracebacks, which would help nobody here; a link is shown above it."""
        file = html.escape(self.notebook)
        display.show({"text/html": f'<p>Open <a href="{file}">{file}</a> and run it.</p>', "text/plain": ""})
        return [f"{type(self).__name__}: {self}"]


def lesson(notebook: str) -> str:
    """A lesson's notebook as it is seen from this folder: the exercises beside have the same names as the lessons."""
    here = Path.cwd()
    for above in here.parents[:2]:
        series = above / "notebooks" / here.name
        path = (series if series.is_dir() else above / "notebooks") / notebook
        if path.is_file():
            return os.path.relpath(path, here)
    return notebook


def connect():
    """The workspace that Workspace.from_config finds with the environment's credential, after saying which it is.

    Raises AzureProblem, which says what to do, where the settings, config.json or Azure stand in the way, and
    BackendError on a Python that the real SDK cannot submit a run with.
    """
    from azureml.core import Workspace

    _check_python()
    with explained():
        workspace = Workspace.from_config(auth=credential())
    print(f"Workspace {workspace.name}, resource group {workspace.resource_group}, location {workspace.location}")
    return workspace


def _check_python() -> None:
    if backend.imported_backends()["azureml"] == "azure" and importlib.util.find_spec("imghdr") is None:
        raise backend.BackendError(
            "azureml-core needs Python 3.12 or older: it imports imghdr, which Python 3.13 no longer has. Set the "
            "environment up with make PYTHON=/path/to/python3.12, or use the lessons on version 2."
        )


@contextmanager
def made_by(notebook: str) -> Iterator[None]:
    """Where the SDK refuses what stands in the block, raise NotMadeYet, which also names the notebook to run first.

    A login, permission or network that fails is AzureProblem, as of `explained`.
    """
    try:
        with explained():
            yield
    except _refusals() as error:
        missing, answer = f"This notebook needs what {lesson(notebook)} makes.", _first_line(error)
        raise NotMadeYet(missing, notebook, f" The workspace's answer was: {answer}") from error


def _refusals() -> tuple[type[Exception], ...]:
    """What the SDKs that this process has imported raise where the workspace has no such thing."""
    classes = {"azureml.exceptions": "AzureMLException", "azure.core.exceptions": "AzureError"}
    return tuple(getattr(sys.modules[module], name) for module, name in classes.items() if module in sys.modules)


def says_not_found(error: Exception) -> bool:
    """Whether SDK v1's exception says that there is no such thing: of its classes, most have other reasons as well."""
    return bool(re.search(r"cannot find|not ?found", str(error), re.IGNORECASE))


def of_series(assets: Mapping[str, object]) -> dict[str, object]:
    """Those of the workspace's assets, by name, that carry the series' tag; whatever else somebody made is left out."""
    found = {name: assets.get(name) for name in assets}  # None for what the workspace lists and cannot give
    return {
        name: asset
        for name, asset in found.items()
        if asset is not None and helpers.SERIES_TAG.items() <= dict(asset.tags or {}).items()
    }


def _first_line(error: Exception) -> str:
    """What the exception says, without the response that SDK v1 appends and what the v2 client paints around it."""
    text = _COLOURS.sub("", str(getattr(error, "message", None) or error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [line.removeprefix("(x)").strip() for line in lines if line.startswith("(x)")]
    return [*found, *lines, type(error).__name__][0]
