"""A reference to a path in a datastore, as `datastore.path()` returns it."""

import uuid

from azureml._strict import module_getattr
from azureml.core._runconfig_data import DataReferenceConfiguration
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_MODES = ("mount", "download", "upload")


class DataReference:
    """A path in a datastore with a name. Raises UserErrorException for an unknown mode."""

    def __init__(
        self,
        datastore,
        data_reference_name=None,
        path_on_datastore=None,
        mode="mount",
        path_on_compute=None,
        overwrite=False,
    ):
        if mode not in _MODES:
            raise UserErrorException(f"Invalid mode {mode}. Only mount, download, upload are supported")
        self.datastore = datastore
        self.path_on_datastore = path_on_datastore
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite
        self.data_reference_name = data_reference_name or (
            datastore.name if _is_root(path_on_datastore) else uuid.uuid4().hex
        )

    def __str__(self):
        return f"$AZUREML_DATAREFERENCE_{self.data_reference_name}"

    __repr__ = __str__

    def path(self, path=None, data_reference_name=None):
        """The reference to a path below this one."""
        if _is_root(path):
            return DataReference(self.datastore, data_reference_name) if data_reference_name else self
        if not _is_root(self.path_on_datastore):
            path = f"{self.path_on_datastore}/{path}"
        return DataReference(self.datastore, data_reference_name, path)

    def as_download(self, path_on_compute=None, overwrite=False):
        """The same path, to be downloaded to the compute."""
        return self._as("download", path_on_compute)

    def as_upload(self, path_on_compute=None, overwrite=False):
        """The same path, to be uploaded to from the compute."""
        return self._as("upload", path_on_compute)

    def as_mount(self):
        """The same path, to be mounted on the compute."""
        return self._as("mount", self.path_on_compute)

    def to_config(self):
        """The reference as a run configuration holds it."""
        return DataReferenceConfiguration(
            datastore_name=self.datastore.name,
            mode=self.mode,
            path_on_datastore=None if _is_root(self.path_on_datastore) else self.path_on_datastore,
            path_on_compute=None if _is_root(self.path_on_compute) else self.path_on_compute,
            overwrite=self.overwrite,
        )

    def _as(self, mode, path_on_compute):
        return DataReference(
            self.datastore,
            self.data_reference_name,
            self.path_on_datastore,
            mode,
            path_on_compute,
            self.overwrite,
        )

    @staticmethod
    def create(data_reference_name=None, datapath=None, datapath_compute_binding=None):
        """The reference to a DataPath with a DataPathComputeBinding."""
        if datapath is None or datapath_compute_binding is None:
            raise ValueError("datapath and datapath_compute_binding are expected parameters")
        return DataReference(
            datapath._datastore,
            data_reference_name,
            datapath._path_on_datastore,
            datapath_compute_binding._mode,
            datapath_compute_binding._path_on_compute,
            datapath_compute_binding._overwrite,
        )


def _is_root(path):
    return path in (None, "", "/", ".", "./")
