"""What is asked of both SDKs, in the words that they share. Arguments and results are JSON."""

import contextlib
import importlib
import io
import json
import logging
import re
from pathlib import Path
from types import SimpleNamespace

import azureml.exceptions
from azureml.core import Dataset, Environment, Model, RunConfiguration, ScriptRunConfig, Webservice
from azureml.core.compute import AksCompute, AmlCompute
from azureml.core.compute.amlcompute import AmlComputeStatus, ScaleSettings
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
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
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


def run_configuration_data(path):
    """What is read of a reference and an output in a file."""
    read = RunConfiguration.load(path)
    reference, output = read.data_references["given"], read.output_data["made"]
    place = output.output_location.data_path
    return reference.mode, reference.path_on_data_store, output.mechanism, place.datastore_name, place.relative_path


def run_configuration_saved_again(path, name):
    RunConfiguration.load(path, name).save()


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


def provisioning(arguments):
    """What a cluster is to be created from."""
    config = AmlCompute.provisioning_configuration(**arguments)
    kept = vars(config) | {"_compute_type": config._compute_type.__name__}
    return kept | {"scale_settings": [vars(config.scale_settings), config.scale_settings.serialize()]}


def scale(*arguments):
    return ScaleSettings(*arguments).serialize()


def scale_back(payload):
    return vars(ScaleSettings.deserialize(payload))


def status(payload):
    return AmlComputeStatus.deserialize(payload).serialize()


def consumption(name, mode, path):
    """A dataset as a job's input, and what its methods make of that."""
    config = DatasetConsumptionConfig(name, SimpleNamespace(id="0a1b2c3d-4e5f"), mode, path)
    return [
        [each.name, each.mode, each.path_on_compute, each.arg_val]
        for each in (config, config.as_mount("m"), config.as_download("d"), config.as_hdfs())
    ]


def from_files(path):
    logging.disable()  # the real SDK's log goes to Microsoft, too
    try:
        return type(Dataset.File.from_files(path)).__name__
    finally:
        logging.disable(logging.NOTSET)


def reference(name, path, below, mode):
    """A path in a datastore below another one, and the same by way of a DataPath."""
    one = DataReference(SimpleNamespace(name="store"), name, path, mode).path(below)
    path = DataPath.create_from_data_reference(one)
    again = path.create_data_reference("again", DataPathComputeBinding.create_from_data_reference(one))
    texts = [re.sub("[0-9a-f]{32}", "random", str(one)), str(again)]
    return [*texts, one.path_on_datastore, one.mode, again.mode]


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


def deployment_told(folder, settings, variables=None):
    """What Model.print_configuration() prints of a script, its environment and a deployment's settings."""
    environment = Environment("scoring")
    environment.python.conda_dependencies = CondaDependencies(_underlying_structure={"dependencies": ["python=3.11"]})
    environment.docker.base_image = settings.pop("image", None)
    environment.environment_variables = variables
    inference = InferenceConfig("score.py", source_directory=folder, environment=environment)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        Model.print_configuration([], inference, AciWebservice.deploy_configuration(**settings), None)
    return printed.getvalue().splitlines()


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
