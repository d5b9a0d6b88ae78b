"""The main classes: workspace, data, compute, environment, experiment, run and model.

Loaded when they are first used, so that `from azureml.core import Run` in a training script is light
(standard library only, Python 3.7 and later).
"""

from azureml._strict import module_getattr

VERSION = "1.61.0"  # the azureml-core that this one is held to
__version__ = VERSION

_EXPORTS = {
    "ComputeTarget": "azureml.core.compute",
    "ContainerRegistry": "azureml.core.container_registry",
    "Dataset": "azureml.core.dataset",
    "Datastore": "azureml.core.datastore",
    "Environment": "azureml.core.environment",
    "Experiment": "azureml.core.experiment",
    "Model": "azureml.core.model",
    "Run": "azureml.core.run",
    "RunConfiguration": "azureml.core.runconfig",
    "ScriptRun": "azureml.core.script_run",
    "ScriptRunConfig": "azureml.core.script_run_config",
    "Webservice": "azureml.core.webservice",
    "Workspace": "azureml.core.workspace",
    "get_run": "azureml.core.run",
}

__all__ = list(_EXPORTS)

__getattr__ = module_getattr(__name__, _EXPORTS, submodules=True)


def __dir__():
    return sorted(set(globals()) | set(_EXPORTS))
