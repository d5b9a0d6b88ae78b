"""A run's files and code, as a driver brings them in and takes them out."""

import logging
import os
from pathlib import Path

from azureml import _engine
from azureml._restclient import snapshots_client
from azureml.exceptions import SnapshotException, UserErrorException

_logger = logging.getLogger("azureml.core.run")


class TrackedFolder:
    """A folder whose files that are new or changed since then can be added to a run."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.seen = self._state()

    def upload(self, run):
        """Add to the run what is new or changed, under the folder's own name."""
        now = self._state()
        prefix = self.folder.name if self.folder.is_absolute() else os.path.normpath(self.folder)
        for name, state in now.items():
            if self.seen.get(name) != state:
                with _engine.translated():
                    _engine.artifacts.upload(
                        run._folder, run.id, f"{prefix}/{name}", self.folder / name, overwrite=True
                    )
        self.seen = now

    def _state(self):
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {
            path.relative_to(self.folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_size) for path in files
        }


def download(run, targets):
    """Copy files of the run. targets: dict of file name to the path to write. Raises UserErrorException.

    Nothing is written unless the run has all of them.
    """
    with _engine.translated():
        there = _engine.run_files.files_of(run._folder, run.id)
        for name in targets:
            _engine.names.relative_name(name)
            if name not in there:
                raise UserErrorException(
                    f"File with path {name} was not found,\navailable files include: {','.join(there)}."
                )
        sources = {name: _engine.run_files.path_of(run._folder, run.id, name) for name in targets}
    for name, target in targets.items():
        _engine.files.copy_whole(sources[name], Path(target))


def download_targets(run, prefix, output_directory, output_paths, append_prefix):
    """Which files Run.download_files() copies, and whereto: dict of file name to path."""
    there = run.get_file_names()
    prefix = prefix.replace("\\", "/").rstrip("/") + "/" if prefix else ""
    names = [name for name in there if name.startswith(prefix)]
    if prefix and not names:
        raise UserErrorException(
            f"Prefix with path {prefix} was not found,\navailable files include: {','.join(there)}."
        )
    paths = list(names)
    if output_paths is not None:
        if len(output_paths) == len(names) == len(set(output_paths)):
            paths = list(output_paths)
        else:
            _logger.warning(
                "The output_paths are not one for each of the %s files, each another: the files' own paths are used.",
                len(names),
            )
    elif output_directory is not None and not append_prefix:
        paths = [name[len(prefix) :] for name in names]
    if output_directory is not None:
        with _engine.translated():  # refuses '..' and absolute paths: nothing outside the folder that was asked for
            paths = [_engine.names.safe_join(Path(output_directory), path) for path in paths]
    return dict(zip(names, paths, strict=True))


def take_snapshot(run, folder):
    """Store a folder's files as a snapshot; its id. Raises SnapshotException, and OSError for what is no folder."""
    existing = run.get_snapshot_id()
    if existing is not None:
        raise SnapshotException(f"Cannot take snapshot as the run already has one: {existing}")
    next(Path(folder).iterdir(), None)  # raises OSError
    with _engine.translated(EngineError=SnapshotException):
        return _engine.snapshot.take(run._folder, Path(folder), **snapshots_client.limits())


def restore_snapshot(run, snapshot_id, path):
    """Copy a snapshot's zip file into the folder `path`; where it was written. Raises SnapshotException."""
    archive = _engine.snapshot.snapshot_path(run._folder, str(snapshot_id))
    if snapshot_id is None or not archive.is_file():
        raise SnapshotException(f"Run {run.id} has no snapshot {snapshot_id or ''}".rstrip() + ".")
    target = Path(path or ".") / archive.name
    _engine.files.copy_whole(archive, target)
    return str(target)
