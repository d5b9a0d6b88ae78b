"""Runs of the engine, and what else the parts of Run share.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

import traceback
import types

from azureml import _engine
from azureml.exceptions import ServiceException


def read_run(folder, run_id):
    with _engine.translated(NotFound=service_exception):
        return _engine.run_records.get_run(folder, run_id)


def experiment_of(workspace, record):
    from azureml.core.experiment import Experiment

    return Experiment(workspace, record.experiment, _skip_name_validation=True, _create_in_cloud=False)


def error_of(error_details, error_code):
    """An error as the run history keeps it."""
    error = {"code": error_code or "UserError"}
    if isinstance(error_details, str):
        error["message"] = error_details
    elif isinstance(error_details, BaseException):
        name = type(error_details).__name__
        error["message"] = f"User program failed with {name}: {error_details}"
        error["debugInfo"] = {
            "type": name,
            "message": str(error_details),
            "stackTrace": "".join(traceback.format_tb(error_details.__traceback__)),
        }
    elif error_details is not None:
        raise TypeError("error_details must be instance of string or BaseException.")
    return error


def service_exception(message, status_code=404):
    response = types.SimpleNamespace(status_code=status_code, headers={})
    return ServiceException(types.SimpleNamespace(message=message, response=response))
