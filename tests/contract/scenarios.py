"""What is asked of both SDKs, in the words that they share. Arguments and results are JSON."""

import importlib
import json
import logging
import warnings
from pathlib import Path
from types import SimpleNamespace

import azureml.exceptions
import azureml.train.hyperdrive
import azureml.train.hyperdrive.exceptions
from azureml.core import Environment, Model, RunConfiguration, ScriptRunConfig, Webservice
from azureml.core.compute import AksCompute, AmlCompute
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.model import InferenceConfig
from azureml.core.runconfig import (
    DockerConfiguration,
    MpiConfiguration,
    PyTorchConfiguration,
    TensorflowConfiguration,
)
from azureml.core.script_run_config import get_run_config_from_script_run
from azureml.core.webservice import AciWebservice, AksWebservice, LocalWebservice, aks
from azureml.core.webservice.aci import ContainerResourceRequirements
from azureml.data.datapath import DataPath
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

DISTRIBUTED = {"mpi": MpiConfiguration, "pytorch": PyTorchConfiguration, "tensorflow": TensorflowConfiguration}


def conda_changes(structure, changes):
    """Apply [method, arguments] one after the other; what each did, and what came of it."""
    conda = CondaDependencies(_underlying_structure=structure) if structure else CondaDependencies()
    outcomes = []
    for method, arguments in changes:
        try:
            outcomes.append(getattr(conda, method)(*arguments))
        except azureml.exceptions.UserErrorException as error:
            outcomes.append(error.message)
    return outcomes, conda_state(conda)


def conda_state(conda):
    return {
        "dict": conda.as_dict(),
        "channels": list(conda.conda_channels),
        "conda": list(conda.conda_packages),
        "pip": list(conda.pip_packages),
        "options": list(conda.pip_options),
        "python": conda.get_python_version(),
    }


def conda_create(arguments):
    return conda_state(CondaDependencies.create(**arguments))


def conda_file(path):
    return conda_state(CondaDependencies(path))


def conda_text(structure):
    return CondaDependencies(_underlying_structure=structure).serialize_to_string()


def conda_defaults():
    return CondaDependencies().get_default_number_of_packages(), CondaDependencies.sdk_origin_url()


def conda_merge(requirements):
    return CondaDependencies.merge_requirements(requirements)


def conda_save(path):
    return CondaDependencies().save(path)


def conda_save_without_python(path):
    return CondaDependencies(_underlying_structure={"name": "x"}).save(path)


def conda_save_to_file(folder, name):
    return CondaDependencies().save_to_file(folder, name), sorted(map(str, Path(folder).rglob("*.yml")))


def environment_new(name):
    environment = Environment(name)
    return repr(environment), str(environment)


def environment_from(maker, arguments):
    return logged(lambda: json.loads(repr(getattr(Environment, maker)(**arguments))))


def environment_docker(changes):
    """Set attributes of .docker one after the other; the definition and the warnings."""

    def change():
        environment = Environment("changed")
        for name, value in changes:
            setattr(environment.docker, name, value)
        return json.loads(repr(environment))

    return logged(change)


def environment_set(attribute):
    setattr(Environment("set"), attribute, 1)


def environment_clone(name):
    environment = Environment("first")
    environment.version = "3"
    return json.loads(repr(environment.clone(name)))


def environment_save(conda_path, dockerfile, folder):
    environment = Environment.from_conda_specification("saved", conda_path)
    environment.environment_variables = {"SOME_VARIABLE": "1"}
    if dockerfile:
        environment.docker.base_dockerfile = dockerfile
    environment.save_to_directory(folder)
    return sorted(path.name for path in Path(folder).iterdir())


def environment_load(folder):
    return json.loads(repr(Environment.load_from_directory(folder)))


def run_configuration(settings):
    configuration = RunConfiguration()
    for name, value in settings.items():
        setattr(configuration, name, value)
    return repr(configuration)


def run_configuration_save(folder, name, separate, settings):
    configuration = RunConfiguration()
    for key, value in settings.items():
        setattr(configuration, key, value)
    configuration.environment.python.conda_dependencies.add_pip_package("keras")
    configuration.save(folder, name, separate_environment_yaml=separate)
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def run_configuration_load(path, name):
    return json.loads(repr(RunConfiguration.load(path, name)))


def run_configuration_delete(path, name):
    RunConfiguration.delete(path, name)
    return sorted(entry.name for entry in Path(path).iterdir())


def script_run(arguments, run_config=None, distributed=None, docker=None, environment=None):
    """What a ScriptRunConfig of these would submit, and the warnings."""

    def make():
        given = dict(arguments)
        if run_config is not None:
            given["run_config"] = RunConfiguration(**run_config)
        if distributed is not None:
            kind, settings = distributed
            given["distributed_job_config"] = DISTRIBUTED[kind](**settings) if kind in DISTRIBUTED else settings
        if docker is not None:
            given["docker_runtime_config"] = DockerConfiguration(**docker) if isinstance(docker, dict) else docker
        if environment is not None:
            given["environment"] = Environment(environment)
            given["environment"].docker.enabled = True
        config = ScriptRunConfig(**given)
        submitted = json.loads(repr(get_run_config_from_script_run(config)))
        return [config.script, config.arguments, config.command, config.source_directory], submitted

    return logged(make)


def script_run_resumed(arguments, path):
    """What a ScriptRunConfig makes of resume_from."""
    if path is not None:
        path = DataPath(SimpleNamespace(name="workspaceartifactstore"), path)
    config = ScriptRunConfig(".", script="train.py", arguments=arguments, resume_from=path or "no path")
    submitted = json.loads(repr(get_run_config_from_script_run(config)))
    return config.arguments, submitted["arguments"], submitted["dataReferences"]


def script_run_leaves_its_configuration_alone():
    config = ScriptRunConfig(".", script="train.py", arguments=["--a", 1])
    get_run_config_from_script_run(config).arguments.append("more")
    return config.arguments, config.run_config.script


def submit(folder, arguments):
    """Submit what is refused before the service is asked: there that part of it alone, here the whole."""
    config = ScriptRunConfig(folder, **arguments)
    try:
        from azureml._execution._commands import _setup_run
    except ImportError:
        from azureml.core import Experiment, Workspace

        Experiment(Workspace.from_config(), "contract").submit(config)
    else:
        _setup_run(SimpleNamespace(project_directory=folder), get_run_config_from_script_run(config))


def dataset_arguments(arguments):
    """Arguments, of which {"name", "mode", "path"} stands for a dataset, as they are submitted, and the inputs."""
    dataset = SimpleNamespace(id="0-1", name="mnist", version=2, _consume_latest=False, _ensure_saved=str)
    given = [
        DatasetConsumptionConfig(item["name"], dataset, item["mode"], item["path"]) if isinstance(item, dict) else item
        for item in arguments
    ]
    run_config = get_run_config_from_script_run(ScriptRunConfig(".", script="a.py", arguments=given))
    try:
        from azureml.core.script_run_config import _update_args_and_io
    except ImportError:
        from azureml._submit import _definition, _words

        inputs = dict(run_config.data)
        submitted = _definition(run_config, inputs, {}, _words(run_config, inputs, {}))
    else:
        _update_args_and_io("workspace", run_config)
        submitted = json.loads(repr(run_config))
    return [str(argument) for argument in submitted["arguments"]], submitted["data"]


def check_name(kind, name):
    """What each side checks before it asks the service."""
    try:
        from azureml._base_sdk_common.common import check_valid_resource_name
    except ImportError:
        importlib.import_module(f"azureml.core.{kind}")._check_name(name)
    else:
        check_valid_resource_name(name, kind.title())


def provisioning_configuration(arguments):
    settings = vars(AmlCompute.provisioning_configuration(**arguments))
    return {name: settings[name] for name in ("vm_size", "vm_priority", "min_nodes", "max_nodes", "location", "tags")}


def aci_configuration(arguments):
    settings = vars(AciWebservice.deploy_configuration(**arguments))
    return {name: value for name, value in settings.items() if name != "_webservice_type"}


def aks_configuration(arguments):
    settings = vars(AksWebservice.deploy_configuration(**arguments))
    return {name: value for name, value in settings.items() if name != "_webservice_type"}


def aks_attach_configuration(arguments):
    own = ("resource_group", "cluster_name", "resource_id", "cluster_purpose", "load_balancer_type")
    config = AksCompute.attach_configuration(**arguments)
    return {name: getattr(config, name) for name in own}


def aks_part(name, payload):
    return getattr(aks, name).deserialize(payload).serialize()


def local_configuration(port):
    return LocalWebservice.deploy_configuration(port=port).port


def inference_config(folder, arguments):
    """An InferenceConfig with its folder, and the warnings that it logs."""

    def make():
        config = InferenceConfig(source_directory=folder, environment=Environment("scoring"), **arguments)
        return repr(config), config.environment.name

    return logged(make)


def container_requirements(payload):
    return ContainerResourceRequirements.deserialize(payload).serialize()


def service_name(name):
    """Deploy under a name: what is refused before the workspace is asked."""
    Model.deploy(None, name, [])


def service_key(key):
    """Regenerate a key: what is refused before the workspace is asked."""
    Webservice.regen_key(SimpleNamespace(workspace=None, _mms_endpoint="", _auth=_NoLogin()), key)


class _NoLogin:
    def get_authentication_header(self):
        return {}


def exception_texts(name, arguments, keywords):
    error = getattr(azureml.exceptions, name)(*arguments, **keywords)
    return str(error), repr(error), error.message, error.inner_exception


def logged(function):
    """The function's result and the number of warnings that it logged."""
    records = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append
    logging.getLogger().addHandler(handler)
    try:
        return function(), len(records)
    finally:
        logging.getLogger().removeHandler(handler)


def sweep_expression(name, arguments):
    """What a function that describes a hyperparameter's values gives; {"range": n} stands for range(n)."""
    given = [range(item["range"]) if isinstance(item, dict) else item for item in arguments]
    return getattr(azureml.train.hyperdrive, name)(*given)


def sweep_part(name, arguments):
    """What a sampling or a policy of these arguments says of itself."""
    part = getattr(azureml.train.hyperdrive, name)(**arguments)
    told = ("slack_factor", "evaluation_interval", "delay_evaluation", "truncation_percentage")
    return part.to_json(), {key: getattr(part, key) for key in told if hasattr(part, key)}


def sweep_config(changes, sampling="RandomParameterSampling", policy=None):
    """What a HyperDriveConfig keeps of its arguments, and how many warnings it gives."""
    hyperdrive = azureml.train.hyperdrive
    given = {
        "hyperparameter_sampling": sampling and getattr(hyperdrive, sampling)({"x": ["choice", [[1, 2]]]}),
        "primary_metric_name": "Accuracy",
        "primary_metric_goal": hyperdrive.PrimaryMetricGoal.MAXIMIZE,
        "max_total_runs": 40,
        "run_config": ScriptRunConfig("source", script="a.py"),
        "policy": policy and getattr(hyperdrive, policy)(),
    }
    with warnings.catch_warnings(record=True) as given_warnings:
        warnings.simplefilter("always")
        config = hyperdrive.HyperDriveConfig(**given | changes)
    kept = ("_generator_config", "_policy_config", "_primary_metric_config", "_max_total_runs", "_max_concurrent_runs")
    told = {name: getattr(config, name) for name in (*kept, "_max_duration_minutes", "source_directory", "estimator")}
    return told, [str(warning.message).split()[:4] for warning in given_warnings]


def sweep_goal(text):
    return azureml.train.hyperdrive.PrimaryMetricGoal.from_str(text).value


def sweep_error_code(name, arguments):
    try:
        sweep_part(name, arguments)
    except azureml.train.hyperdrive.exceptions.HyperDriveConfigException as error:
        return error.error_code, [base.__name__ for base in type(error).__mro__]
