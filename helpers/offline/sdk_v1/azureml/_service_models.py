"""The models of a service."""

from azureml.core.model import Model


def uses_model(service, model_name, model_id):
    """Whether a service of the engine has the model of this name or id; None asks for nothing."""
    names = {model.rpartition(":")[0] for model in service["models"]}
    return (not model_name or model_name in names) and (not model_id or model_id in service["models"])


def models_of(workspace, service):
    """The registered models that a service of the engine has; one that was deleted since is left out."""
    known = {model.id: model for model in Model.list(workspace, expand=False)}
    return [known[model] for model in service["models"] if model in known]
