"""Registered models as web services. Offline a service is a process of this machine, reachable from it alone."""

from azureml._strict import module_getattr
from azureml.core.webservice.aci import AciWebservice
from azureml.core.webservice.aks import AksWebservice
from azureml.core.webservice.local import LocalWebservice
from azureml.core.webservice.webservice import Webservice

__all__ = ["AciWebservice", "AksWebservice", "LocalWebservice", "Webservice"]

__getattr__ = module_getattr(__name__, submodules=True)
