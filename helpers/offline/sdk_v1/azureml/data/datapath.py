"""A path in a datastore."""

import uuid

from azureml._strict import module_getattr
from azureml.data.data_reference import DataReference

__getattr__ = module_getattr(__name__)


class DataPath:
    """A path in a datastore, from which a dataset is made. Raises ValueError without a datastore."""

    def __init__(self, datastore=None, path_on_datastore=None, name=None):
        if datastore is None:
            raise ValueError("datastore parameter is required.")
        self._datastore = datastore
        self._path_on_datastore = path_on_datastore
        self._name = name or f"{datastore.name}_{uuid.uuid4().hex[:8]}"

    @property
    def datastore_name(self):
        """The datastore's name."""
        return self._datastore.name

    @property
    def path_on_datastore(self):
        """The path in it."""
        return self._path_on_datastore

    def create_data_reference(self, data_reference_name=None, datapath_compute_binding=None):
        """A DataReference to this path, with the mode and the path on the compute of the binding."""
        _check_type("datapath_compute_binding", datapath_compute_binding, DataPathComputeBinding)
        return DataReference.create(data_reference_name, self, datapath_compute_binding)

    @staticmethod
    def create_from_data_reference(data_reference):
        """The DataPath that a DataReference points to."""
        _check_type("data_reference", data_reference, DataReference)
        return DataPath(data_reference.datastore, data_reference.path_on_datastore)


class DataPathComputeBinding:
    """How a path comes to a compute: its mode, the path there, whether files there are overwritten."""

    def __init__(self, mode="mount", path_on_compute=None, overwrite=False):
        self._mode = mode
        self._path_on_compute = path_on_compute
        self._overwrite = overwrite

    def create_data_reference(self, data_reference_name=None, datapath=None):
        """A DataReference to the path, bound like this."""
        _check_type("datapath", datapath, DataPath)
        return DataReference.create(data_reference_name, datapath, self)

    @staticmethod
    def create_from_data_reference(data_reference):
        """The binding of a DataReference."""
        _check_type("data_reference", data_reference, DataReference)
        return DataPathComputeBinding(data_reference.mode, data_reference.path_on_compute, data_reference.overwrite)


def _check_type(name, value, expected):
    if value is None:
        raise ValueError(f"{name} is a required parameter")
    if not isinstance(value, expected):
        raise ValueError(f"Invalid type. Expected {expected.__name__}, but type is {type(value).__name__}")
