"""How a dataset comes to a job: under which name, in which mode, to which path."""

import logging
import re
import uuid

from azureml._strict import module_getattr
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_MODES = ("direct", "download", "mount", "hdfs")
# Names of environment variables that an input of the same name would hide from the job.
_COMMON_VARIABLES = ("path", "ld_library_path", "user", "logname", "home", "pwd", "shell")


class DatasetConsumptionConfig:
    """A dataset as input of a job; made by `dataset.as_mount()`, `as_download()` or `as_named_input()`.

    `dataset` may also be a tuple of workspace, name and, if wanted, version. Raises UserErrorException for a name that
    is no identifier and for an unknown mode.
    """

    def __init__(self, name, dataset, mode="direct", path_on_compute=None):
        self.mode = mode.lower()
        if self.mode not in _MODES:
            raise UserErrorException(
                f"Invalid mode '{self.mode}'. Mode can only be mount, download, hdfs, link, or direct"
            )
        self.dataset = _get(*dataset) if isinstance(dataset, tuple) else dataset
        self._name = _checked(name) if name else _made_up(self.dataset)
        self.arg_val = f"DatasetConsumptionConfig:{self._name}"
        self.path_on_compute = path_on_compute

    @property
    def name(self):
        """The name by which the job finds the dataset: `run.input_datasets[name]`."""
        return self._name

    @name.setter
    def name(self, value):
        self._name = _checked(value)

    def as_download(self, path_on_compute=None):
        """The same input, its files copied to the compute."""
        return DatasetConsumptionConfig(self.name, self.dataset, "download", path_on_compute)

    def as_mount(self, path_on_compute=None):
        """The same input, its files mounted on the compute."""
        return DatasetConsumptionConfig(self.name, self.dataset, "mount", path_on_compute)

    def as_hdfs(self):
        """The same input, as an HDFS path."""
        return DatasetConsumptionConfig(self.name, self.dataset, "hdfs")


def _get(workspace, name, version="latest"):
    from azureml.core.dataset import Dataset

    return Dataset.get_by_name(workspace, name, version)


def _checked(name, kind="input"):
    if not name:
        raise UserErrorException(f"Invalid {kind} name. Name cannot be empty or None, please use a valid name.")
    if name.lower() in _COMMON_VARIABLES:
        logging.getLogger(__name__).warning(
            '%s name "%s" has the potential to collide with common environment variable names and can lead to '
            "unexpected behavior. Please consider using a different name.",
            kind.capitalize(),
            name,
        )
    if not re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name):
        raise UserErrorException(
            f'Invalid {kind} name "{name}". The name can only be alphanumeric characters and underscore, '
            "and must not begin with a number."
        )
    return name


def _made_up(dataset):
    return f"input__{str(dataset.id or uuid.uuid4()).split('-')[0]}"
