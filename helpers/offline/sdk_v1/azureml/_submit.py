"""From a ScriptRunConfig to a job of the engine, and from a HyperDriveConfig to the jobs of a sweep."""

import errno
import json
import logging
import os
import shlex
from pathlib import Path

from azureml import _engine
from azureml._restclient import snapshots_client
from azureml._strict import refuse, refuse_unknown, unsupported
from azureml._tags import texts, told_texts
from azureml.core.compute import ComputeTarget
from azureml.core.environment import _registered
from azureml.core.runconfig import (
    SUPPORTED_PYTORCH_BACKENDS,
    Data,
    OutputData,
    OutputOptions,
    RegistrationOptions,
)
from azureml.core.script_run import ScriptRun
from azureml.core.script_run_config import ScriptRunConfig, get_run_config_from_script_run
from azureml.data.abstract_dataset import AbstractDataset, _check_name
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.data.output_dataset_config import OutputDatasetConfig
from azureml.exceptions import AzureMLException, ExperimentExecutionException, SnapshotException, UserErrorException
from azureml.train.hyperdrive.runconfig import HyperDriveConfig

_logger = logging.getLogger(__name__)
_MPI = ("IntelMpi", "OpenMpi")


def submit(experiment, config, tags, **kwargs):
    """Start the configuration's script and return its ScriptRun, or its HyperDriveRun, at once.

    Raises what the SDK raises: UserErrorException for a dataset without a name or mode, SnapshotException for a
    directory that is too large, ExperimentExecutionException for whatever else cannot run.
    """
    refuse_unknown("Experiment.submit()", kwargs, ("_parent_run_id", "credential_passthrough"))
    refuse("Experiment.submit()", credential_passthrough=kwargs.get("credential_passthrough") or None)
    tags = told_texts(tags or {})
    parent_id = kwargs.get("_parent_run_id")
    if isinstance(config, HyperDriveConfig):
        from azureml.train.hyperdrive._search import submit as submit_sweep

        return submit_sweep(experiment, config, tags, parent_id)
    if not isinstance(config, ScriptRunConfig):
        raise AzureMLException(
            f"Method to be submitted has not been registered: {type(config).__name__} is no ScriptRunConfig and no "
            "HyperDriveConfig."
        )
    job = with_environment(experiment.workspace, job_of(experiment, config))
    with _engine.translated(TooLarge=SnapshotException, EngineError=ExperimentExecutionException):
        run_id = _engine.jobs.submit(
            experiment._folder, experiment.name, job, tags=tags, run_type=ScriptRun.RUN_TYPE, parent_id=parent_id
        )
    return ScriptRun(experiment, run_id)


def job_of(experiment, config):
    """The engine's job of a ScriptRunConfig. Raises as submit() does."""
    run_config = get_run_config_from_script_run(config)
    _check_complete(run_config)
    _check_script(Path(config.source_directory or ".").absolute(), run_config)
    inputs = {name: _consumption(experiment.workspace, name, value) for name, value in run_config.data.items()}
    references = run_config.data_references
    outputs = dict(run_config.output_data or {})
    words = [_reference(word, references) for word in _words(run_config, inputs, outputs)]
    outputs = {name: _output_data(value) for name, value in outputs.items()}
    job = {
        "source_directory": str(config.source_directory or "."),
        "snapshot_limits": snapshots_client.limits(),
        "target": run_config.target,
        "distribution": _distribution(run_config),
        "environment": run_config.environment._serialize_to_dict(),
        "environment_variables": _variables(run_config.environment) | _variables(run_config),
        "inputs": [
            *(_input(experiment.workspace, consumption) for consumption in inputs.values()),
            *(_referenced(name, reference) for name, reference in references.items()),
        ],
        "outputs": [_output(name, value) for name, value in outputs.items()],
        "max_run_duration_seconds": run_config.max_run_duration_seconds,
        "script": None if run_config.command else run_config.script,
        "arguments": [next(iter(word.values())) if isinstance(word, dict) else word for word in words],
    }
    if run_config.command:  # the service joins a command's words and gives the line to a shell
        job["shell"] = " ".join(_in_line(word) if isinstance(word, dict) else word for word in words)
    else:
        job["command"] = ["python", run_config.script, *words]
    job["run_definition"] = _definition(run_config, inputs, outputs, words)
    return job


def _in_line(word):
    ((kind, name),) = word.items()
    return f"${{{kind}:{name}}}"


def _variables(config):
    variables = config.environment_variables or {}
    if not isinstance(variables, dict):
        raise UserErrorException(f"environment_variables is {variables!r}; give a dict of names to texts.")
    return variables


def with_environment(workspace, job):
    """The job with its environment as it is registered from now on."""
    with _engine.translated():
        environment = _registered(workspace, job["environment"])
    return job | {"environment": environment, "run_definition": job["run_definition"] | {"environment": environment}}


def _check_complete(run_config):
    """Raise where it is not said what is to run, and where."""
    if not run_config.target:
        raise ExperimentExecutionException("Must specify a target either through run configuration or arguments.")
    if not run_config.command and not run_config.script:
        raise ExperimentExecutionException("Must specify a script or a command to run.")


def _distribution(run_config):
    """How many processes run the script on how many nodes, as the engine has it; None for a single process."""
    communicator = run_config.communicator
    if communicator in (None, "None"):
        if run_config.node_count > 1:
            unsupported("A job on several nodes without a distributed_job_config")
        return None
    nodes = run_config.node_count
    if communicator in SUPPORTED_PYTORCH_BACKENDS:
        processes = run_config.pytorch.process_count
        return {"kind": "PyTorch", "node_count": nodes, "process_count": nodes if processes is None else processes}
    if communicator in _MPI:
        return {"kind": "Mpi", "node_count": nodes, "process_count": nodes * run_config.mpi.process_count_per_node}
    if communicator != "ParameterServer":
        unsupported(f"The communicator {communicator!r}")
    if run_config.tensorflow.parameter_server_count:
        unsupported("A TensorflowConfiguration with parameter servers (give parameter_server_count=0)")
    return {"kind": "TensorFlow", "node_count": nodes, "process_count": nodes}


def _check_script(directory, run_config):
    """Raise where the directory or the script is not there; the script gets the name that it has in the directory."""
    if not directory.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
    if not run_config.script:
        return
    script = Path(os.path.normpath(directory / run_config.script))
    if not script.is_file():
        raise ExperimentExecutionException(
            f"{script} script path doesn't exist. The script should be inside the project folder"
        )
    run_config.script = Path(os.path.relpath(script, directory)).as_posix()


def _words(run_config, inputs, outputs):
    """The arguments, or the command's words: texts, {"input": name} for a dataset and {"output": name} for an output.

    Datasets are added to `inputs`, and outputs to `outputs`.
    """
    given = run_config.command or run_config.arguments or []
    if isinstance(given, str):
        given = [given] if run_config.command else shlex.split(given)
    words = []
    for word in given:
        if isinstance(word, AbstractDataset):
            raise UserErrorException(
                "Dataset cannot be used directly in a run. Call as_mount() or as_download() on it, and give what that "
                "returns as the argument."
            )
        if isinstance(word, DatasetConsumptionConfig):
            if word.name in inputs:
                _logger.warning("Dataset with the name %s is already defined; the first one is used.", word.name)
            inputs.setdefault(word.name, word)
            word = {"input": word.name}
        elif isinstance(word, OutputDatasetConfig):
            outputs[word.name] = word
            word = {"output": word.name}
        elif isinstance(word, (list, tuple, dict, ComputeTarget)):
            raise UserErrorException(f"An argument is a text, a number or a dataset, not {type(word).__name__}: {word}")
        elif run_config.command and not isinstance(word, str):  # which the SDK joins
            raise TypeError(f"sequence item {len(words)}: expected str instance, {type(word).__name__} found")
        words.append(word if isinstance(word, dict) else str(word))
    return words


def _reference(word, references):
    """An argument; {"input": name} for the variable that stands for a data reference."""
    name = word.removeprefix("$AZUREML_DATAREFERENCE_") if isinstance(word, str) else None
    return {"input": name} if name in references and name != word else word


def _referenced(name, reference):
    """A data reference as the engine's input: like a dataset's, but none is told of."""
    if reference.mode == "upload":
        unsupported("A data reference with as_upload() (a script writes to ./outputs instead)")
    return {
        "name": name,
        "mode": reference.mode,
        "path_on_compute": reference.path_on_compute,
        "dataset_id": None,
        "is_reference": True,
        "sources": [{"datastore": reference.data_store_name, "path": reference.path_on_data_store or "**"}],
    }


def _consumption(workspace, name, value):
    """An entry of run_config.data as a DatasetConsumptionConfig."""
    if isinstance(value, DatasetConsumptionConfig):
        return value
    if isinstance(value, AbstractDataset):
        raise UserErrorException(
            "Dataset cannot be used without providing a name for the run. Please provide a name by calling "
            "the as_named_input instance method on dataset."
        )
    if isinstance(value, Data):
        from azureml.core.dataset import Dataset

        dataset = Dataset.get_by_id(workspace, value.data_location.dataset.id)
        return DatasetConsumptionConfig(name, dataset, value.mechanism, value.path_on_compute)
    raise UserErrorException(f"{type(value).__name__} cannot be used as input.")


def _input(workspace, consumption):
    dataset = consumption.dataset
    if consumption.mode == "hdfs":
        unsupported("as_hdfs() as a job's input")
    layout = None
    if consumption.mode != "direct":
        with _engine.translated(EngineError=ExperimentExecutionException):
            layout = _engine.data.layout_of(workspace._folder, dataset._sources)
    return {
        "name": consumption.name,
        "mode": consumption.mode,
        "path_on_compute": consumption.path_on_compute,
        "dataset_id": dataset._ensure_saved(workspace),
        "sources": dataset._sources,
        "as_is": layout,
    }


def _output_data(value):
    """An entry of run_config.output_data as OutputData."""
    if isinstance(value, OutputDatasetConfig):
        return value._to_output_data()
    if isinstance(value, OutputData):
        return value
    raise UserErrorException(f"{type(value).__name__} cannot be used as output.")


def _output(name, given):
    """OutputData as the engine's output."""
    options, place = given.additional_options or OutputOptions(), given.output_location
    registration, upload = options.registration_options or RegistrationOptions(), options.upload_options
    reading = registration.dataset_registration_options
    table = reading and reading.additional_transformation
    if registration.name:
        _check_name(registration.name)
    path = place.data_path.relative_path if place else "dataset/{run-id}/{output-name}"
    if given.mechanism not in ("mount", "upload"):
        unsupported(f"The mechanism {given.mechanism!r} of an output")
    return {
        "name": name,
        "kind": "folder",
        "datastore": place.data_path.datastore_name if place else _engine.data.BLOBSTORE,
        "path": (path or "").replace("{output-name}", name),
        "mechanism": given.mechanism,
        "path_on_compute": options.path_on_compute,
        "overwrite": bool(upload and upload.overwrite),
        "globs": upload and upload.source_globs and upload.source_globs.patterns,
        "register": registration.name
        and {
            "name": registration.name,
            "description": registration.description,
            "tags": texts(registration.tags or {}),
        },
        "table": table and json.loads(table),
    }


def _told(word, inputs):
    ((kind, name),) = word.items()
    if kind == "output":
        return f"DatasetOutputConfig:{name}"
    return f"{'DatasetConsumptionConfig:' if name in inputs else '$AZUREML_DATAREFERENCE_'}{name}"


def _definition(run_config, inputs, outputs, words):
    """What Run.get_details() tells as runDefinition."""
    run_config.output_data = outputs
    run_config.data = {name: Data.create(consumption) for name, consumption in inputs.items()}
    words = [_told(word, inputs) if isinstance(word, dict) else word for word in words]
    if run_config.command:
        run_config.command = " ".join(words)
    else:
        run_config.arguments = words
    return run_config._serialize_to_dict()
