"""Logging in, and what Azure Resource Manager says of the subscription and the workspace."""

import time
from datetime import UTC, datetime

import jwt

from .names import API, LOCATION, LOGIN, MANAGEMENT, SCOPE, SUBSCRIPTION, TELEMETRY, TENANT, WORKSPACE
from .server import Refused, route

_KEY = "not a key, only long enough to sign with"


def token() -> str:
    """A token that says whose it is and that it holds for an hour."""
    return jwt.encode({"tid": TENANT, "oid": "somebody", "exp": int(time.time()) + 3600}, _KEY, algorithm="HS256")


@route("GET", LOGIN + "/{tenant}/v2.0/.well-known/openid-configuration")
def openid(request, tenant):
    login = f"https://{LOGIN}/{tenant}/oauth2/v2.0"
    return {
        "authorization_endpoint": f"{login}/authorize",
        "token_endpoint": f"{login}/token",
        "issuer": f"https://{LOGIN}/{tenant}/v2.0",
    }


@route("POST", LOGIN + "/{tenant}/oauth2/v2.0/token")
def log_in(request, tenant):
    return {"token_type": "Bearer", "expires_in": 3600, "access_token": token()}


@route("GET", f"{MANAGEMENT}/subscriptions")
def subscriptions(request):
    mine = {"subscriptionId": SUBSCRIPTION, "displayName": "Offline", "state": "Enabled", "tenantId": TENANT}
    return {"value": [{"id": f"/subscriptions/{SUBSCRIPTION}", **mine}]}


@route("GET", MANAGEMENT + SCOPE.removesuffix(WORKSPACE) + "{name}")
def workspace(request, name):
    if name != WORKSPACE:
        raise Refused(404, "ResourceNotFound", f"The Resource '{SCOPE}' under resource group was not found.")
    return {
        "id": SCOPE,
        "name": WORKSPACE,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": LOCATION,
        "tags": {},
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": {"type": "SystemAssigned", "principalId": "somebody", "tenantId": TENANT},
        "properties": {
            "workspaceId": "33333333-3333-3333-3333-333333333333",
            "friendlyName": WORKSPACE,
            "description": "",
            "creationTime": datetime.now(UTC).isoformat(),
            "provisioningState": "Succeeded",
            "discoveryUrl": f"https://{API}/discovery",
        },
    }


@route("GET", f"{API}/discovery")
def discovery(request):
    names = (
        "api experimentation history hyperdrive modelmanagement pipelines studio notebooks inventory catalog gallery"
    )
    return dict.fromkeys(names.split(), f"https://{API}")


@route("POST", TELEMETRY + "/{path*}")
def telemetry(request, path):
    """What the SDK tells Microsoft of how it is used: taken, and forgotten."""
    return {"itemsReceived": 1, "itemsAccepted": 1, "errors": []}
