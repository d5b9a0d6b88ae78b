"""A learner's folder, workshop/run/NAME: copies of the notebooks to work in, and a world of their own.

Nothing that is done there changes a tracked file, nor what another learner on the same machine has.
"""

import fcntl
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import nbformat

from classroom import WorkshopError
from classroom.copies import LESSONS, ROOT, SOURCES, learner_copy, lesson_copy, page_copy, solution_copy

RUN = SOURCES / "run"
SERIES = ("", "v2", "pt")  # their folders
BOOKS = ("notebooks", "exercises", "solutions")  # what a learner writes into
BESIDE = ("data", "docs", "scripts")  # what the notebooks link to, to be read beside them as in the repository
NOT_BESIDE = ("__pycache__", "classroom", "batch")
# JupyterLab's terminal begins in the learner's folder, where the lessons' `make studio` shows the learner's workspace.
# make hands on what its command line sets, such as PORT=5001.
MAKEFILE = """.PHONY: studio
studio:
	AZUREML_OFFLINE_FOLDER="$(CURDIR)/.offline" $(MAKE) -C ../../.. studio
"""
# What JupyterLab asks the network for, which may not be there.
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": False}


def folder_of(name: str) -> Path:
    """The folder of the learner of this name. Raises WorkshopError for a name that is none."""
    if not re.fullmatch(r"\w[\w-]{0,39}", name):
        raise WorkshopError(f"{name!r} is no name for a learner's folder: use up to 40 letters, digits, - and _.")
    return RUN / name


def world_of(folder: Path) -> Path:
    """The learner's offline workspace."""
    return folder / ".offline"


def told(path: Path) -> str:
    """The path as people are told it: from the repository on, where it lies inside."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def prepare(folder: Path) -> None:
    """Put the copies that are not there into the learner's folder; what is there stays as the learner has it."""
    for name in BESIDE:
        if not (folder / name).exists():
            part = _part(folder / name)
            if part.exists():
                shutil.rmtree(part)
            shutil.copytree(ROOT / name, part, ignore=shutil.ignore_patterns(*NOT_BESIDE))
            for page in part.glob("*.md"):
                page.write_text(page_copy(page.read_text(encoding="utf-8"), _is_beside_docs), encoding="utf-8")
            for file in (path for path in part.rglob("*") if path.is_file()):
                file.chmod(0o444)  # a run takes the repository's: JupyterLab shows these, and lets nobody change them
            part.rename(folder / name)
    (folder / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    for source in _books(SOURCES):
        copied = source.relative_to(SOURCES)
        _write(folder / "exercises" / copied, learner_copy(_read(source), str(copied)))
        _write(folder / "solutions" / copied, solution_copy(_read(source)))
    for lesson in _books(LESSONS):
        copied = lesson.relative_to(LESSONS)
        exercises = str(copied) if (SOURCES / copied).is_file() else None
        _write(folder / "notebooks" / copied, lesson_copy(_read(lesson), exercises, f"{told(folder)}/output"))


def _books(folder: Path) -> list[Path]:
    """The notebooks of each series in a folder."""
    return [path for series in SERIES for path in sorted((folder / series).glob("*.ipynb"))]


def _is_beside_docs(target: str) -> bool:
    """Whether the file that a page in docs links to is there in a learner's folder, too."""
    path = Path(os.path.normpath(ROOT / "docs" / target))
    inner = path.relative_to(ROOT).parts if path.exists() and path.is_relative_to(ROOT) else ("",)
    return inner[0] in (*BESIDE, "notebooks") and not set(inner) & set(NOT_BESIDE)


def put_aside(folder: Path) -> Path | None:
    """Move the learner's notebooks into a folder of their own, from which they can be taken back; None without any."""
    there = [folder / name for name in BOOKS if (folder / name).exists()]
    if not there:
        return None
    names = (re.fullmatch(r"before-reset-(\d+)", path.name) for path in folder.iterdir())
    number = 1 + max([0, *(int(name[1]) for name in names if name)])
    aside = folder / f"before-reset-{number}"
    aside.mkdir()
    for path in there:
        path.rename(aside / path.name)
    for name in BESIDE:  # as the notebooks' links and pictures have it
        (aside / name).symlink_to(Path("..", name))
    return aside


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that works in the learner's world."""
    return os.environ | {"AZUREML_OFFLINE_FOLDER": str(world_of(folder))}


def open_lab(folder: Path, series: str, arguments: list[str]) -> NoReturn:
    """Become JupyterLab in the learner's folder, which it holds until it ends, at the first lesson of a series.

    Raises WorkshopError.
    """
    command = [sys.executable, "-m", "jupyter", "lab", "--ip=127.0.0.1", f"--ServerApp.root_dir={folder}"]
    first = (Path("/lab/tree/notebooks") / series / "01_setup.ipynb").as_posix()
    command += ["--allow-root", f"--LabApp.default_url={first}", *arguments]
    settings = folder / ".jupyter"
    notification = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    if not notification.exists():
        notification.parent.mkdir(parents=True, exist_ok=True)
        notification.write_text(json.dumps(QUIET))
    variables = environment(folder) | {"JUPYTERLAB_SETTINGS_DIR": str(settings)}
    variables["JUPYTERLAB_WORKSPACES_DIR"] = str(settings / "workspaces")
    os.set_inheritable(_claim(folder), True)
    sys.stdout.flush()
    os.chdir(folder)
    os.execve(command[0], command, variables)


def _claim(folder: Path) -> int:
    """A descriptor that holds the learner's folder while it is open. Raises WorkshopError where another has it."""
    lock = os.open(folder / ".open", os.O_CREAT | os.O_WRONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise WorkshopError(
            f"JupyterLab is already open for {folder.name!r} on this machine. A second learner here needs a name "
            "of their own: make workshop NAME=somebody"
        ) from None
    return lock


def _read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def _part(path: Path) -> Path:
    """Where a copy is until it is whole: what exists under its own name is not copied again."""
    return path.with_name(f"{path.name}.part")


def _write(path: Path, notebook: nbformat.NotebookNode) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, _part(path))
        _part(path).rename(path)
