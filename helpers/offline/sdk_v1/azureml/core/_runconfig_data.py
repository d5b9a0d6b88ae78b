"""The parts of a run configuration that say what data a run gets, and what data it makes."""

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


class DataPath(ConfigElement):
    """A path in a datastore."""

    __module__ = "azureml.core.runconfig"

    _fields = {"datastore_name": None, "relative_path": None}

    def __init__(self, datastore_name=None, relative_path=None):
        self.datastore_name = datastore_name
        self.relative_path = relative_path
        self._initialized = True


class DataLocation(ConfigElement):
    """Where data are."""

    __module__ = "azureml.core.runconfig"

    _fields = {"dataset": Dataset, "data_path": DataPath, "uri": None}

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


class DatasetRegistrationOptions(ConfigElement):
    """How an output is read as a dataset."""

    __module__ = "azureml.core.runconfig"

    _fields = {"additional_transformation": None}

    def __init__(self, additional_transformations=None):
        self.additional_transformation = additional_transformations
        self._initialized = True


class RegistrationOptions(ConfigElement):
    """As what an output is registered."""

    __module__ = "azureml.core.runconfig"

    _fields = {
        "name": None,
        "description": None,
        "tags": None,
        "dataset_registration_options": DatasetRegistrationOptions,
    }

    def __init__(self, name=None, description=None, tags=None, dataset_registration_options=None):
        self.name = name
        self.description = description
        self.tags = tags
        self.dataset_registration_options = dataset_registration_options
        self._initialized = True


class GlobsOptions(ConfigElement):
    """Which files."""

    __module__ = "azureml.core.runconfig"

    _fields = {"patterns": None}

    def __init__(self, patterns=None):
        self.patterns = patterns
        self._initialized = True


class UploadOptions(ConfigElement):
    """Which files of an output are uploaded at the end, and whether over others."""

    __module__ = "azureml.core.runconfig"

    _fields = {"overwrite": bool, "source_globs": GlobsOptions}

    def __init__(self, overwrite=False, source_globs=None):
        self.overwrite = overwrite
        self.source_globs = source_globs
        self._initialized = True


class MountOptions(ConfigElement):
    """How an output is mounted."""

    __module__ = "azureml.core.runconfig"

    _fields = {"disable_metadata_cache": bool}

    def __init__(self, disable_metadata_cache=False):
        self.disable_metadata_cache = disable_metadata_cache
        self._initialized = True


class OutputOptions(ConfigElement):
    """How an output comes from the node, and what becomes of it."""

    __module__ = "azureml.core.runconfig"

    _fields = {
        "path_on_compute": None,
        "registration_options": RegistrationOptions,
        "upload_options": UploadOptions,
        "mount_options": MountOptions,
    }

    def __init__(self, path_on_compute=None, registration_options=None, upload_options=None, mount_options=None):
        self.path_on_compute = path_on_compute
        self.registration_options = registration_options
        self.upload_options = upload_options
        self.mount_options = mount_options
        self._initialized = True


class OutputData(ConfigElement):
    """Data that a run makes: where they go, and how."""

    __module__ = "azureml.core.runconfig"

    _fields = {"output_location": DataLocation, "mechanism": None, "additional_options": OutputOptions}

    def __init__(self, output_location=None, mechanism="mount", additional_options=None):
        self.output_location = output_location
        self.mechanism = mechanism.lower()
        self.additional_options = additional_options
        self._initialized = True
