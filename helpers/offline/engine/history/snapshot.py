"""The snapshot of a source directory: what a job gets, and what the run keeps as its code."""

import hashlib
import logging
import os
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pathspec

from helpers.offline.engine.workspace.errors import Invalid, NotFound, TooLarge
from helpers.offline.engine.workspace.files import whole

_logger = logging.getLogger(__name__)

# The service's limits, as azureml-core 1.61 has them (azureml._restclient.constants, SNAPSHOT_MAX_…).
MAX_BYTES = 300 * 1024 * 1024
MAX_FILES = 2000
NEVER_TAKEN = [".git/", "__pycache__/", ".ipynb_checkpoints/"]  # so that a rerun of the same code is the same snapshot


def take(folder: Path, source_directory: Path, max_bytes: float | None = None, max_files: float | None = None) -> str:
    """Store the directory's files and return the snapshot's id; the same content has the same id.

    Honours the directory's .amlignore, or its .gitignore where there is none. What a link leads to is taken as if it
    stood there, wherever that is, as the SDK takes it; the workspace in `folder` is not.
    Raises NotFound, TooLarge, and Invalid for what cannot be taken: a link that leads nowhere or in circles, a name
    that is not UTF-8, a pattern that cannot be read.
    """
    source = Path(source_directory).resolve()
    if not source.is_dir():
        raise NotFound(f"The source directory {source_directory} does not exist.")
    limits = [MAX_BYTES if max_bytes is None else max_bytes, MAX_FILES if max_files is None else max_files]
    files = list_files(source, folder, *limits)
    digest = hashlib.sha256()
    for name, path in files:
        mode = path.stat().st_mode & 0o111
        digest.update(f"{name}\0{mode}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    snapshot_id = str(uuid.UUID(digest.hexdigest()[:32]))
    target = snapshot_path(folder, snapshot_id)
    if not target.exists():
        with (
            whole(target) as partial,
            zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive,
        ):
            for name, path in files:
                archive.write(path, name)
    return snapshot_id


def take_empty(folder: Path) -> str:
    """The id of a snapshot without files, for what has no code of its own."""
    with tempfile.TemporaryDirectory() as empty:
        return take(folder, Path(empty))


def snapshot_path(folder: Path, snapshot_id: str) -> Path:
    """Where the snapshot's zip file lies."""
    return folder / "snapshots" / f"{snapshot_id}.zip"


def extract(folder: Path, snapshot_id: str, target: Path) -> None:
    """Lay the snapshot's files out in `target`. Raises NotFound."""
    archive_path = snapshot_path(folder, snapshot_id)
    if not archive_path.exists():
        raise NotFound(f"The workspace has no snapshot {snapshot_id!r}.")
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive_path) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, target))
            if entry.external_attr >> 16 & 0o111:
                path.chmod(0o755)


def list_files(
    source: Path, left_out: Path | None = None, max_bytes: float = MAX_BYTES, max_files: float = MAX_FILES
) -> list[tuple[str, Path]]:
    """The (posix name, path) of each file that a snapshot of `source` holds, by name; none below `left_out`."""
    files: list[tuple[str, Path]] = []
    total = 0
    for name, path in _walk(source, source, _ignored(source), [left_out, source.resolve()]):
        files.append((name, path))
        total += path.stat().st_size
        if len(files) > max_files or total > max_bytes:
            what = (
                f"Your total snapshot size exceeds the limit of {max_bytes / 2**20:g} MB."
                if total > max_bytes
                else f"Your project exceeds the file limit of {max_files}."
            )
            raise TooLarge(
                f"While attempting to take snapshot of {source}: {what} Keep data out of the folder, or list what the "
                f"job does not need in {source / '.amlignore'}."
            )
    return sorted(files)


def _ignored(source: Path) -> pathspec.PathSpec:
    ignore_file = next((source / name for name in (".amlignore", ".gitignore") if (source / name).is_file()), None)
    patterns = ignore_file.read_text(encoding="utf-8", errors="replace").splitlines() if ignore_file else []
    try:
        return pathspec.PathSpec.from_lines("gitwildmatch", [*NEVER_TAKEN, *patterns])
    except ValueError as error:
        raise Invalid(f"{ignore_file} has a pattern that cannot be read: {error}") from error


def _walk(
    source: Path, directory: Path, ignored: pathspec.PathSpec, not_entered: list[Path | None]
) -> Iterator[tuple[str, Path]]:
    """What is taken below `directory`. `not_entered` has the workspace, then the folders that lead to here."""
    for path in sorted(directory.iterdir()):
        name = path.relative_to(source).as_posix()
        is_directory = path.is_dir()
        if ignored.match_file(name + "/" * is_directory):
            continue
        if not _is_text(name):
            raise _refused(path, "has a name that is not UTF-8")
        if is_directory:
            real = path.resolve()
            if real == not_entered[0]:
                continue
            if any(folder.is_relative_to(real) for folder in not_entered[1:]):
                raise _refused(path, "is a link that leads back to a folder above it")
            yield from _walk(source, path, ignored, [*not_entered, real])
        elif path.is_file():
            if os.access(path, os.R_OK):
                yield name, path
            else:
                _logger.warning("Cannot access file, so excluded from snapshot: %s", path)
        else:
            raise _refused(path, "is a link that leads nowhere" if path.is_symlink() else "is no file and no folder")


def _is_text(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _refused(path: Path, why: str) -> Invalid:
    return Invalid(f"{str(path)!r} {why}, and cannot be in a snapshot. Take it away, or list it in .amlignore.")
