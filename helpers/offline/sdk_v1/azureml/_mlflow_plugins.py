"""What MLflow asks of azureml-mlflow beside tracking: to run a project, and to deploy a model. Both are refused.

MLflow finds it by the entry points in azureml_mlflow-….dist-info, as it finds those of an installed package. "sqlite"
is among them, since the tracking address of the offline workspace begins with it.
"""

from mlflow.deployments import BaseDeploymentClient
from mlflow.projects.backend.abstract_backend import AbstractBackend

from azureml._strict import UnsupportedOfflineError, _message

INSTEAD_OF_A_PROJECT = (
    "Submit the project's command as a job: in SDK v1 Experiment(ws, name).submit(ScriptRunConfig(source_directory=…, "
    'command=…, compute_target=…, environment=…)), in v2 command(…). With backend="local" MLflow itself runs the '
    "project here, and the workspace keeps the run."
)
INSTEAD_OF_A_CLIENT = (
    "Deploy the registered model with Model.deploy() of SDK v1, or with a ManagedOnlineDeployment of v2, which needs "
    "no scoring script for a model in MLflow's format."
)


class ProjectBackend(AbstractBackend):
    """The backend "azureml" of mlflow.projects.run()."""

    def run(self, *project):
        """Raises UnsupportedOfflineError."""
        _refuse('mlflow.projects.run(backend="azureml")', INSTEAD_OF_A_PROJECT)


class DeploymentClient(BaseDeploymentClient):
    """What mlflow.deployments.get_deploy_client() would give. Raises UnsupportedOfflineError."""

    def __new__(cls, target_uri):
        target = '"azureml"' if target_uri == "azureml" else "ws.get_mlflow_tracking_uri()"
        _refuse(f"mlflow.deployments.get_deploy_client({target})", INSTEAD_OF_A_CLIENT)


def run_local(target, name, model_uri, flavor=None, config=None):
    """Raises UnsupportedOfflineError."""
    _refuse("mlflow.deployments.run_local()", INSTEAD_OF_A_CLIENT)


def target_help():
    """What `mlflow deployments help -t azureml` prints."""
    return f"The offline backend deploys no model through MLflow. {INSTEAD_OF_A_CLIENT}"


def _refuse(what, instead):
    raise UnsupportedOfflineError(f"{_message(what)} {instead}")
