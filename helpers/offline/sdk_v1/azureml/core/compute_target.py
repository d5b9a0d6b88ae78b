"""The error of compute targets, at the import path that the articles use."""

from azureml._strict import module_getattr
from azureml.exceptions import ComputeTargetException

__all__ = ["ComputeTargetException"]

__getattr__ = module_getattr(__name__)
