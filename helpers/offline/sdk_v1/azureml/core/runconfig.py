"""Run configurations: everything about a run but its source directory."""

import json
import logging
from pathlib import Path

import yaml

from azureml._config_element import ConfigElement, camel_case, config_folder
from azureml._strict import module_getattr, unsupported
from azureml.core._environment_sections import _DEFAULT_SHM_SIZE
from azureml.core._runconfig_data import (  # noqa: F401  the real SDK has them all here
    Data,
    DataLocation,
    DataPath,
    DataReferenceConfiguration,
    Dataset,
    DatasetRegistrationOptions,
    GlobsOptions,
    MountOptions,
    OutputData,
    OutputOptions,
    RegistrationOptions,
    UploadOptions,
)
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.environment import DEFAULT_CPU_IMAGE, DEFAULT_GPU_IMAGE, Environment, EnvironmentReference
from azureml.exceptions import RunConfigurationException, UserErrorException

__getattr__ = module_getattr(__name__)

module_logger = logging.getLogger(__name__)

MPI_CPU_IMAGE = DEFAULT_CPU_IMAGE
MPI_GPU_IMAGE = DEFAULT_GPU_IMAGE
LOCAL_RUNCONFIG_NAME = "local"
SUPPORTED_PYTORCH_BACKENDS = ["nccl", "gloo"]

_EXTENSION = ".runconfig"
_ENVIRONMENT_FILE_NAME = "environment.yml"
_CONDA_FILE_NAME = "conda_dependencies.yml"


class HdiConfiguration(ConfigElement):
    """HDInsight's settings; recorded, not used offline."""

    _fields = {"yarn_deploy_mode": None}

    def __init__(self):
        self.yarn_deploy_mode = "cluster"
        self._initialized = True


class TensorflowConfiguration(ConfigElement):
    """A distributed TensorFlow job: how many workers and parameter servers."""

    _fields = {"worker_count": int, "parameter_server_count": int}

    def __init__(self, worker_count=1, parameter_server_count=1):
        self.worker_count = worker_count
        self.parameter_server_count = parameter_server_count
        self._initialized = True


class MpiConfiguration(ConfigElement):
    """A distributed MPI job: how many nodes, and processes on each."""

    _fields = {"process_count_per_node": int, "node_count": int}

    def __init__(self, process_count_per_node=1, node_count=1):
        self.process_count_per_node = process_count_per_node
        self.node_count = node_count
        self._initialized = True


class PyTorchConfiguration(ConfigElement):
    """A distributed PyTorch job. Raises RunConfigurationException for a backend other than Nccl and Gloo.

    process_count: of all nodes together; node_count by default.
    """

    _fields = {"communication_backend": None, "process_count": int, "node_count": int}

    def __init__(self, communication_backend="Nccl", process_count=None, node_count=1):
        if communication_backend.lower() not in SUPPORTED_PYTORCH_BACKENDS:
            raise RunConfigurationException(
                f"{communication_backend} is not a supported backend. 'communication_backend' must be 'Nccl' or 'Gloo'."
            )
        self.communication_backend = communication_backend.lower()
        self.process_count = process_count
        self.node_count = node_count
        self._initialized = True


class ParallelTaskConfiguration(ConfigElement):
    """A parallel task's settings; recorded, not used offline."""

    _fields = {"max_retries_per_worker": int, "worker_count_per_node": int, "terminal_exit_codes": None}

    def __init__(self):
        self.max_retries_per_worker = 0
        self.worker_count_per_node = 1
        self.terminal_exit_codes = None
        self._initialized = True


class AmlComputeConfiguration(ConfigElement):
    """A cluster made for one run only; recorded, not used offline."""

    _fields = {
        "vm_size": None,
        "vm_priority": None,
        "_retain_cluster": bool,
        "_name": None,
        "_cluster_max_node_count": int,
    }

    def __init__(self):
        self.vm_size = None
        self.vm_priority = None
        self._retain_cluster = False
        self._name = None
        self._cluster_max_node_count = None
        self._initialized = True


class KubernetesComputeConfiguration(ConfigElement):
    """Kubernetes' settings; recorded, not used offline."""

    _fields = {"instance_type": None}

    def __init__(self):
        self.instance_type = None
        self._initialized = True


class SparkConfiguration(ConfigElement):
    """Spark's settings; recorded, not used offline."""

    _fields = {"configuration": None}

    def __init__(self):
        self.configuration = {"spark.app.name": "Azure ML Experiment", "spark.yarn.maxAppAttempts": 1}
        self._initialized = True


class HistoryConfiguration(ConfigElement):
    """What of a run is kept."""

    _fields = {"output_collection": bool, "snapshot_project": bool, "directories_to_watch": None}

    def __init__(self):
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch = ["logs"]
        self._initialized = True


class DockerConfiguration(ConfigElement):
    """Whether and how the run is in a container; recorded, not used offline."""

    _fields = {"use_docker": bool, "shared_volumes": bool, "arguments": None, "shm_size": None}

    def __init__(self, use_docker=False, shared_volumes=True, arguments=[], shm_size=_DEFAULT_SHM_SIZE):  # noqa: B006
        self.use_docker = use_docker
        self.shared_volumes = shared_volumes
        self.arguments = list(arguments) if isinstance(arguments, list) else arguments  # the default is one for all
        self.shm_size = shm_size
        self._initialized = True


class EnvironmentDefinition(Environment):
    """Environment under its former name."""

    def __init__(self, name=None):
        super().__init__(name)


class RunConfiguration(ConfigElement):
    """Script, arguments, target, environment, inputs and limits of a run."""

    _fields = {
        "script": None,
        "arguments": None,
        "_target": None,
        "framework": None,
        "communicator": None,
        "max_run_duration_seconds": int,
        "node_count": int,
        "priority": int,
        "environment": Environment,
        "history": HistoryConfiguration,
        "spark": SparkConfiguration,
        "docker": DockerConfiguration,
        "hdi": HdiConfiguration,
        "tensorflow": TensorflowConfiguration,
        "mpi": MpiConfiguration,
        "pytorch": PyTorchConfiguration,
        "paralleltask": ParallelTaskConfiguration,
        "data_references": {str: DataReferenceConfiguration},
        "data": {str: Data},
        "datacaches": None,
        "output_data": {str: OutputData},
        "source_directory_data_store": None,
        "amlcompute": AmlComputeConfiguration,
        "auto_cluster_compute_specification": None,
        "kubernetescompute": KubernetesComputeConfiguration,
        "credential_passthrough": bool,
        "command": None,
        "_environment_variables": None,
        "services": None,
    }
    _written_as = {"services": "applicationEndpoints"}

    def __init__(
        self,
        script=None,
        arguments=None,
        framework=None,
        communicator=None,
        conda_dependencies=None,
        _history_enabled=None,
        _path=None,
        _name=None,
        command=None,
    ):
        self._path = _path
        self._name = _name
        self.script = script
        self.arguments = arguments or []
        self.command = command or ""
        self._target = LOCAL_RUNCONFIG_NAME
        self.framework = framework or "Python"
        self.communicator = communicator or "None"
        self.max_run_duration_seconds = None
        self.node_count = 1
        self.priority = None
        self.environment = EnvironmentDefinition(name="default-environment")
        if conda_dependencies:
            self.environment.python.conda_dependencies = conda_dependencies
        self.history = HistoryConfiguration()
        if _history_enabled:
            self.history.output_collection = _history_enabled
        self.spark = SparkConfiguration()
        self.docker = DockerConfiguration()
        self.hdi = HdiConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.paralleltask = ParallelTaskConfiguration()
        self.data_references = {}
        self.data = {}
        self.datacaches = []
        self.output_data = {}
        self.source_directory_data_store = None
        self.amlcompute = AmlComputeConfiguration()
        self.auto_cluster_compute_specification = None
        self.kubernetescompute = KubernetesComputeConfiguration()
        self.credential_passthrough = False
        self._environment_variables = {}
        self.services = {}
        self._initialized = True

    def __repr__(self):
        # An argument may be a dataset, which has no written form before the run is submitted.
        return json.dumps(self._serialize_to_dict(), indent=4, default=str)

    @property
    def auto_prepare_environment(self):
        """Deprecated and unused."""
        self._warn_auto_prepare()
        return True

    @auto_prepare_environment.setter
    def auto_prepare_environment(self, _):
        self._warn_auto_prepare()

    @property
    def environment_variables(self):
        """The run's environment variables."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, value):
        self._environment_variables = value

    @property
    def target(self):
        """The compute target's name; may be set to the target itself."""
        return self._target

    @target.setter
    def target(self, target):
        if not isinstance(target, str):
            from azureml.core.compute import ComputeTarget

            if not isinstance(target, ComputeTarget):  # the SDK leaves the target as it was, without a word
                module_logger.warning(
                    "The target is no ComputeTarget and no name, and stays %r: %r", self._target, target
                )
                return
            target = target.name
        self._target = target

    def save(self, path=None, name=None, separate_environment_yaml=False):
        """Write the configuration to <path>/.azureml/<name>, or to the file `path` where it exists.

        The conda specification goes to a file beside it, and so does the rest of the environment if
        separate_environment_yaml. Raises FileNotFoundError, and UserErrorException without a name.
        """
        path = Path(path or self._path or Path.cwd())
        name = name or self._name
        if not path.exists():
            raise FileNotFoundError(f"Path does not exist: {path}")
        if path.is_dir() and not name:
            raise UserErrorException("Cannot save a runconfig without a name specified")
        project, prefix = (path, f"{config_folder(path)}/") if path.is_dir() else (path.parent, "")
        written = self._serialize_to_dict()
        environment = written["environment"]
        del environment["python"]["condaDependencies"]
        conda_file = environment["python"]["condaDependenciesFile"] or f"{prefix}{_CONDA_FILE_NAME}"
        environment["python"]["condaDependenciesFile"] = conda_file
        if separate_environment_yaml:
            written["environment"] = f"{prefix}{_ENVIRONMENT_FILE_NAME}"
            _dump(environment, project / written["environment"])
        _dump(written, path / prefix / name if path.is_dir() else path)
        self.environment.python.conda_dependencies.save_to_file(project, conda_file_path=conda_file)

    @staticmethod
    def load(path, name=None):
        """Read a configuration: the file `path`, or the one called `name`, with or without .runconfig, in it.

        Raises UserErrorException where there is none, and RunConfigurationException where it cannot be read.
        """
        path = Path(path or Path.cwd())
        candidates = [path, Path(f"{path}{_EXTENSION}")]
        if name:
            inside = path / config_folder(path) / name
            candidates = [path, inside, Path(f"{inside}{_EXTENSION}"), path / f"{name}{_EXTENSION}"]
        found = next((candidate for candidate in candidates if candidate.is_file()), None)
        if found is None:
            raise UserErrorException(f"Failed to load RunConfiguration from path={path} name={name}")
        if name and found.name == f"{name}{_EXTENSION}":
            name = found.name  # so that save() writes the file that was read
        return _load(found, path if path.is_dir() else path.parent, path, name)

    @staticmethod
    def delete(path, name):
        """Delete the file <path>/.azureml/<name>.runconfig. Raises UserErrorException where there is none."""
        files = [Path(path) / folder / f"{name}{_EXTENSION}" for folder in ("aml_config", ".azureml")]
        found = [file for file in files if file.is_file()]
        if not found:
            raise UserErrorException(f"Run config {name} not found in {path}")
        for file in found:
            file.unlink()

    @staticmethod
    def _warn_auto_prepare():
        module_logger.warning("'auto_prepare_environment' is deprecated and unused.")


def _dump(written, path):
    with path.open("w", encoding="utf-8") as file:
        yaml.safe_dump(written, file, sort_keys=False, allow_unicode=True)


def _load(file, project, path, name):
    values = _read_mapping(file)
    if "environment" not in map(camel_case, values):
        unsupported(f"A run configuration in the old form ({file} has no environment)")
    if isinstance(values.get("environment"), str):
        values["environment"] = _read_mapping(project / values["environment"])
    configuration = RunConfiguration(_path=str(path), _name=name)._populate(values)
    if not isinstance(configuration.environment, EnvironmentReference):
        python = configuration.environment.python
        if python.conda_dependencies_file is not None:
            python.conda_dependencies = CondaDependencies(project / python.conda_dependencies_file)
    return configuration


def _read_mapping(file):
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunConfigurationException(f"{file} is no YAML: {error}", inner_exception=error) from error
    if not isinstance(values, dict):
        raise RunConfigurationException(f"{file} is no run configuration: it holds no settings.")
    return values
