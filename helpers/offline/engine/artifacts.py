"""The files of a run: outputs/, logs/ and what was uploaded, in the folder where MLflow keeps its artifacts."""

import os
import shutil
import uuid
from pathlib import Path

from helpers.offline.engine import database, mlflow_store
from helpers.offline.engine.errors import AlreadyExists, NotFound
from helpers.offline.engine.names import relative_name, safe_join

UPLOADING = ".uploading-"  # begins the name of a file that is not whole yet


def root_of(folder: Path, run_id: str) -> Path:
    """The run's artifact folder, absolute; it may not exist yet. Raises NotFound for an unknown run."""
    if not database.rows(folder, "SELECT 1 FROM runs WHERE run_id=?", (run_id,)):
        mlflow_store.run(folder, run_id)  # one that MLflow made itself, and that was not listed yet
    return folder / "artifacts" / run_id / "artifacts"


def files_of(folder: Path, run_id: str) -> list[str]:
    """The names of the run's files, as sorted posix paths."""
    return files_below(root_of(folder, run_id))


def path_of(folder: Path, run_id: str, name: str) -> Path:
    """Where a file of the run lies. Raises NotFound and Invalid."""
    path = safe_join(root_of(folder, run_id), name)
    if not path.is_file():
        raise NotFound(
            f"The run {run_id} has no file {name!r}. It has: {', '.join(files_of(folder, run_id)) or 'none'}."
        )
    return path


def upload(folder: Path, run_id: str, name: str, source: Path, overwrite: bool = False) -> None:
    """Copy `source` into the run as `name`, whole or not at all. Raises AlreadyExists and Invalid."""
    target = _target(folder, run_id, name, overwrite)
    part = target.with_name(f"{UPLOADING}{uuid.uuid4().hex}")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def upload_bytes(folder: Path, run_id: str, name: str, content: bytes, overwrite: bool = False) -> None:
    """Write `content` into the run as `name`, whole or not at all. Raises AlreadyExists and Invalid."""
    target = _target(folder, run_id, name, overwrite)
    part = target.with_name(f"{UPLOADING}{uuid.uuid4().hex}")
    part.write_bytes(content)
    part.replace(target)


def files_below(root: Path) -> list[str]:
    """The regular files below a folder, as sorted posix paths; folders behind links are not entered."""
    return sorted(
        (Path(parent) / name).relative_to(root).as_posix()
        for parent, _, names in os.walk(root)
        for name in names
        if not name.startswith(UPLOADING) and (Path(parent) / name).is_file()
    )


def _target(folder: Path, run_id: str, name: str, overwrite: bool) -> Path:
    target = safe_join(root_of(folder, run_id), relative_name(name))
    if target.exists() and not overwrite:
        raise AlreadyExists(f"The run {run_id} has a file {name!r} already.")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
