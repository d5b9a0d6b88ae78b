"""Online endpoints: an address with keys, and how its requests are shared out among the deployments behind it."""

import re
from collections.abc import Iterator

from helpers.offline.arm.wire import LOCATION, Refused, Request, Unsupported, resource
from helpers.offline.engine import services

NAME = r"[A-Za-z](?=.{2,31}$)[A-Za-z0-9-]*[A-Za-z0-9]"
NAME_RULE = "use 3 to 32 letters, digits and '-', beginning with a letter and ending with a letter or digit"
KEY = "Key"
TOKENS = {"amltoken": "aml_token", "aadtoken": "aad_token"}
ACCESS = ("Enabled", "Disabled")
KEPT = ("description", "properties", "publicNetworkAccess")
STATES = {"Running": "Updating", "Succeeded": "Succeeded", "Failed": "Failed"}  # of the last operation


def put(request: Request) -> dict:
    """Make an endpoint, or change one: its traffic, tags and description. Raises Refused and Invalid."""
    name, asked = request.names["name"], request.properties
    check_name("an endpoint", name)
    _refuse(asked)
    services.put_endpoint(
        request.folder,
        name,
        {
            "traffic": asked.get("traffic") or {},
            "mirror_traffic": asked.get("mirrorTraffic") or {},
            "settings": {key: asked.get(key) for key in KEPT}
            | {key: request.body.get(key) for key in ("tags", "identity")},
        },
    )
    return get(request)


def get(request: Request) -> dict:
    return _described(request, known(request))


def list_all(request: Request) -> Iterator[dict]:
    return (_described(request, endpoint) for endpoint in services.list_all(request.folder, services.ENDPOINT))


def delete(request: Request) -> None:
    services.delete_endpoint(request.folder, known(request)["name"])


def keys(request: Request) -> dict:
    primary, secondary = services.keys(request.folder, services.ENDPOINT, known(request)["name"])
    return {"primaryKey": primary, "secondaryKey": secondary}


def regenerate_keys(request: Request) -> dict:
    """Replace one key, by the one that is given; the client sends the key that there is, which asks for a new one."""
    which = str(request.body.get("keyType")).lower()
    there = keys(request)
    if f"{which}Key" not in there:
        raise Refused(f"{request.body.get('keyType')!r} is no key of an endpoint: Primary or Secondary.")
    given = request.body.get("keyValue")
    value = None if given == there[f"{which}Key"] else given
    services.set_key(request.folder, services.ENDPOINT, request.names["name"], which, value)
    return {}


def known(request: Request) -> dict:
    """The endpoint that the request names. Raises NotFound."""
    return services.get(request.folder, services.ENDPOINT, request.names["name"])


def check_name(what: str, name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise Refused(f"{name!r} is no name for {what}: {NAME_RULE}.")


def _refuse(asked: dict) -> None:
    """Refuse what the service does not know, and what the offline workspace does not offer."""
    auth_mode = asked.get("authMode") or ""
    if auth_mode.lower() in TOKENS:
        raise Unsupported(
            f"An endpoint with auth_mode='{TOKENS[auth_mode.lower()]}'",
            "there is no login that a token could come from. Give auth_mode='key'",
        )
    if auth_mode.lower() != KEY.lower():
        raise Refused(f"{auth_mode!r} is no auth_mode: give key, aml_token or aad_token.")
    if asked.get("compute"):
        raise Unsupported("An endpoint on Kubernetes", "ManagedOnlineEndpoint is")
    if str(asked.get("publicNetworkAccess") or ACCESS[0]).capitalize() not in ACCESS:
        raise Refused(f"{asked['publicNetworkAccess']!r} is no public_network_access: give enabled or disabled.")


def _described(request: Request, endpoint: dict) -> dict:
    settings, address = endpoint["settings"], f"http://{services.HOST}:{endpoint['port']}"
    properties = {
        "authMode": KEY,
        "description": settings["description"],
        "properties": settings["properties"] or {},
        "publicNetworkAccess": str(settings["publicNetworkAccess"] or ACCESS[0]).capitalize(),
        "traffic": endpoint["traffic"],
        "mirrorTraffic": endpoint["mirror_traffic"],
        "scoringUri": f"{address}/score",
        "swaggerUri": f"{address}/swagger.json",
        "provisioningState": STATES[endpoint["operation"]["state"]],
    }
    return resource(
        request.scope,
        f"onlineEndpoints/{endpoint['name']}",
        properties,
        created=endpoint["created"],
        modified=endpoint["modified"],
        kind="Managed",
        location=LOCATION,
        tags=settings["tags"] or {},
        identity=settings["identity"] or {"type": "SystemAssigned"},
    )
