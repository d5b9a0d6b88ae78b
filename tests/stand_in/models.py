"""Registered models: versions of a name, each with the files that an asset points to."""

import uuid

from .history import now
from .names import TENANT, of
from .server import Refused, route

MODELS = of("modelmanagement")


@route("POST", MODELS + "/assets")
def create_asset(request):
    asset = request.json | {"id": uuid.uuid4().hex, "createdTime": now()}
    request.world.assets[asset["id"]] = asset
    return asset


@route("GET", MODELS + "/assets/{asset_id}")
def get_asset(request, asset_id):
    if asset_id not in request.world.assets:
        raise refusal(404, f"Asset {asset_id} was not found.")
    return request.world.assets[asset_id]


@route("POST", MODELS + "/models")
def register(request):
    given = request.json
    version = 1 + max(
        (one["version"] for one in request.world.models.values() if one["name"] == given["name"]), default=0
    )
    empty = {"kvTags": {}, "properties": {}, "datasets": [], "description": None, "framework": None}
    empty |= {"frameworkVersion": None, "experimentName": None, "runId": None, "unpack": False}
    empty |= {"sampleInputData": None, "sampleOutputData": None, "resourceRequirements": None}
    model = {
        **empty,
        **{name: value for name, value in given.items() if value is not None},
        "id": f"{given['name']}:{version}",
        "version": version,
        "createdTime": now(),
        "modifiedTime": now(),
        "parentModelId": None,
        "derivedModelIds": [],
        "createdBy": {"userObjectId": "somebody", "userTenantId": TENANT, "userName": "somebody"},
    }
    model["framework"] = model["framework"] or "Custom"
    request.world.models[model["id"]] = model
    return model


@route("GET", MODELS + "/models")
def list_all(request):
    """The latest registered first."""
    asked = request.query
    found = [model for model in reversed(request.world.models.values()) if _asked_for(model, asked)]
    if asked.get("latestVersionOnly", "").lower() == "true":
        found = list({model["name"]: model for model in reversed(found)}.values())[::-1]
    return {"value": found[: int(asked["count"])] if "count" in asked else found, "nextLink": None}


def _asked_for(model: dict, asked: dict) -> bool:
    for name, key in (("name", "name"), ("framework", "framework"), ("runId", "runId")):
        if asked.get(name) not in (None, model[key]):
            return False
    for name, kept in (("tags", model["kvTags"]), ("properties", model["properties"])):
        for pair in filter(None, asked.get(name, "").split(",")):
            key, equals, value = pair.partition("=")
            if key not in kept or (equals and kept[key] != value):
                return False
    return True


@route("GET", MODELS + "/models/{model_id}")
def get(request, model_id):
    return find(request.world, model_id)


def find(world, model_id: str) -> dict:
    if model_id not in world.models:
        raise refusal(404, f"Model {model_id} was not found.")
    return world.models[model_id]


@route("PATCH", MODELS + "/models/{model_id}")
def change(request, model_id):
    """A JSON patch of the model's own fields and of its tags and properties."""
    model = find(request.world, model_id)
    patch(model, request.json)
    model["modifiedTime"] = now()
    return model


def patch(thing: dict, changes: list[dict]) -> None:
    for one in changes:
        *above, name = one["path"].strip("/").split("/")
        place = thing
        for part in above:
            place = place[part]
        if one["op"] == "remove":
            place.pop(name, None)
        else:
            place[name] = one["value"]


@route("DELETE", MODELS + "/models/{model_id}")
def delete(request, model_id):
    find(request.world, model_id)
    using = [name for name, one in request.world.services.items() if model_id in one["modelIds"]]
    if using:
        raise refusal(409, f"Model {model_id} cannot be deleted: it is used by {', '.join(using)}.")
    del request.world.models[model_id]


def files(world, model: dict) -> dict[str, object]:
    """The model's files, by their path below the model's own folder, which keeps the last part of the prefix."""
    asset = world.assets[model["url"].removeprefix("aml://asset/")]
    found = {}
    for artifact in asset["artifacts"]:
        origin, container, path = (artifact.get("prefix") or artifact["id"]).split("/", 2)
        above = path.rstrip("/").rpartition("/")[0]
        for name in world.artifacts_of(container, origin):
            if name == path or name.startswith(f"{path.rstrip('/')}/"):
                found[name.removeprefix(f"{above}/") if above else name] = world.artifact_file(container, name, origin)
    return found


def refusal(status: int, message: str) -> Refused:
    """A refusal in the form of the service that keeps models and web services."""
    refused = Refused(status, "ModelManagement", message)
    refused.answer.content = {"statusCode": status, "code": "ModelManagement", "message": message, "details": []}
    return refused
