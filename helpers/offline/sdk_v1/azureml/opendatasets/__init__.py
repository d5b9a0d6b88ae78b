"""Open data sets that stand beside this repository: MNIST. The package azureml-opendatasets has many more."""

from azureml._strict import module_getattr, unsupported
from azureml.data.dataset_factory import FileDatasetFactory
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_ADDRESS = "https://azureopendatastorage.blob.core.windows.net/mnist/"
_TRAIN = ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
_TEST = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
_FILES = {"all": _TRAIN + _TEST, "train": _TRAIN, "test": _TEST}


class MNIST:
    """The handwritten digits: 60,000 to train with, 10,000 to test."""

    def __init__(self):
        pass

    @staticmethod
    def get_file_dataset(dataset_filter="all", enable_telemetry=True):
        """The FileDataset of the four files, or of those that the filter, "train" or "test", takes."""
        if dataset_filter not in _FILES:
            known = ", ".join(map(repr, _FILES))
            raise UserErrorException(f"The dataset_filter is {dataset_filter!r}; give one of {known}.")
        return FileDatasetFactory.from_files([_ADDRESS + name for name in _FILES[dataset_filter]])

    @staticmethod
    def get_tabular_dataset(dataset_filter="all", enable_telemetry=True):
        """Not supported offline: get_file_dataset() has the same images."""
        unsupported("MNIST.get_tabular_dataset()")
