"""The parts of a run configuration that say what data a run gets."""

from azureml._config_element import ConfigElement
from azureml.exceptions import UserErrorException


class Dataset(ConfigElement):
    """A dataset as a run configuration speaks of it."""

    __module__ = "azureml.core.runconfig"

    _fields = {"id": None, "name": None, "version": None}

    def __init__(self, dataset_id=None, dataset_name=None, dataset_version=None):
        self.id = dataset_id
        self.name = dataset_name
        self.version = dataset_version
        self._initialized = True


class DataLocation(ConfigElement):
    """Where data are."""

    __module__ = "azureml.core.runconfig"

    _fields = {"dataset": Dataset, "data_path": None, "uri": None}

    def __init__(self, dataset=None, data_path=None, uri=None):
        self.dataset = dataset
        self.data_path = data_path
        self.uri = uri
        self._initialized = True


class Data(ConfigElement):
    """A dataset as a run's input: where it is and how it comes to the node."""

    __module__ = "azureml.core.runconfig"

    _fields = {
        "data_location": DataLocation,
        "create_output_directories": bool,
        "mechanism": None,
        "environment_variable_name": None,
        "path_on_compute": None,
        "overwrite": bool,
        "options": None,
    }

    def __init__(
        self,
        data_location=None,
        create_output_directories=None,
        mechanism="direct",
        environment_variable_name=None,
        path_on_compute=None,
        overwrite=False,
        options=None,
    ):
        self.data_location = data_location
        self.create_output_directories = create_output_directories
        self.mechanism = mechanism.lower()
        self.environment_variable_name = environment_variable_name
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite
        self.options = options
        self._initialized = True

    @staticmethod
    def create(data):
        """Make the input of a DatasetConsumptionConfig whose dataset the workspace knows."""
        from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

        if not isinstance(data, DatasetConsumptionConfig):
            raise UserErrorException("Data must be an instance of DatasetConsumptionConfig.")
        dataset = Dataset(data.dataset.id, data.dataset.name, data.dataset.version)
        return Data(
            data_location=DataLocation(dataset=dataset),
            create_output_directories=False,
            mechanism=data.mode,
            environment_variable_name=data.name,
            path_on_compute=data.path_on_compute,
        )
