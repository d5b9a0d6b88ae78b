"""Open data sets that are here offline: MNIST and Diabetes. The package azureml-opendatasets has many more."""

from azureml._strict import module_getattr
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_HOST = "https://azureopendatastorage.blob.core.windows.net/"
_TRAIN = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
_TEST = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
_FILES = {"all": _TRAIN + _TEST, "train": _TRAIN, "test": _TEST}
_TABLES = {"all": ["train.parquet", "test.parquet"], "train": ["train.parquet"], "test": ["test.parquet"]}
_DIABETES = [f"{_HOST}mlsamples/diabetes/diabetes.parquet"]


class MNIST:
    """The handwritten digits: 60,000 to train with, 10,000 to test."""

    def __init__(self):
        pass

    @classmethod
    def get_file_dataset(cls, dataset_filter="all", enable_telemetry=True):
        """The FileDataset of the four files, or of those that the filter, "train" or "test", takes."""
        return FileDatasetFactory.from_files([f"{_HOST}mnist/{name}" for name in _filtered(_FILES, dataset_filter)])

    @classmethod
    def get_tabular_dataset(cls, dataset_filter="all", enable_telemetry=True):
        """The TabularDataset of the images, one a row: 784 columns of pixels, from 0 to 255, and the column label.

        The columns of pixels are called 0 to 783. The table is made of this project's files at its first use, and has
        440 MB in memory.
        """
        names = _filtered(_TABLES, dataset_filter)
        return TabularDatasetFactory.from_parquet_files([f"{_HOST}mnist/processed/{name}" for name in names], False)


class Diabetes:
    """442 patients: ten measures, AGE to S6, and Y, how far the disease had come a year later.

    The rows are those that scikit-learn has, where Microsoft's are from as well.
    """

    def __init__(self):
        pass

    @classmethod
    def get_tabular_dataset(cls, enable_telemetry=True):
        """The TabularDataset of the patients."""
        return TabularDatasetFactory.from_parquet_files(_DIABETES)

    @classmethod
    def get_file_dataset(cls, enable_telemetry=True):
        """The FileDataset of the one file, which is Parquet's."""
        return FileDatasetFactory.from_files(_DIABETES)


def _filtered(names, dataset_filter):
    if dataset_filter not in names:
        known = ", ".join(map(repr, names))
        raise UserErrorException(f"The dataset_filter is {dataset_filter!r}; give one of {known}.")
    return names[dataset_filter]
