"""What is in a workspace, by name, and what only a workspace on Azure has."""

from azureml import _engine
from azureml._strict import unsupported
from azureml.core.compute import ComputeTarget
from azureml.exceptions import ProjectSystemException


class _WorkspaceContents:
    """A part of Workspace."""

    @property
    def compute_targets(self):
        """The compute targets, by name."""
        return {target.name: target for target in ComputeTarget.list(self)}

    @property
    def datastores(self):
        """The datastores, by name."""
        from azureml.core.datastore import Datastore

        return {name: Datastore.get(self, name) for name in (_engine.data.BLOBSTORE, _engine.data.FILESTORE)}

    @property
    def datasets(self):
        """The registered datasets in their latest version, by name."""
        from azureml.core.dataset import Dataset

        return Dataset.get_all(self)

    def get_default_datastore(self):
        """The datastore that is used where none is named."""
        from azureml.core.datastore import Datastore

        return Datastore.get_default(self)

    def set_default_datastore(self, name):
        """Make a datastore the default. Raises UserErrorException for one that is not there."""
        from azureml.core.datastore import Datastore

        self._change(default_datastore=Datastore.get(self, name).name)

    @property
    def experiments(self):
        """The experiments, by name."""
        from azureml.core.experiment import Experiment

        return {experiment.name: experiment for experiment in Experiment.list(self)}

    @property
    def environments(self):
        """The registered environments in their latest version, by name."""
        from azureml.core.environment import Environment

        return Environment.list(self)

    @property
    def models(self):
        """The registered models in their latest version, by name."""
        from azureml.core.model import Model

        return {model.name: model for model in Model.list(self, latest=True)}

    def get_run(self, run_id):
        """The run with this id."""
        from azureml.core.run import Run

        return Run.get(self, run_id)

    @property
    def images(self):
        """No images: offline none are made."""
        return {}

    @property
    def webservices(self):
        """The web services, by name; local ones are not among them."""
        from azureml.core.webservice import Webservice

        return {service.name: service for service in Webservice.list(self)}

    @property
    def linked_services(self):
        """No linked services: offline none can be linked."""
        return {}

    @property
    def private_endpoints(self):
        """No private endpoints: offline none can be added."""
        return {}

    def add_private_endpoint(
        self,
        private_endpoint_config,
        private_endpoint_auto_approval=True,
        location=None,
        show_output=True,
        tags=None,
    ):
        unsupported("Workspace.add_private_endpoint()")

    def delete_private_endpoint_connection(self, private_endpoint_connection_name):
        unsupported("Workspace.delete_private_endpoint_connection()")

    def get_default_keyvault(self):
        unsupported("Workspace.get_default_keyvault()")

    def set_connection(self, name, category, target, authType, value):
        unsupported("Workspace.set_connection()")

    def get_connection(self, name):
        """Raise ProjectSystemException: offline there are no connections."""
        raise ProjectSystemException(f"Workspace connection {name!r} not found: offline none can be made.")

    def list_connections(self, category=None, target=None):
        """The connections, as text: there are none."""
        return "[]"

    def delete_connection(self, name):
        """Do nothing, as the service does for a connection that is not there."""
