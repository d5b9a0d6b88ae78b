"""What is deployed where an MLflow model comes without a scoring script: a script of ours, and the model's packages."""

from pathlib import Path

import yaml

from helpers.offline.engine import environments
from helpers.offline.engine.assets.models import ModelRecord
from helpers.offline.engine.workspace.errors import Invalid

SCRIPT = Path(__file__).with_name("mlflow_script.py")
FLAVOR = "python_function"


def wanted_for(model: ModelRecord) -> dict:
    """The environment and entry script of services.deploy() for a model that has none. Raises Invalid."""
    description = description_of(model)
    if description is None:
        raise Invalid(f"The model {model.id} has no file MLmodel, so it is not what MLflow writes.")
    said = _read(description)
    flavors = _flavors(said, description)
    flavor = flavors.get(FLAVOR)
    if not flavor:
        raise Invalid(
            f"The model {model.id} has no flavor {FLAVOR}, by which it could be served without a scoring script; it "
            f"has: {', '.join(flavors) or 'none'}. Give the deployment a scoring script."
        )
    if not said.get("signature"):
        raise Invalid(
            f"The model {model.id} has no signature, so a deployment without a scoring script would not know what its "
            "input is. Save it with a signature (mlflow.models.infer_signature), or give a scoring script."
        )
    return {"source_directory": None, "entry_script": str(SCRIPT), "environment": _environment(description, flavor)}


def description_of(model: ModelRecord) -> Path | None:
    """The file MLmodel, at the top of the model's files or in the one folder that has them."""
    return next((path for path in (model.path / "MLmodel", *model.path.glob("*/MLmodel")) if path.is_file()), None)


def flavors_in(description: Path) -> dict[str, dict]:
    """What a file MLmodel says of each flavor of its model. Raises Invalid."""
    return _flavors(_read(description), description)


def _flavors(said: dict, description: Path) -> dict[str, dict]:
    flavors = said.get("flavors") or {}
    if not isinstance(flavors, dict) or not all(isinstance(flavor, dict) for flavor in flavors.values()):
        raise _not_mlflows(description)
    return flavors


def _environment(description: Path, flavor: dict) -> dict:
    """The model's own packages, and the server's. Raises Invalid where the model does not tell them."""
    told = flavor.get("env")
    name = told.get("conda") if isinstance(told, dict) else told
    file = description.parent / (name or "conda.yaml")
    if not file.is_file():
        raise Invalid(f"The MLflow model does not list its packages: it has no file {file.name}.")
    conda = _read(file)
    dependencies = [*(conda.get("dependencies") or []), {"pip": [environments.SERVER]}]
    return {
        "name": f"{description.parent.name} of MLflow",
        "python": {"condaDependencies": conda | {"dependencies": dependencies}},
        "docker": {"baseImage": None},
    }


def _read(file: Path) -> dict:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(f"The file {file.name} of the MLflow model cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise _not_mlflows(file)
    return found


def _not_mlflows(file: Path) -> Invalid:
    return Invalid(f"The file {file.name} of the MLflow model is not what MLflow writes.")
