"""The configuration file that names a workspace: finding, reading and writing it."""

import json
from pathlib import Path

from azureml._config_element import config_folder
from azureml.exceptions import UserErrorException

FILES = ("config.json", "project.json")
FOLDERS = (".azureml", "aml_config", ".")


def find(path, file_names):
    """The file `path`, or the first configuration file in it and the folders above."""
    path = Path(path).absolute()
    if path.is_file():
        return path
    for folder in FOLDERS:
        for name in file_names:
            for parent in (path, *path.parents):
                if (parent / folder / name).is_file():
                    return parent / folder / name
    raise UserErrorException(
        f"The workspace configuration file config.json, could not be found in {path} or its parent directories. "
        "Give the file's full path, or call Workspace.from_config() without a path: the offline workspace needs no "
        "file, and Workspace.write_config() writes one."
    )


def read(file):
    """The subscription id, resource group and workspace name in a configuration file."""
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"The config file found in: {file} is not JSON: {error.msg}"
        raise json.JSONDecodeError(message, error.doc, error.pos) from error
    named = _named(config)
    if named:
        return named
    raise UserErrorException(
        f"The config file found in: {file} does not seem to contain the required parameters. Please make sure it "
        "contains your subscription_id, resource_group and workspace_name."
    )


def write(path, file_name, scope):
    """Write the file that names the workspace of this scope below the folder `path`, which has to be there.

    It is never written over another workspace's. Raises UserErrorException.
    """
    root = Path(path or ".").absolute()
    folder = root / config_folder(root)
    if file_name is None:
        file_name = "project.json" if (folder / "project.json").exists() else "config.json"
    elif not file_name.endswith(".json"):
        file_name += ".json"
    file = folder / file_name
    content = {"Id": None, "Scope": scope}
    _refuse_other(file, content)
    try:
        folder.mkdir(exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
    except PermissionError as error:
        raise UserErrorException(
            f"You do not have permission to write the config file to: {file}\n"
            "Please make sure you have write permissions to the path.",
            inner_exception=error,
        ) from error
    except OSError as error:
        raise UserErrorException(
            f"Could not write the config file to: {file}\n{error}", inner_exception=error
        ) from error


def _refuse_other(file, content):
    """Never write over the configuration of a workspace on Azure."""
    if not file.exists():
        return
    try:
        named = read(file)
    except (json.JSONDecodeError, UserErrorException):
        named = None
    if named != _named(content):
        raise UserErrorException(
            f"Could not write the config file to: {file}\nA file that does not name the offline workspace is there; "
            "give another path or file_name."
        )


def _named(config):
    """The subscription id, resource group and workspace name that a configuration has; None where it has them not."""
    keys = ("subscription_id", "resource_group", "workspace_name")
    if isinstance(config, dict):
        scope = str(config.get("Scope") or "").split("/")
        if len(scope) > 8:
            return scope[2], scope[4], scope[8]
        if all(key in config for key in keys):
            return tuple(config[key] for key in keys)
    return None
