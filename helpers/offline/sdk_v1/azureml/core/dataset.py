"""Datasets of the workspace: made from files, and got by name or id."""

from azureml._strict import module_getattr, unsupported
from azureml.data._unsupported import _UnsupportedMembers
from azureml.data.abstract_dataset import AbstractDataset

__getattr__ = module_getattr(__name__)


class Dataset(metaclass=_UnsupportedMembers):
    """`Dataset.File` makes datasets; the rest gets those that are registered."""

    File = AbstractDataset.File
    Tabular = AbstractDataset.Tabular
    get_by_name = AbstractDataset.get_by_name
    get_by_id = AbstractDataset.get_by_id
    get_all = AbstractDataset.get_all

    def __init__(self, definition, workspace=None, name=None, id=None):
        """Not supported offline: Dataset.File makes datasets."""
        unsupported("Dataset()")

    class Scenario:
        """What a dataset is used for by a model."""

        TRAINING = "training"
        VALIDATION = "validation"
        INFERENCING = "inferencing"
