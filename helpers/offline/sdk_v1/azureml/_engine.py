"""The door to the offline engine: its modules, loaded when they are first used, and its errors as the SDK's.

    from azureml import _engine

    with _engine.translated(NotFound=ComputeTargetException):
        cluster = _engine.clusters.get(folder, name)

A job may run in an interpreter that does not have the engine, so nothing of it is imported here at the top.
"""

import contextlib
import functools
import importlib
import inspect
from pathlib import Path

from azureml import exceptions

ENGINE = "helpers.offline.engine"
MODULES = {  # what the SDK calls, and where it stands in the engine's rooms
    "artifacts": "history.artifacts",
    "assets": "assets",
    "clusters": "compute.clusters",
    "curated": "environments.curated",
    "data": "assets.data",
    "description": "compute.description",
    "details": "assets.details",
    "database": "workspace.database",
    "errors": "workspace.errors",
    "files": "workspace.files",
    "folder": "workspace.folder",
    "framework_models": "services.framework_models",
    "job_states": "history.job_states",
    "jobs": "jobs",
    "kubernetes": "compute.kubernetes",
    "logs": "history.logs",
    "models": "assets.models",
    "names": "workspace.names",
    "removal": "removal",
    "run_files": "history.run_files",
    "run_records": "jobs.run_records",
    "services": "services",
    "snapshot": "history.snapshot",
    "statuses": "history.statuses",
    "studio": "history.studio",
    "sweeps": "sweeps",
    "tables": "assets.tables",
    "virtual_environments": "environments.virtual_environments",
    "vm_sizes": "compute.vm_sizes",
}


def __getattr__(name):
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return _Room(importlib.import_module(f"{ENGINE}.{MODULES[name]}"))
    except ModuleNotFoundError as error:
        raise exceptions.UserErrorException(
            "This call needs the offline engine, which this Python environment does not have "
            f"({error}). Make the call in the notebook instead.",
            inner_exception=error,
        ) from error


class _Room:
    """A module of the engine; what its functions raise as a fault of the store leaves as UserErrorException."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        member = getattr(self._module, name)
        return _with_faults_told(member) if inspect.isfunction(member) else member


def _with_faults_told(function):
    @functools.wraps(function)
    def call(*arguments, **named):
        with _faults_told(arguments):
            result = function(*arguments, **named)
        return _each(result, arguments) if inspect.isgenerator(result) else result

    return call


def _each(results, arguments):
    with _faults_told(arguments):
        yield from results


@contextlib.contextmanager
def _faults_told(arguments):
    try:
        yield
    except Exception as error:
        # Those functions of the engine that use the store take the workspace's folder first.
        fault = (
            importlib.import_module(f"{ENGINE}.workspace.outages").told(Path(arguments[0]), error)
            if arguments and isinstance(arguments[0], Path)
            else None
        )
        if fault is None:
            raise
        raise exceptions.UserErrorException(str(fault), inner_exception=error) from error


@contextlib.contextmanager
def translated(**classes):
    """Within, or as a decorator: an engine error leaves as an exception of the SDK.

    classes: name of an engine error class → the SDK's class, or a function, that makes an exception of the
    message; a class covers its subclasses, and what is not named becomes a UserErrorException.
    """
    engine_error = __getattr__("errors").EngineError
    try:
        yield
    except engine_error as error:
        names = [cls.__name__ for cls in type(error).__mro__]
        sdk_class = next((classes[name] for name in names if name in classes), exceptions.UserErrorException)
        raise sdk_class(str(error)) from error
