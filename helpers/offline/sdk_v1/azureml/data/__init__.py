"""Datasets, and the datastores that hold their files."""

from azureml._strict import module_getattr

_EXPORTS = {"FileDataset": "azureml.data.file_dataset"}

__all__ = list(_EXPORTS)

__getattr__ = module_getattr(__name__, _EXPORTS, submodules=True)
