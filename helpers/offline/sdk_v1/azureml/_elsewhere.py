"""Names that modules of the real SDK have because they import them, and that people import from there.

Where they are here: module to name to module. A test holds the table to the real SDK.
Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

_EXCEPTIONS = "azureml.exceptions"
_HYPERDRIVE_EXCEPTIONS = "azureml.train.hyperdrive.exceptions"

ELSEWHERE = {
    "azureml.core.authentication": {
        "AuthenticationException": _EXCEPTIONS,
        "AzureMLException": _EXCEPTIONS,
        "RunEnvironmentException": _EXCEPTIONS,
        "UserErrorException": _EXCEPTIONS,
    },
    "azureml.core.compute_target": {
        "UserErrorException": _EXCEPTIONS,
    },
    "azureml.core.dataset": {
        "PromoteHeadersBehavior": "azureml.data.dataset_type_definitions",
    },
    "azureml.core.environment": {
        "AzureMLException": _EXCEPTIONS,
    },
    "azureml.core.model": {
        "AksCompute": "azureml.core.compute.aks",
        "ContainerRegistry": "azureml.core.container_registry",
        "Dataset": "azureml.core.dataset",
        "Environment": "azureml.core.environment",
        "Experiment": "azureml.core.experiment",
        "FileDataset": "azureml.data.file_dataset",
        "ModelNotFoundException": _EXCEPTIONS,
        "TabularDataset": "azureml.data.tabular_dataset",
        "get_run": "azureml.core.run",
    },
    "azureml.core.run": {
        "AbstractDataset": "azureml.data.abstract_dataset",
        "ActivityFailedException": _EXCEPTIONS,
        "DataPath": "azureml.data.datapath",
        "Datastore": "azureml.core.datastore",
        "Environment": "azureml.core.environment",
        "ExperimentExecutionException": _EXCEPTIONS,
        "SnapshotException": _EXCEPTIONS,
    },
    "azureml.core.runconfig": {
        "ComputeTarget": "azureml.core.compute.compute",
        "ContainerRegistry": "azureml.core.container_registry",
        "DatasetConsumptionConfig": "azureml.data.dataset_consumption_config",
        "DockerSection": "azureml.core.environment",
        "PythonSection": "azureml.core.environment",
        "Run": "azureml.core.run",
        "SparkSection": "azureml.core.environment",
    },
    "azureml.core.script_run": {
        "AzureMLException": _EXCEPTIONS,
        "RunConfiguration": "azureml.core.runconfig",
        "UserErrorException": _EXCEPTIONS,
    },
    "azureml.core.script_run_config": {
        "Data": "azureml.core.runconfig",
    },
    "azureml.core.webservice.aci": {
        "Environment": "azureml.core.environment",
        "Model": "azureml.core.model",
        "Webservice": "azureml.core.webservice.webservice",
    },
    "azureml.core.webservice.aks": {
        "ComputeTarget": "azureml.core.compute.compute",
        "Environment": "azureml.core.environment",
        "Model": "azureml.core.model",
        "Webservice": "azureml.core.webservice.webservice",
    },
    "azureml.core.webservice.local": {
        "InferenceConfig": "azureml.core.model",
        "Model": "azureml.core.model",
    },
    "azureml.core.webservice.webservice": {
        "AutoScaler": "azureml.core.webservice.aks",
        "LivenessProbeRequirements": "azureml.core.webservice.aks",
        "ContainerResourceRequirements": "azureml.core.webservice.aci",
        "Model": "azureml.core.model",
    },
    "azureml.core.workspace": {
        "Dataset": "azureml.core.dataset",
        "InteractiveLoginAuthentication": "azureml.core.authentication",
        "Model": "azureml.core.model",
        "Webservice": "azureml.core.webservice.webservice",
    },
    "azureml.data.abstract_dataset": {
        "RunEnvironmentException": _EXCEPTIONS,
    },
    "azureml.data.dataset_error_handling": {
        "AzureMLException": _EXCEPTIONS,
    },
    "azureml.data.dataset_factory": {
        "PromoteHeadersBehavior": "azureml.data.dataset_type_definitions",
    },
    "azureml.data.output_dataset_config": {
        "AbstractDataset": "azureml.data.abstract_dataset",
    },
    "azureml.data.tabular_dataset": {
        "FileDataset": "azureml.data.file_dataset",
    },
    "azureml.data.file_dataset": {
        "AzureMLException": _EXCEPTIONS,
    },
    "azureml.telemetry": {
        "UserErrorException": _EXCEPTIONS,
    },
    "azureml.train.hyperdrive.policy": {
        "HyperDriveRehydrateException": _HYPERDRIVE_EXCEPTIONS,
    },
    "azureml.train.hyperdrive.run": {
        "Experiment": "azureml.core.experiment",
        "HyperDriveConfigException": _HYPERDRIVE_EXCEPTIONS,
        "PrimaryMetricGoal": "azureml.train.hyperdrive.runconfig",
        "TrainingException": _EXCEPTIONS,
        "Workspace": "azureml.core.workspace",
    },
    "azureml.train.hyperdrive.runconfig": {
        "HyperDriveConfigException": _HYPERDRIVE_EXCEPTIONS,
        "Run": "azureml.core.run",
        "TrainingException": _EXCEPTIONS,
        "get_run_config_from_script_run": "azureml.core.script_run_config",
    },
    "azureml.train.hyperdrive.sampling": {
        "HyperDriveRehydrateException": _HYPERDRIVE_EXCEPTIONS,
    },
}
