"""A deployment's folder: models and scripts, laid out as in the container that Azure would start."""

import contextlib
import copy
import shutil
from pathlib import Path

from helpers.offline.engine import environments
from helpers.offline.engine.assets import models
from helpers.offline.engine.processes import machine
from helpers.offline.engine.services.records import AT_WORK
from helpers.offline.engine.workspace.errors import Invalid, NotAllowed, NotFound
from helpers.offline.engine.workspace.files import copy_folder
from helpers.offline.engine.workspace.leftovers import making_folder, removed_if_refused
from helpers.offline.engine.workspace.names import safe_join

APP_ROOT = "azureml-app"  # /var/azureml-app in Azure's container
MODELS = "azureml-models"  # in it


def stage(folder: Path, place: Path, wanted: dict) -> None:
    """Lay out models and scripts below `place`, which is not there yet. Raises NotFound, Invalid and NotAllowed."""
    machine.check(wanted["environment"].get("environmentVariables"))
    records = [models.get(folder, *_name_and_version(id)) for id in wanted["models"]]
    source, script = wanted["source_directory"], wanted["entry_script"]
    script_path = safe_join(Path(source), script) if source else Path(script)
    if not script_path.is_file():
        raise NotFound(f"The entry script {script_path} does not exist.")
    deployed = Path(source or script_path).name
    if deployed == MODELS:
        raise Invalid(
            f"{source or script_path} cannot be deployed by this name: beside it a deployment has a folder {MODELS!r} "
            "of its own, for the models. Rename it."
        )
    root = place / APP_ROOT
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(making_folder(place))
        except FileExistsError:
            raise NotAllowed(AT_WORK) from None
        stack.enter_context(removed_if_refused(place))
        root.mkdir()
        if source:
            copy_folder(Path(source), root / deployed, folder, "__pycache__")
        else:
            shutil.copy(script_path, root / deployed)
        (root / MODELS).mkdir()
        for record in records:
            record.copy_to(root / MODELS / record.name / str(record.version))


def with_server(environment: dict) -> dict:
    """The environment with the scoring server among its packages, which azureml-defaults stands for."""
    changed = copy.deepcopy(environment)
    for dependency in ((changed.get("python") or {}).get("condaDependencies") or {}).get("dependencies") or []:
        if isinstance(dependency, dict) and "pip" in dependency:
            asked = {environments.package_name(line) for line in dependency["pip"]}
            if "azureml-defaults" in asked and environments.SERVER not in asked:
                dependency["pip"].append(environments.SERVER)
    return changed


def _name_and_version(id: str) -> tuple[str, int]:
    name, _, version = id.rpartition(":")
    return name, int(version)
