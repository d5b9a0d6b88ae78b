"""Model assets: names and versions in the registry, which SDK v1 and MLflow share."""

import re
from collections.abc import Iterator
from pathlib import Path

from helpers.offline.arm import locations, resources
from helpers.offline.arm.wire import Refused, Request, Unsupported, long_uri, resource, short_uri, uri_at
from helpers.offline.engine.assets import data, models, text_versions
from helpers.offline.engine.history import artifacts
from helpers.offline.engine.services import mlflow_models
from helpers.offline.engine.workspace.errors import Invalid
from helpers.offline.engine.workspace.names import ASSET, ASSET_RULE

KIND = "model"
MLFLOW = "mlflow_model"
TYPES = ("custom_model", MLFLOW)


def put_version(request: Request) -> dict:
    """Register a model, or change what may change of one: tags, description, properties, stage and archive flag.

    Raises Refused and NotFound.
    """
    given, name = request.properties, request.names["name"]
    version = _number(request.names["version"])
    address = _address(request, given.get("modelUri") or "")
    there = next((model for model in models.list_all(request.folder, name) if model.version == version), None)
    if there is None:
        return _described(request, _register(request, name, version, address, given))
    if address != address_of(there):
        raise Refused(resources.IMMUTABLE)
    changed = models.update(
        request.folder,
        name,
        version,
        tags=given.get("tags"),
        properties=given.get("properties"),
        description=given.get("description"),
        extra={"archived": bool(given.get("isArchived"))} | ({"stage": given["stage"]} if given.get("stage") else {}),
    )
    return _described(request, changed)


def get_version(request: Request) -> dict:
    return _described(request, models.get(request.folder, request.names["name"], _number(request.names["version"])))


def list_versions(request: Request) -> Iterator[dict]:
    name = request.names["name"]
    archived = bool(resources.kept_of_container(request, KIND, name).get("isArchived"))
    found = models.list_all(request.folder, name)
    found = [m for m in found if request.query.get("stage") in (None, m.extra.get("stage"))]
    listed = [m for m in found if resources.is_listed(request, archived or bool(m.extra.get("archived")))]
    return (_described(request, model) for model in listed[: int(request.query.get("$top") or len(listed))])


def get(request: Request) -> dict:
    found = models.list_all(request.folder, request.names["name"])
    if not found:
        raise Refused(f"The workspace has no model {request.names['name']!r}.", 404)
    return _container(request, found)


def put(request: Request) -> dict:
    get(request)
    resources.keep_container(request, KIND)
    return get(request)


def list_all(request: Request) -> Iterator[dict]:
    named: dict[str, list[models.ModelRecord]] = {}
    for model in models.list_all(request.folder):
        named.setdefault(model.name, []).append(model)
    for _, found in sorted(named.items()):
        described = _container(request, found)
        is_anonymous = all(model.extra.get("anonymous") for model in found)  # of a deployment that brought its own
        if not is_anonymous and resources.is_listed(request, described["properties"]["isArchived"]):
            yield described


def source_of(words: list[str]) -> dict:
    """The model of this id, as wire.names_in gives it, as the engine's datasets have it. Raises Refused."""
    return {"model": words[1], "version": _number(words[3])}


def to_register(request: Request, name: str, version: str | None, kind: str, source: dict) -> dict:
    """A model that a job's output becomes at its end, as the engine has it. Raises Refused for one that is there."""
    if not re.fullmatch(ASSET, name):
        raise Refused(f"{name!r} is no name for a model: {ASSET_RULE}.")
    number = None if version is None else _number(version)
    if number in [model.version for model in models.list_all(request.folder, name)]:
        raise Refused(
            f"The model {name!r} has a version {number} already; give another one, or none for the next.", 409
        )
    return {"kind": KIND, "name": name, "version": number, "body": {"address": uri_at(source), "type": kind}}


def type_of(model: models.ModelRecord) -> str:
    """One of TYPES."""
    return model.extra.get("type") or TYPES[_is_of_mlflow(model)]


def _register(request: Request, name: str, version: int, address: str, given: dict) -> models.ModelRecord:
    kind = given.get("modelType") or TYPES[0]
    if kind not in TYPES:
        raise Unsupported(f"A model of the type {kind!r}", f"{' and '.join(TYPES)} are")
    source = locations.source_of(request.folder, address)
    path = data.path_of(request.folder, source)
    return models.register(
        request.folder,
        name,
        path,
        version=version,
        stored_as=address.rstrip("/").rpartition("/")[2],
        tags=given.get("tags"),
        properties=given.get("properties"),
        description=given.get("description"),
        run_id=_run_of(given.get("modelUri") or "", source),
        extra={
            "address": address,
            "type": kind,
            "archived": False,
            "stage": given.get("stage"),
            "anonymous": bool(given.get("isAnonymous")),
        }
        | ({"flavors": _flavors(path)} if kind == MLFLOW else {}),
    )


def _run_of(uri: str, source: dict) -> str | None:
    """The job whose output the model was asked for as, or the run among whose files it is."""
    if output := re.match(r"azureml://jobs/([^/]+)/outputs/", short_uri(uri)):
        return output[1]
    of_run = artifacts.at_address(source["path"]) if source["datastore"] == data.ARTIFACTSTORE else None
    return of_run and of_run[0]


def _address(request: Request, uri: str) -> str:
    """Where a model is, as a place in a datastore. Raises Refused for one that is not on this machine."""
    source = locations.source_of(request.folder, uri)
    if "datastore" not in source:
        raise Unsupported(f"A model at {uri}", "give a path of this machine or a job's output")
    return uri_at(source)


def address_of(model: models.ModelRecord) -> str:
    """Where a model was registered from; for one of SDK v1 or MLflow, where its own files are (see locations.blob)."""
    if "address" in model.extra:
        return model.extra["address"]
    top = model.below or next((entry.name for entry in model.path.glob("*")), "")
    return uri_at({"datastore": data.ARTIFACTSTORE, "path": f"models/{model.name}/{model.version}/{top}"})


def _is_of_mlflow(model: models.ModelRecord) -> bool:
    """Whether it is MLflow's folder that was registered, by MLflow itself."""
    return (model.path / "MLmodel").is_file()


def _flavors(path: Path) -> dict:
    """The flavors that an MLflow model tells of itself. Raises Refused where it is none, and Invalid."""
    file = path / "MLmodel"
    if not file.is_file():
        raise Refused(
            f"A model of the type mlflow_model has a file MLmodel, and {path.name} has none; give custom_model."
        )
    flavors = mlflow_models.flavors_in(file)
    if not flavors:
        raise Refused(f"The file MLmodel of {path.name} tells of no flavors, as those of MLflow do; give custom_model.")
    return flavors


def _flavors_of(model: models.ModelRecord) -> dict:
    """Those of a model's files, where they were not kept as it was registered: by MLflow, or at the end of a job."""
    if "flavors" in model.extra or type_of(model) != MLFLOW:
        return model.extra.get("flavors") or {}
    description = mlflow_models.description_of(model)
    try:
        return mlflow_models.flavors_in(description) if description else {}
    except (Invalid, OSError):
        return {}


def _number(version: str) -> int:
    if not version.isdigit() or int(version) < 1:
        raise Refused(f"The version of a model is a whole number above 0, not {version!r}.")
    return int(version)


def _container(request: Request, found: list[models.ModelRecord]) -> dict:
    """`found` are the versions, the last registered first."""
    active = [model for model in found if not model.extra.get("archived")] or found
    kept = resources.kept_of_container(request, KIND, found[0].name)
    properties = {
        "isArchived": bool(kept.get("isArchived")),
        "latestVersion": str(active[0].version),
        "nextVersion": text_versions.next_version(str(model.version) for model in found),
        "tags": kept.get("tags") or {},
        "properties": kept.get("properties") or {},
        "description": kept.get("description"),
    }
    return resource(request.scope, f"models/{found[0].name}", properties, created=found[-1].created)


def _described(request: Request, model: models.ModelRecord) -> dict:
    flavors = _flavors_of(model)
    properties = {
        "modelUri": long_uri(request.scope, address_of(model)),
        "modelType": type_of(model),
        "jobName": model.run_id,
        "flavors": {name: {"data": {key: str(value) for key, value in of.items()}} for name, of in flavors.items()},
        "tags": model.tags,
        "properties": model.properties,
        "description": model.description or None,
        "isArchived": bool(model.extra.get("archived")),
        "isAnonymous": bool(model.extra.get("anonymous")),
        "stage": model.extra.get("stage"),
    }
    return resource(request.scope, f"models/{model.name}/versions/{model.version}", properties, created=model.created)
