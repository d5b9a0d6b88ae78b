"""From a Model.deploy() to a service of the engine."""

import re
from pathlib import Path

from azureml import _engine
from azureml._strict import unsupported
from azureml._tags import texts
from azureml.exceptions import UserErrorException, WebserviceException


def deploy(workspace, name, models, inference_config, deployment_config, deployment_target, overwrite, show_output):
    """Start the service and return its Webservice at once. Raises WebserviceException."""
    from azureml.core.webservice.local import LocalWebservice, LocalWebserviceDeploymentConfiguration

    _check_name(name)
    if isinstance(deployment_config, LocalWebserviceDeploymentConfiguration):
        if inference_config is None:
            unsupported("A LocalWebservice without an InferenceConfig")
        service = LocalWebservice(workspace, name, must_exist=False)
        service.update(models=models, inference_config=inference_config, deployment_config=deployment_config)
        return service
    deployment_config = _configuration(workspace, deployment_config, deployment_target)
    cls = deployment_config._webservice_type
    _check_free(workspace, name, cls, overwrite)
    asks_for_key = deployment_config.auth_enabled
    wanted = {
        **(changed(workspace, name, models, inference_config) if inference_config else of_framework(workspace, models)),
        "auth_enabled": cls._webservice_type == "AKS" if asks_for_key is None else bool(asks_for_key),
        "tags": texts(deployment_config.tags or {}),
        "properties": texts(deployment_config.properties or {}),
        "description": deployment_config.description,
        "settings": deployment_config._settings(),
    }
    keys = (deployment_config.primary_key, deployment_config.secondary_key)
    with _engine.translated(NotFound=_not_found, EngineError=WebserviceException):
        made = _engine.services.deploy(
            workspace._folder, cls._webservice_type, name, wanted, keys=keys, overwrite=overwrite
        )
    if show_output:
        print("Request submitted, please run wait_for_deployment(show_output=True) to get deployment status.")
    service = cls(workspace, name)
    service._operation = made["operation"]["id"]
    return service


def _configuration(workspace, given, target):
    """The configuration of an ACI or AKS service, whose cluster is `target`. Raises WebserviceException."""
    from azureml.core.compute import AksCompute, ComputeTarget
    from azureml.core.webservice.aci import AciServiceDeploymentConfiguration, AciWebservice
    from azureml.core.webservice.aks import AksServiceDeploymentConfiguration, AksWebservice

    if target is not None and not isinstance(target, AksCompute):
        raise WebserviceException(
            f"A deployment_target is an AksCompute, not a {type(target).__name__}. Without one, a service is deployed "
            "as to Azure Container Instances."
        )
    given = given or (AciWebservice if target is None else AksWebservice).deploy_configuration()
    if isinstance(given, AksServiceDeploymentConfiguration):
        if target is not None:
            given.compute_target_name = target.name
        if given.compute_target_name is None:
            raise WebserviceException("Must have a deployment target for an AKS web service.")
        ComputeTarget(workspace, given.compute_target_name)  # raises where there is none
    elif not isinstance(given, AciServiceDeploymentConfiguration):
        raise WebserviceException(
            "A service is deployed offline with the deploy_configuration() of AciWebservice, AksWebservice or "
            f"LocalWebservice, not with {type(given).__name__}."
        )
    return given


def changed(workspace, name, models, inference_config):
    """What the engine is to deploy of models and an InferenceConfig; what is None is left as it was.

    The environment is registered, as the service does it.
    """
    from azureml.core.environment import Environment, _registered
    from azureml.core.model import InferenceConfig

    wanted = {}
    if models is not None:
        wanted["models"] = [_model_id(workspace, model) for model in models]
    if inference_config is not None:
        if not isinstance(inference_config, InferenceConfig):
            raise WebserviceException("Error, provided inference configuration must be of type InferenceConfig.")
        environment = inference_config.environment or Environment(f"{name}-env")
        directory, script = inference_config.source_directory, inference_config.entry_script
        wanted["source_directory"] = directory and str(Path(directory).resolve())
        wanted["entry_script"] = script if directory else str(Path(script).resolve())
        with _engine.translated(EngineError=WebserviceException):
            wanted["environment"] = _registered(workspace, environment._serialize_to_dict())
    return wanted


def of_framework(workspace, models):
    """What the engine is to deploy of a model without an InferenceConfig. Raises as the SDK does, by its framework."""
    from azureml.core.model import Model

    if len(models) != 1:
        raise UserErrorException("You must provide an InferenceConfig when deploying zero or multiple models.")
    model, known = Model(workspace, id=_model_id(workspace, models[0]), expand=False), Model.Framework
    supported = [known.ONNX, known.SCIKITLEARN, known.TENSORFLOW, known.MULTI]
    if model.model_framework not in supported:
        raise UserErrorException(
            "You must provide an InferenceConfig when deploying a model with model_framework set to "
            f"{model.model_framework}. Default environments are only provided for these frameworks: {supported}."
        )
    if model.model_framework in (known.ONNX, known.MULTI):
        unsupported(f"Model.deploy() of a model of the framework {model.model_framework} without an InferenceConfig")
    with _engine.translated(EngineError=WebserviceException):
        return {
            "models": [model.id],
            **_engine.framework_models.wanted_for(model._record, model.model_framework),
        }


def print_configuration(models, inference_config, deployment_config, deployment_target):
    """Print what a deployment is made of."""
    if models:
        print(f"Models: {[getattr(model, 'id', model) for model in models]}")
    if deployment_target:
        print(f"Compute target: {deployment_target.name}")
    if inference_config:
        _print_inference(inference_config)
    if deployment_config:
        deployment_config.print_deploy_configuration()


def _print_inference(config):
    folder, script = config.source_directory, config.entry_script
    print(f"Entry script: {Path(Path(folder).name, script) if folder else Path(script).name}")
    environment, dependencies = config.environment, config._dependencies()
    if not environment:
        return
    told = {
        "variables": len(environment.environment_variables or ()) > 1 and environment.environment_variables,
        "dependencies": dependencies and dependencies.as_dict().get("dependencies"),
        "docker image": environment.docker.base_image,
        "docker file": environment.docker.base_dockerfile,
    }
    for name, value in told.items():
        if value:
            print(f"Environment {name}: {value}")


def _check_free(workspace, name, cls, overwrite):
    cls.check_for_existing_webservice(workspace, name, overwrite)
    others = [one for one in cls.list(workspace) if one.name == name and not isinstance(one, cls)]
    if others:
        raise WebserviceException(
            f"Service {name} is of the type {others[0].compute_type}, and is not overwritten by one of "
            f"{cls._webservice_type}: delete it first."
        )


def _check_name(name):
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name) or not 3 <= len(name) <= 32:
        raise WebserviceException(
            "Error, provided service name is invalid. It must only consist of lowercase letters, numbers, or dashes, "
            "start with a letter, end with a letter or number, and be between 3 and 32 characters long."
        )


def _model_id(workspace, model):
    from azureml.core.model import Model

    if isinstance(model, str):
        return Model(workspace, id=model, expand=False).id
    if isinstance(model, Model):
        return model.id
    raise WebserviceException(
        "Models must either be of type azureml.core.Model or a str path to a file or folder. Offline a path has to be "
        "registered first."
    )


def _not_found(message):
    return WebserviceException(f"ModelNotFound: {message}" if " model " in message else message)
