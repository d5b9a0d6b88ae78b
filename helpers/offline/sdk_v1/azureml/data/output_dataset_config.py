"""Outputs of a job that become datasets: where its script writes, where that goes, and as what it is registered."""

import json
import uuid
from copy import deepcopy

from azureml._strict import module_getattr, refuse, refuse_unknown, unsupported
from azureml.data.dataset_consumption_config import _checked
from azureml.data.dataset_factory import _described
from azureml.data.dataset_type_definitions import PromoteHeadersBehavior

__getattr__ = module_getattr(__name__)


class OutputDatasetConfig:
    """What the kinds of outputs have in common."""

    def __init__(self, mode, name=None, **kwargs):
        refuse_unknown("OutputDatasetConfig()", kwargs)
        self.mode = mode
        self._name = _checked(name, "output") if name else f"output_{str(uuid.uuid4()).split('-')[0]}"
        self.arg_val = f"DatasetOutputConfig:{self._name}"
        self._registration = None
        self._table = None  # how the files are read, where they are a table

    @property
    def name(self):
        """The name of the output in its run; can be set."""
        return self._name

    @name.setter
    def name(self, value):
        self._name = _checked(value, "output")

    def register_on_complete(self, name, description=None, tags=None):
        """The same output, registered as a dataset's new version when the run has completed."""
        if not name:
            raise ValueError("The registration name of the dataset must not be empty.")
        copy = deepcopy(self)
        copy._registration = RegistrationConfiguration(name, description, tags)
        return copy

    def as_input(self, name=None):
        """Not supported offline: it is for a pipeline's next step."""
        unsupported("as_input() of an output")


class TransformationMixin:
    """What makes a table of an output."""

    def read_delimited_files(
        self,
        include_path=False,
        separator=",",
        header=PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format=None,
        path_glob=None,
        set_column_types=None,
    ):
        """The same output as a table of delimited files, whose columns are texts, but for those of set_column_types."""
        refuse("read_delimited_files()", partition_format=partition_format, path_glob=path_glob)
        return self._as_table(_described("delimited", include_path, set_column_types, separator, header))

    def read_parquet_files(self, include_path=False, partition_format=None, path_glob=None, set_column_types=None):
        """The same output as a table of Parquet files."""
        refuse("read_parquet_files()", partition_format=partition_format, path_glob=path_glob)
        return self._as_table(_described("parquet", include_path, set_column_types))

    def _as_table(self, table):
        copy = deepcopy(self)
        copy._table = table
        return OutputTabularDatasetConfig(output_file_dataset_config=copy)


class OutputFileDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """Files that a script writes into a folder, which is its argument.

    They go to `destination`, a tuple of datastore and path, in which {run-id} and {output-name} stand for these; by
    default to dataset/{run-id}/{output-name} of the default datastore. source: the folder on the compute.
    """

    def __init__(self, name=None, destination=None, source=None, partition_format=None):
        refuse("OutputFileDatasetConfig()", partition_format=partition_format)
        super().__init__("mount", name)
        self.destination = destination
        self.source = source
        self._upload_options = None
        self._mount_options = None

    def as_mount(self, disable_metadata_cache=False):
        """The same output, whose files are in the datastore as they are written."""
        copy = deepcopy(self)
        copy.mode = "mount"
        copy._mount_options = MountOptions(disable_metadata_cache)
        copy._upload_options = None
        return copy

    def as_upload(self, overwrite=False, source_globs=None):
        """The same output, whose files, or those that a pattern takes, are uploaded when the script has succeeded."""
        copy = deepcopy(self)
        copy.mode = "upload"
        copy._mount_options = None
        copy._upload_options = UploadOptions(overwrite, source_globs)
        return copy

    def _to_output_data(self):
        from azureml.core import runconfig

        registration = self._registration or RegistrationConfiguration(None, None, None)
        upload, globs = self._upload_options or UploadOptions(), None
        if upload.source_globs:
            globs = runconfig.GlobsOptions(upload.source_globs)
        mount = self._mount_options or MountOptions()
        location = None
        if self.destination:
            datastore, *path = self.destination
            data_path = runconfig.DataPath(getattr(datastore, "name", datastore), *path)
            location = runconfig.DataLocation(data_path=data_path)
        options = runconfig.OutputOptions(
            self.source,
            runconfig.RegistrationOptions(
                registration.name,
                registration.description,
                registration.tags,
                runconfig.DatasetRegistrationOptions(self._table and json.dumps(self._table)),
            ),
            runconfig.UploadOptions(upload.overwrite, globs) if self.mode == "upload" else None,
            runconfig.MountOptions(mount.disable_metadata_cache) if self.mode == "mount" else None,
        )
        return runconfig.OutputData(location, self.mode, options)


class OutputTabularDatasetConfig(OutputDatasetConfig):
    """An OutputFileDatasetConfig that is read as a table."""

    def __init__(self, **kwargs):
        config = kwargs.get("output_file_dataset_config")
        if not config:
            raise ValueError(
                "The constructor of this class is not supposed to be called directly. Please create an "
                "OutputFileDatasetConfig and add additional transforms to get a OutputTabularDatasetConfig."
            )
        super().__init__(config.mode, config.name)
        self._output_file_dataset_config = config

    def keep_columns(self, columns):
        """The same output with these columns, a name or a list of names, alone."""
        return self._step("keep", [columns] if isinstance(columns, str) else list(columns))

    def drop_columns(self, columns):
        """The same output without these columns, a name or a list of names."""
        return self._step("drop", [columns] if isinstance(columns, str) else list(columns))

    def random_split(self, percentage, seed=None):
        """Not supported offline."""
        unsupported("OutputTabularDatasetConfig.random_split()")

    def as_mount(self):
        """The same output, whose files are in the datastore as they are written."""
        return OutputTabularDatasetConfig(output_file_dataset_config=self._output_file_dataset_config.as_mount())

    def as_upload(self, overwrite=False, source_globs=None):
        """The same output, whose files are uploaded when the script has succeeded."""
        config = self._output_file_dataset_config.as_upload(overwrite, source_globs)
        return OutputTabularDatasetConfig(output_file_dataset_config=config)

    def _step(self, *step):
        config = self._output_file_dataset_config
        table = {**config._table, "steps": [*config._table["steps"], list(step)]}
        return config._as_table(table)

    def _to_output_data(self):
        # As in the SDK, what is registered is what was said before the files became a table.
        return self._output_file_dataset_config._to_output_data()


class UploadOptions:
    """Which files are uploaded, and whether over others."""

    def __init__(self, overwrite=False, source_globs=None):
        self.overwrite = overwrite
        self.source_globs = [source_globs] if isinstance(source_globs, str) else source_globs


class MountOptions:
    """How an output is mounted."""

    def __init__(self, disable_metadata_cache=False):
        self.disable_metadata_cache = disable_metadata_cache


class RegistrationConfiguration:
    """As what an output is registered."""

    def __init__(self, name, description, tags):
        self.name = name
        self.description = description
        self.tags = tags
