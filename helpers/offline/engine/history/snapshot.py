"""The snapshot of a source directory: what a job gets, and what the run keeps as its code."""

import hashlib
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pathspec

from helpers.offline.engine.workspace.errors import Invalid, NotFound, TooLarge

# The service's limits, as azureml-core 1.61 has them (azureml._restclient.constants, SNAPSHOT_MAX_…).
MAX_BYTES = 300 * 1024 * 1024
MAX_FILES = 2000
NEVER_TAKEN = [
    ".git/",
    "__pycache__/",
    ".ipynb_checkpoints/",
]  # so that a rerun of the same code is the same snapshot


def take(folder: Path, source_directory: Path) -> str:
    """Store the directory's files and return the snapshot's id; the same content has the same id.

    Honours the directory's .amlignore, or its .gitignore where there is none. Raises NotFound, TooLarge, and Invalid
    for a link that leaves the directory.
    """
    source = Path(source_directory).resolve()
    if not source.is_dir():
        raise NotFound(f"The source directory {source_directory} does not exist.")
    files = list_files(source)
    digest = hashlib.sha256()
    for name, path in files:
        mode = path.stat().st_mode & 0o111
        digest.update(f"{name}\0{mode}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    snapshot_id = str(uuid.UUID(digest.hexdigest()[:32]))
    target = snapshot_path(folder, snapshot_id)
    if not target.exists():
        part = target.with_suffix(f".{uuid.uuid4().hex}.part")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for name, path in files:
                archive.write(path, name)
        part.replace(target)
    return snapshot_id


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


def list_files(source: Path) -> list[tuple[str, Path]]:
    """The (posix name, path) of each file that a snapshot of `source` holds, by name."""
    files: list[tuple[str, Path]] = []
    total = 0
    for name, path in _walk(source, source, _ignored(source)):
        files.append((name, path))
        total += path.stat().st_size
        if len(files) > MAX_FILES or total > MAX_BYTES:
            what = (
                f"Your total snapshot size exceeds the limit of {MAX_BYTES >> 20} MB."
                if total > MAX_BYTES
                else f"Your project exceeds the file limit of {MAX_FILES}."
            )
            raise TooLarge(
                f"While attempting to take snapshot of {source}: {what} Keep data out of the folder, or list what the "
                f"job does not need in {source / '.amlignore'}."
            )
    return sorted(files)


def _ignored(source: Path) -> pathspec.PathSpec:
    ignore_file = next((source / name for name in (".amlignore", ".gitignore") if (source / name).is_file()), None)
    patterns = ignore_file.read_text(encoding="utf-8", errors="replace").splitlines() if ignore_file else []
    return pathspec.PathSpec.from_lines("gitwildmatch", [*NEVER_TAKEN, *patterns])


def _walk(source: Path, directory: Path, ignored: pathspec.PathSpec) -> Iterator[tuple[str, Path]]:
    for path in sorted(directory.iterdir()):
        name = path.relative_to(source).as_posix()
        is_directory = path.is_dir()
        if ignored.match_file(name + "/" * is_directory):
            continue
        if path.is_symlink():
            target = path.resolve()
            leaves = not target.is_relative_to(source)
            if leaves or (is_directory and directory.resolve().is_relative_to(target)):
                where = f"leaves the source directory {source}" if leaves else "leads back to a folder above it"
                raise Invalid(f"{path} is a link that {where}. Copy what it points to, or list it in .amlignore.")
        if is_directory:
            yield from _walk(source, path, ignored)
        elif path.is_file():
            yield name, path
