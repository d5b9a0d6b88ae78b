"""The workspace's own datastores. Offline each is a folder of the offline workspace."""

import functools
import json
import logging
import os
import re
import sys
from pathlib import Path

from azureml import _engine
from azureml._strict import module_getattr, unsupported
from azureml.data.abstract_datastore import AbstractDatastore
from azureml.data.data_reference import DataReference
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_logger = logging.getLogger(__name__)


class AbstractAzureStorageDatastore(AbstractDatastore):
    """A datastore that holds files."""

    def __init__(
        self,
        workspace,
        name,
        datastore_type,
        container_name,
        account_name,
        sas_token=None,
        account_key=None,
        protocol=None,
        endpoint=None,
    ):
        super().__init__(workspace, name, datastore_type)
        self.container_name = container_name
        self.account_name = account_name
        self.sas_token = sas_token
        self.account_key = account_key
        self.credential_type = "Sas" if sas_token else "AccountKey" if account_key else "None"
        self.protocol = protocol
        self.endpoint = endpoint

    def __repr__(self):
        fields = ("name", "container_name", "account_name", "protocol", "endpoint")
        return json.dumps({field: getattr(self, field) for field in fields}, indent=2)

    @property
    def is_sas(self):
        """Deprecated: whether a SAS token opens the datastore."""
        _logger.warning(
            'This property is deprecated, please use the property "credential_type" to determine the credential type.'
        )
        return bool(self.sas_token)

    def path(self, path=None, data_reference_name=None):
        """A reference to a path in the datastore."""
        return DataReference(self).path(path, data_reference_name)

    def as_download(self, path_on_compute=None):
        """Deprecated: a reference to the whole datastore, to be downloaded."""
        _warn_deprecated("datastore.as_download", '"file_dataset.as_download" instead')
        return DataReference(self).as_download(path_on_compute)

    def as_upload(self, path_on_compute=None):
        """Deprecated: a reference to the whole datastore, to be uploaded to."""
        _warn_deprecated("datastore.as_upload", '"dataset" to update instead')
        return DataReference(self).as_upload(path_on_compute)

    def as_mount(self):
        """Deprecated: a reference to the whole datastore, to be mounted."""
        _warn_deprecated("datastore.as_mount", '"file_dataset.as_mount" instead')
        return DataReference(self).as_mount()

    def download(self, target_path, prefix=None, overwrite=False, show_progress=True):
        """Copy the files whose names begin with `prefix` to `target_path`; returns how many were copied.

        Files that are there stay as they are, unless `overwrite` is True.
        """
        target = Path(target_path)
        files = []
        for file in _engine.data.files_under(self.workspace._folder, self.name, prefix or ""):
            if (target / file.relative).exists() and not overwrite:
                _logger.warning("Path already exists. Skipping download for %s", target / file.relative)
            else:
                files.append(file)
        target.mkdir(parents=True, exist_ok=True)
        with _engine.translated():
            for number, file in enumerate(files, start=1):
                _say(show_progress, f"Downloading {file.relative}")
                _engine.data.place([file], target, "download", overwrite=True)
                _say(
                    show_progress,
                    f"Downloaded {file.relative}, {number} files out of an estimated total of {len(files)}",
                )
        return len(files)

    def upload(self, src_dir, target_path=None, overwrite=False, show_progress=True):
        """Deprecated: copy a folder's files into the datastore; returns a DataReference to `target_path`.

        Files that are there stay as they are, unless `overwrite` is True.
        """
        _warn_deprecated(
            "Datastore.upload",
            '"Dataset.File.upload_directory" to upload your files from a local directory and create FileDataset in '
            "single method call",
        )
        if not Path(src_dir).is_dir():
            raise UserErrorException("src_path must be a directory.")
        files = _engine.files.users_files(src_dir, self.workspace._folder)
        return self._upload(files, src_dir, target_path or "", overwrite, show_progress)

    def upload_files(self, files, relative_root=None, target_path=None, overwrite=False, show_progress=True):
        """Deprecated: copy files into the datastore, keeping their paths below `relative_root`.

        Returns a DataReference to `target_path`. Raises UserErrorException for what is no file or not below the root.
        """
        _warn_deprecated("datastore.upload_files", '"FileDatasetFactory.upload_directory" instead')
        root = relative_root or os.path.commonpath([Path(file).parent for file in files] or [""])
        for file in files:
            if not Path(file).resolve().is_relative_to(Path(root).resolve()):
                raise UserErrorException(f"relative_root: '{root}' is not part of the file_path: '{file}'.")
            if not Path(file).is_file():
                raise UserErrorException(
                    f"'{file}' does not point to a file. Please upload the file to cloud first if running in a cloud "
                    "notebook."
                )
        return self._upload(files, root, target_path or "", overwrite, show_progress)

    def _upload(self, files, root, target_path, overwrite, show_progress):
        below = re.sub(r"^(\.*[/\\])*", "", target_path).rstrip("/")
        _say(show_progress, f"Uploading an estimated of {len(files)} files")
        count = 0
        for file in files:
            name = Path(os.path.relpath(file, root)).as_posix()
            name = f"{below}/{name}" if below else name
            with _engine.translated():
                written = _engine.data.upload(self.workspace._folder, [(Path(file), name)], self.name, overwrite)
            count += len(written)
            if written:
                _say(show_progress, f"Uploading {file}")
                _say(show_progress, f"Uploaded {file}, {count} files out of an estimated total of {len(files)}")
            else:
                _say(show_progress, f"Target already exists. Skipping upload for {name}")
        _say(show_progress, f"Uploaded {count} files")
        return DataReference(self, path_on_datastore=target_path)


class AzureFileDatastore(AbstractAzureStorageDatastore):
    """A file share of a storage account."""

    def __init__(
        self,
        workspace,
        name,
        container_name,
        account_name,
        sas_token=None,
        account_key=None,
        protocol=None,
        endpoint="core.windows.net",
        request_session=None,
    ):
        super().__init__(
            workspace,
            name,
            "AzureFile",
            container_name,
            account_name,
            sas_token,
            account_key,
            protocol,
            endpoint,
        )

    @property
    def file_service(self):
        """Not supported offline: there is no storage account."""
        unsupported("AzureFileDatastore.file_service")

    def download(self, target_path, prefix=None, overwrite=False, show_progress=True):
        """As AzureBlobDatastore.download(), but `prefix` is one name. Raises UserErrorException for a nested one."""
        if re.search(r"[/\\]", (prefix or "").lstrip("./\\")):
            raise UserErrorException(f"Nested prefix '{prefix}' for Azure File Share is currently not supported.")
        return super().download(target_path, prefix, overwrite, show_progress)


class AzureBlobDatastore(AbstractAzureStorageDatastore):
    """A blob container of a storage account."""

    def __init__(
        self,
        workspace,
        name,
        container_name,
        account_name,
        sas_token=None,
        account_key=None,
        protocol=None,
        endpoint=None,
        request_session=None,
        workspace_msi_has_access=False,
        subscription_id=None,
        resource_group=None,
        service_data_access_auth_identity=None,
    ):
        super().__init__(
            workspace,
            name,
            "AzureBlob",
            container_name,
            account_name,
            sas_token,
            account_key,
            protocol,
            endpoint,
        )
        self.workspace_msi_has_access = workspace_msi_has_access
        self.service_data_access_auth_identity = service_data_access_auth_identity
        self.subscription_id = subscription_id
        self.resource_group = resource_group

    @property
    def blob_service(self):
        """Not supported offline: there is no storage account."""
        unsupported("AzureBlobDatastore.blob_service")


def _say(show_progress, message):
    if show_progress:
        sys.stdout.write(f"{message}\n")


@functools.lru_cache(maxsize=64)  # once a process
def _warn_deprecated(call, replacement):
    _logger.warning(
        '"%s" is deprecated after version 1.0.69. Please use %s. '
        "See Dataset API change notice at https://aka.ms/dataset-deprecation.",
        call,
        replacement,
    )
