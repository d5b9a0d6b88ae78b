"""Datasets, and the datastores that hold their files."""

from azureml._strict import module_getattr

_EXPORTS = {
    "DataType": "azureml.data.dataset_factory",
    "OutputFileDatasetConfig": "azureml.data.output_dataset_config",
    "FileDataset": "azureml.data.file_dataset",
    "TabularDataset": "azureml.data.tabular_dataset",
}

__all__ = list(_EXPORTS)

__getattr__ = module_getattr(__name__, _EXPORTS, submodules=True)
