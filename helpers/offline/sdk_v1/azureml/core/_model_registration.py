"""From a file or folder to a registered model of the engine."""

import logging
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from azureml import _engine
from azureml._tags import texts
from azureml.exceptions import WebserviceException

_logger = logging.getLogger("azureml.core.model")

CUSTOM = "Custom"  # the framework of a model that names none


def check_name(name):
    if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9\-\._]{0,254}", name):
        raise WebserviceException(
            "Error, provided model name is invalid. It must only consist of letters, numbers, dashes, periods, or "
            "underscores, start with a letter or number, and be between 1 and 255 characters long."
        )


def checked_path(model_path, child_paths):
    """The absolute path to register. The service's rule: it is there, and below the working directory."""
    path, here = Path(os.path.normpath(Path.cwd() / model_path)), Path.cwd()
    if not path.exists():
        raise FileNotFoundError(f"Path does not exist: {model_path}")
    if not path.is_relative_to(here):
        raise PermissionError(f"Unauthorized access: Path outside current working directory: {model_path}")
    for child in child_paths or ():
        if not (path / child).exists():
            raise WebserviceException(f'Error, provided child path "{child}" cannot be found')
    return path


@contextmanager
def only(source, child_paths):
    """`source`, or a copy of it with the child paths alone."""
    if not child_paths:
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        chosen = Path(folder) / source.name
        for child in child_paths:
            with _engine.translated(EngineError=WebserviceException):
                target = _engine.names.safe_join(chosen, os.path.normpath(child))
            target.parent.mkdir(parents=True, exist_ok=True)
            if (source / child).is_dir():
                shutil.copytree(source / child, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(source / child, target)
        yield chosen


def register(
    workspace,
    name,
    source,
    *,
    run,
    stored_as=None,
    tags,
    properties,
    description,
    datasets,
    model_framework,
    model_framework_version,
    sample_input_dataset,
    sample_output_dataset,
    resource_configuration,
):
    """Register a file or folder, under its own name by default; the engine's record. Raises WebserviceException."""
    if model_framework is None and model_framework_version is not None:
        raise WebserviceException("Model framework version cannot be provided without a valid framework")
    for kind, given in {"Tags": tags, "Properties": properties}.items():
        if given is not None and not isinstance(given, dict):
            raise WebserviceException(f"{kind} must be a dict")
    if model_framework == "TfKeras":
        _logger.warning("Tfkeras will be deprecated soon. Use Model.Framework.TENSORFLOW instead.")
    extra = {
        "framework": model_framework or CUSTOM,
        "framework_version": model_framework_version,
        "experiment": run and run.experiment.name,
        "datasets": [[scenario, _dataset_id(workspace, dataset)] for scenario, dataset in datasets or ()],
        "sample_input_dataset": sample_input_dataset and _dataset_id(workspace, sample_input_dataset),
        "sample_output_dataset": sample_output_dataset and _dataset_id(workspace, sample_output_dataset),
        "resource_configuration": resource_configuration and _resources(resource_configuration),
    }
    with _engine.translated(EngineError=WebserviceException):
        return _engine.models.register(
            workspace._folder,
            name,
            source,
            stored_as=stored_as or source.name,
            tags=texts(tags or {}),
            properties=texts(properties or {}),
            description=description,
            run_id=run and run.id,
            extra=extra,
        )


def _resources(resource_configuration):
    resource_configuration._validate_configuration()
    wanted = resource_configuration.serialize()
    return {key: float(value) if value and key != "gpu" else value for key, value in wanted.items()}


def _dataset_id(workspace, dataset):
    from azureml.data.abstract_dataset import AbstractDataset

    if not isinstance(dataset, AbstractDataset):
        raise WebserviceException(
            f"Invalid dataset of type {type(dataset)} passed, must be of type Dataset or DatasetSnapshot"
        )
    return dataset._ensure_saved(workspace)
