"""Registered models of the engine as the SDK's filters and names find them, and the datasets that they name."""

import logging

from azureml import _engine
from azureml._tags import has_each
from azureml.core._model_registration import CUSTOM
from azureml.exceptions import AzureMLException, WebserviceException

_logger = logging.getLogger("azureml.core.model")


def dataset_of(workspace, dataset_id):
    """The dataset of this id, or None (with a warning) where it is gone."""
    from azureml.core.dataset import Dataset

    try:
        return Dataset.get_by_id(workspace, dataset_id)
    except AzureMLException as error:
        _logger.warning("Cannot find Saved Dataset with ID %s: %s", dataset_id, error.message)


def query(workspace, name=None, tags=None, properties=None, run_id=None, framework=None, latest=False):
    """The models that pass the filters, the last registered first."""
    with _engine.translated(EngineError=WebserviceException):
        records = _engine.models.list_all(workspace._folder, name, latest)
    return [
        record
        for record in records
        if has_each(record.tags, tags)
        and has_each(record.properties, properties)
        and run_id in (None, record.run_id)
        and framework in (None, record.extra.get("framework", CUSTOM))
    ]


def not_found(**asked):
    """The error that says so of the model that was asked for by these."""
    by = ", ".join(f"{key} {value}" for key, value in asked.items() if value)
    return WebserviceException(f"ModelNotFound: Model with {by} not found in provided workspace")


def told(model_id):
    """Within, the engine's errors are told as those of the service on this model."""
    return _engine.translated(NotFound=lambda _: not_found(id=model_id), EngineError=WebserviceException)


def find(workspace, name, id, version, **filters):
    """The one model that is asked for; of several the last version."""
    if not id and not name:
        raise WebserviceException("Error, one of id or name must be provided.")
    wanted_name, _, wanted_version = str(id or (f"{name}:{version}" if version else f"{name}:")).partition(":")
    exact = bool(wanted_version)
    found = [
        record
        for record in query(workspace, wanted_name, **({} if exact else filters))
        if not exact or str(record.version) == wanted_version
    ]
    if not found:
        raise not_found(**({"id": f"{wanted_name}:{wanted_version}"} if exact else {"name": name, **filters}))
    return max(found, key=lambda record: record.version)
