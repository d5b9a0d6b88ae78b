"""Watching a run in a notebook."""

from azureml._strict import module_getattr
from azureml.widgets.run_details import RunDetails

__all__ = ["RunDetails"]

__getattr__ = module_getattr(__name__)
