"""Where the files of a run are kept: in the folder where MLflow keeps its artifacts. run_files reads them."""

import re
from pathlib import Path

from helpers.offline.engine.history import runs
from helpers.offline.engine.workspace import database
from helpers.offline.engine.workspace.errors import AlreadyExists
from helpers.offline.engine.workspace.files import copy_whole, move_whole, write_whole
from helpers.offline.engine.workspace.names import relative_name, safe_join


def root_of(folder: Path, run_id: str) -> Path:
    """The run's artifact folder, absolute; it may not exist yet. Raises NotFound for an unknown run."""
    if not database.rows(folder, "SELECT 1 FROM runs WHERE run_id=?", (run_id,)):
        runs.check(folder, run_id)  # one that MLflow made itself, and that was not listed yet
    return folder / "artifacts" / run_id / "artifacts"


def address(run_id: str, name: str = "") -> str:
    """A file of a run, or a folder, or all of them, as a path in the datastore that keeps those of all runs."""
    return f"ExperimentRun/dcid.{run_id}" + (f"/{name}" if name else "")


def at_address(path: str) -> tuple[str, str] | None:
    """The run's id and the name that such a path has been made of; None for any other path."""
    found = re.fullmatch(r"ExperimentRun/dcid\.([^/]+)(?:/(.*))?", path, re.DOTALL)
    return found and (found[1], found[2] or "")


def upload(folder: Path, run_id: str, name: str, source: Path, overwrite: bool = False) -> None:
    """Copy `source` into the run as `name`, whole or not at all. Raises AlreadyExists and Invalid."""
    copy_whole(source, _target(folder, run_id, name, overwrite))


def take(folder: Path, run_id: str, name: str, source: Path) -> None:
    """Have a file as `name` in the run, in place of what was there; see move_whole(). Raises Invalid and OSError."""
    move_whole(source, _target(folder, run_id, name, overwrite=True))


def upload_bytes(folder: Path, run_id: str, name: str, content: bytes, overwrite: bool = False) -> None:
    """Write `content` into the run as `name`, whole or not at all. Raises AlreadyExists and Invalid."""
    write_whole(content, _target(folder, run_id, name, overwrite))


def _target(folder: Path, run_id: str, name: str, overwrite: bool) -> Path:
    target = safe_join(root_of(folder, run_id), relative_name(name))
    if target.exists() and not overwrite:
        raise AlreadyExists(f"The run {run_id} has a file {name!r} already.")
    return target
