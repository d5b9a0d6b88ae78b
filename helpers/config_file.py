"""What can be wrong with the config.json that names the workspace on Azure: the SDK tells it only in part."""

import json
import os
import re
import traceback
from pathlib import Path

KEYS = ("subscription_id", "resource_group", "workspace_name")
OTHER_CLOUDS = {
    "AzureChinaCloud": r"AzureChinaCloud|chinacloudapi\.cn|\.azure\.cn|partner\.microsoftonline\.cn",
    "AzureUSGovernment": r"AzureUSGovernment|usgovcloudapi\.net|\.azure\.us|login\.microsoftonline\.us",
}


def problem(error: Exception) -> str | None:
    """What is wrong in the file, and what to do, if `error` came out of Workspace.from_config and it is the cause."""
    frames = traceback.walk_tb(error.__traceback__)
    if not any(frame.f_code.co_name == "from_config" for frame, _ in frames):
        return None
    path = find()
    return None if path is None else fault(path)


def find() -> Path | None:
    """The file that Workspace.from_config reads: the nearest one, from the working directory upwards."""
    here = Path.cwd()
    for folder in (".azureml", "aml_config", ""):
        for name in ("config.json", "project.json"):
            for parent in (here, *here.parents):
                if (parent / folder / name).is_file():
                    return parent / folder / name
    return None


def fault(path: Path) -> str | None:
    """What is wrong in the file, and what to do; None if it names a workspace."""
    try:
        text = path.read_text(encoding="utf-8")
        config = json.loads(text)
    except ValueError as error:  # not UTF-8, or not JSON
        return f"{path} is not JSON ({error}). Download it again; docs/azure.md says where."
    for cloud, mark in OTHER_CLOUDS.items():
        if re.search(mark, text) and os.environ.get("AZUREML_CURRENT_CLOUD") != cloud:
            return (
                f"{path} points to another Azure cloud, {cloud}. Set AZUREML_CURRENT_CLOUD={cloud} and restart the "
                f"kernel; the file itself needs only {', '.join(KEYS)}."
            )
    if not isinstance(config, dict):
        return f"{path} has to hold an object with {', '.join(KEYS)}. Download it again; docs/azure.md says where."
    if config.get("Scope"):
        whole = len(str(config["Scope"]).split("/")) > 8
        return (
            None if whole else f"{path}: its Scope is not the id of a workspace: {config['Scope']}. Download it again."
        )
    missing = [key for key in KEYS if key not in config]
    if not missing:
        return None
    unknown = [key for key in config if key not in KEYS]
    also = f" and holds {', '.join(unknown)}, which is not read" if unknown else ""
    return f"{path} lacks {', '.join(missing)}{also}. It needs {', '.join(KEYS)}."
