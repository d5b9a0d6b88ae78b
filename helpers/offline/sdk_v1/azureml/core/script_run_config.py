"""What Experiment.submit() is given: a source directory and how to run what is in it."""

import copy
import logging

from azureml._strict import module_getattr
from azureml.core.runconfig import (
    DockerConfiguration,
    EnvironmentDefinition,
    MpiConfiguration,
    PyTorchConfiguration,
    RunConfiguration,
    TensorflowConfiguration,
)
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.exceptions import RunConfigurationException, UserErrorException

__getattr__ = module_getattr(__name__)

module_logger = logging.getLogger(__name__)


class ScriptRunConfig:
    """A script, or a command, with its directory, arguments, target and environment.

    Nothing is looked up here: a directory or a script that is missing is an error of Experiment.submit().
    Raises RunConfigurationException for a distributed_job_config or docker_runtime_config of another type.

    compute_target: a ComputeTarget, its name or "local", the default.
    resume_from: a DataPath to the checkpoints of another run, whose folder the script gets as --resume-from. A run's
    own files are in the datastore "workspaceartifactstore", under ExperimentRun/dcid.<run id>/outputs.
    max_run_duration_seconds: after this time the run is canceled; 30 days by default.
    """

    MAX_DURATION_SECONDS_DEFAULT = 2592000

    def __init__(
        self,
        source_directory,
        script=None,
        arguments=None,
        run_config=None,
        _telemetry_values=None,
        compute_target=None,
        environment=None,
        distributed_job_config=None,
        resume_from=None,
        max_run_duration_seconds=MAX_DURATION_SECONDS_DEFAULT,
        command=None,
        docker_runtime_config=None,
    ):
        self.source_directory = source_directory
        self.script = script
        self.command = command
        self.arguments = arguments
        self._telemetry_values = _telemetry_values
        if run_config:
            ignored = [compute_target, environment, distributed_job_config, docker_runtime_config]
            if any(ignored) or max_run_duration_seconds != self.MAX_DURATION_SECONDS_DEFAULT:
                logging.warning(
                    "If 'run_config' is specified, the following parameters will be ignored: "
                    "'compute_target', 'environment', 'distributed_job_config', 'max_run_duration_seconds', "
                    "and 'docker_runtime_config'."
                )
            self.run_config = run_config
            self._take_over("script")
            self._take_over("arguments")
            self._take_over("command")
        else:
            self.run_config = RunConfiguration()
            self.run_config.target = compute_target or "local"
            self.run_config.environment = environment or EnvironmentDefinition("default-environment")
            self.run_config.max_run_duration_seconds = max_run_duration_seconds
            if distributed_job_config:
                _set_distributed(self.run_config, distributed_job_config)
            _set_docker(self.run_config, docker_runtime_config, environment)
        if resume_from:
            self._resume_from(resume_from)

    def _resume_from(self, path):
        if not isinstance(path, DataPath):
            raise UserErrorException(f"resume_from parameter should be of type DataPath. Found {type(path)}.")
        reference = path.create_data_reference("MODEL_LOCATION", DataPathComputeBinding(mode="mount"))
        self.arguments = [*(self.arguments or []), "--resume-from", str(reference)]
        self.run_config.data_references[reference.data_reference_name] = reference.to_config()

    def _take_over(self, name):
        theirs = getattr(self.run_config, name)
        if theirs and getattr(self, name):
            logging.warning(
                "If '%s' has been provided here and in 'run_config', '%s' provided in ScriptRunConfig "
                "initialization will take precedence.",
                name,
                name,
            )
        elif theirs:
            setattr(self, name, theirs)


def get_run_config_from_script_run(script_run_config):
    """The run configuration that is submitted: a copy, with the script, arguments and command in it."""
    run_config = script_run_config.run_config
    if isinstance(run_config, str):
        run_config = RunConfiguration.load(script_run_config.source_directory, run_config)
    elif isinstance(run_config, RunConfiguration):
        run_config = copy.deepcopy(run_config)
    else:
        raise UserErrorException(
            f"Unsupported runconfig type {type(run_config)}. run_config can be of str or "
            "azureml.core.runconfig.RunConfiguration type."
        )
    if script_run_config.arguments:
        run_config.arguments = copy.deepcopy(script_run_config.arguments)
    if script_run_config.script:
        run_config.script = script_run_config.script
    if script_run_config.command:
        run_config.command = script_run_config.command
    return run_config


def _set_distributed(run_config, distributed):
    if isinstance(distributed, TensorflowConfiguration):
        run_config.node_count = distributed.worker_count
        run_config.tensorflow = distributed
        run_config.framework = "TensorFlow"
        run_config.communicator = "ParameterServer"
    elif isinstance(distributed, MpiConfiguration):
        run_config.node_count = distributed.node_count
        run_config.mpi = distributed
        run_config.framework = "Python"
        run_config.communicator = "IntelMpi"
    elif isinstance(distributed, PyTorchConfiguration):
        run_config.node_count = distributed.node_count
        run_config.pytorch = distributed
        run_config.framework = "PyTorch"
        run_config.communicator = distributed.communication_backend
    else:
        raise RunConfigurationException(
            "'distributed_job_config' must be an 'azureml.core.runconfig.TensorflowConfiguration', "
            "'azureml.core.runconfig.MpiConfiguration', or 'azureml.core.runconfig.PyTorchConfiguration' "
            "object."
        )


def _set_docker(run_config, docker_runtime_config, environment):
    if docker_runtime_config:
        if not isinstance(docker_runtime_config, DockerConfiguration):
            raise RunConfigurationException("'docker_runtime_config' must be a 'DockerConfiguration' object.")
        run_config.docker = docker_runtime_config
    elif environment and environment.docker:
        docker = environment.docker
        run_config.docker = DockerConfiguration(
            use_docker=docker.enabled,
            shm_size=docker.shm_size,
            shared_volumes=docker.shared_volumes,
            arguments=docker.arguments,
        )
