"""The files, the code and the environment of a run.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

import io
import os
from pathlib import Path

from azureml import _engine
from azureml._strict import refuse, unsupported
from azureml.core._run_records import service_exception
from azureml.exceptions import AzureMLAggregatedException, UserErrorException


class _RunArtifacts:
    """A part of Run."""

    def get_file_names(self):
        """The names of the run's files, such as outputs/model/model.keras."""
        with _engine.translated(NotFound=service_exception):
            return _engine.run_files.files_of(self._folder, self._run_id)

    def upload_file(self, name, path_or_stream, datastore_name=None):
        """Add a file to the run as `name`. path_or_stream: a path as text, or a binary stream.

        Raises AzureMLAggregatedException where the run has a file of this name, UserErrorException for a name that
        leads out of the run.
        """
        refuse("Run.upload_file()", datastore_name=datastore_name)
        if not isinstance(path_or_stream, (str, io.IOBase)):
            raise UserErrorException(
                f"UnsupportedType: type {type(path_or_stream)} is invalid, supported input types: file path or file"
            )
        self._store_file(name, path_or_stream)

    def upload_files(self, names, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None):
        """Add files to the run: paths[i] as names[i]."""
        refuse("Run.upload_files()", return_artifacts=return_artifacts or None, datastore_name=datastore_name)
        if len(names) != len(paths):
            raise TypeError(
                "names and paths must be lists of equal lengths. "
                f"Names was of length {len(names)} and paths of length {len(paths)}."
            )
        for name, path in zip(names, paths):
            self._store_file(name, path)

    def upload_folder(self, name, path, datastore_name=None):
        """Add all files below the folder `path` to the run, under the prefix `name`."""
        refuse("Run.upload_folder()", datastore_name=datastore_name)
        if not Path(path).is_dir():
            raise UserErrorException(f"Cannot upload path: {path} since it is not a valid directory.")
        # A job's own folders lie in the offline workspace; it may itself lie in a folder of the user's.
        workspace = Path(os.environ.get("AZUREML_OFFLINE_FOLDER") or _engine.folder.offline_folder()).resolve()
        inside = workspace in Path(path, "any").resolve().parents
        for source in sorted(Path(path).rglob("*")):
            if source.is_file() and (inside or workspace not in source.resolve().parents):
                self._store_file("{}/{}".format(name.rstrip("/"), source.relative_to(path).as_posix()), str(source))

    def download_file(self, name, output_file_path=None, _validate_checksum=False):
        """Write the run's file `name` to output_file_path: a file, or a folder that is there already.

        By default it is written to the working directory. Raises UserErrorException for an unknown name.
        """
        from azureml._run_files import download

        target = Path(output_file_path or Path(name).name)
        download(self, {name: target / Path(name).name if target.is_dir() else target})

    def download_files(
        self,
        prefix=None,
        output_directory=None,
        output_paths=None,
        batch_size=100,
        append_prefix=True,
        timeout_seconds=None,
    ):
        """Write the run's files, or those below the folder `prefix`, below output_directory (or where it runs).

        append_prefix=False: without the prefix in the written paths. output_paths: the paths to write to, as many as
        there are files. Raises UserErrorException where nothing is below the prefix.
        """
        from azureml._run_files import download, download_targets

        download(self, download_targets(self, prefix, output_directory, output_paths, append_prefix))

    def _store_file(self, name, source):
        with _engine.translated(NotFound=service_exception, AlreadyExists=_conflict):
            if isinstance(source, str):
                _engine.artifacts.upload(self._folder, self._run_id, name, Path(source))
            else:
                _engine.artifacts.upload_bytes(self._folder, self._run_id, name, source.read())

    def _read_text(self, name):
        with _engine.translated(NotFound=UserErrorException):
            path = _engine.run_files.path_of(self._folder, self._run_id, name)
        return path.read_text(encoding="utf-8", errors="replace")

    def _upload_outputs(self):
        if self._outputs:
            self._outputs.upload(self)

    def take_snapshot(self, file_or_folder_path):
        """Keep a folder as the run's code; the id of the snapshot.

        Raises SnapshotException where the run has one already, or the folder is too large, and OSError for what is no
        folder.
        """
        from azureml._run_files import take_snapshot

        snapshot_id = take_snapshot(self, file_or_folder_path)
        self._change("set_properties", {"ContentSnapshotId": snapshot_id})
        return snapshot_id

    def get_snapshot_id(self):
        """The id of the snapshot of the run's code, or None."""
        return self.get_properties().get("ContentSnapshotId")

    def restore_snapshot(self, snapshot_id=None, path=None):
        """Write the run's code as a zip file into the folder `path`; the path of the zip file."""
        from azureml._run_files import restore_snapshot

        return restore_snapshot(self, snapshot_id or self.get_snapshot_id(), path)

    def get_environment(self):
        """The environment that the run was submitted with. Raises UserErrorException where there is none."""
        definition = self.get_details().get("runDefinition")
        if definition is None:
            raise UserErrorException("There is no run definition or environment specified for the run.")
        from azureml.core.environment import Environment

        return Environment._deserialize(definition["environment"])

    def clean(self):
        """Not supported offline: a job leaves nothing on its node."""
        unsupported("Run.clean()")

    def get_secret(self, name):
        """Not supported offline: there is no key vault."""
        unsupported("Run.get_secret()")

    def get_secrets(self, secrets):
        """Not supported offline: there is no key vault."""
        unsupported("Run.get_secrets()")


def _conflict(message):
    return AzureMLAggregatedException([f"UserError: Resource Conflict: {message}"])
