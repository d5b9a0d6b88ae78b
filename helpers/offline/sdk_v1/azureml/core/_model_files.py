"""A model's files where they are used: downloaded, or found where they were downloaded to before."""

import os
from pathlib import Path

from azureml import _engine
from azureml.core._model_lookup import find, query
from azureml.exceptions import ModelNotFoundException, WebserviceException


def download(record, target_dir, exist_ok):
    """Write the files of a model below target_dir; the path of the file, or of the folder that has them all.

    Raises WebserviceException where a file is there already, unless exist_ok.
    """
    with _engine.translated(EngineError=WebserviceException):
        targets = {name: _engine.names.safe_join(Path(os.path.normpath(target_dir)), name) for name in record.files}
    for target in targets.values():
        if target.exists() and not exist_ok:
            raise WebserviceException(f"File already exists. To overwrite, set exist_ok to True. {target}")
    for name, target in targets.items():
        _engine.files.copy_whole(record.where(name), target)
    return os.path.commonpath(list(map(str, targets.values())))


def downloaded(models, workspace, name, version):
    """The workspace's model below the folder `models`, downloaded unless it is there. Raises ModelNotFoundException."""
    if version is not None and Path(models, name, str(version)).is_dir():
        return local_path(models, name, version)
    try:
        record = find(workspace, name, None, version)
    except WebserviceException:
        there = sorted(f"{record.name}/{record.version}" for record in query(workspace))
        raise ModelNotFoundException(f"Model/Version {name}/{version} not found in workspace. {there}") from None
    return download(record, Path(models, name, str(record.version)), exist_ok=True)


def local_path(models, name, version):
    """The model below the folder `models`, the latest version there by default, or the path `name` itself."""
    versions = Path(models) / name
    if version is None and versions.is_dir():
        version = max((entry.name for entry in versions.iterdir()), key=int, default=None)
    cached = versions / str(version)
    if cached.is_dir():
        entries = list(cached.iterdir())
        if len(entries) != 1:
            names = [entry.name for entry in entries]
            raise WebserviceException(f"Dir {cached} can contain only 1 file or folder. Found {names}")
        return str(entries[0])
    if Path(name).exists():
        return name
    raise ModelNotFoundException(
        f"Model {name} not found in cache at {models} or in current working directory {Path.cwd()}. "
        "For more info, set logging level to DEBUG."
    )
