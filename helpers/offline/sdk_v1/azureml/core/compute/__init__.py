"""Compute targets: the clusters that jobs run on, and those that services are deployed to."""

from azureml._strict import module_getattr
from azureml.core.compute.aks import AksCompute
from azureml.core.compute.amlcompute import AmlCompute
from azureml.core.compute.compute import ComputeTarget

__all__ = ["AksCompute", "AmlCompute", "ComputeTarget"]

__getattr__ = module_getattr(__name__, submodules=True)
