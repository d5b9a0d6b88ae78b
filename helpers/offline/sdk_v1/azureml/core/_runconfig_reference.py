"""The part of a run configuration that a DataReference becomes."""

from azureml._config_element import ConfigElement


class DataReferenceConfiguration(ConfigElement):
    """A path in a datastore as a run's input."""

    __module__ = "azureml.core.runconfig"

    _fields = {
        "data_store_name": None,
        "path_on_data_store": None,
        "mode": None,
        "overwrite": bool,
        "path_on_compute": None,
    }

    def __init__(
        self, datastore_name=None, mode="mount", path_on_datastore=None, path_on_compute=None, overwrite=False
    ):
        self.data_store_name = datastore_name
        self.path_on_data_store = path_on_datastore
        self.path_on_compute = path_on_compute
        self.mode = mode.lower()
        self.overwrite = overwrite
        self._initialized = True
