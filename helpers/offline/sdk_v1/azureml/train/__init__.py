"""Training beyond a single script: hyperparameter tuning."""

from azureml._strict import module_getattr

__getattr__ = module_getattr(__name__, submodules=True)
