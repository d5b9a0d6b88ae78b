"""A stand-in for Azure's login and management addresses, for processes that import the real SDK.

`install(answer)` takes the place of the network in the process: everything that goes through `requests`, as all of the
SDK does, gets an answer from here, and nothing leaves the process.
"""

import io
import json
import time
from urllib.parse import urlparse

import jwt
import requests
import urllib3

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"
CONFIG = {"subscription_id": SUBSCRIPTION, "resource_group": "rg", "workspace_name": "ws"}
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"

# What a login is refused with, by the name for install(): the opening words are Entra's own.
LOGINS = {
    "secret expired": "AADSTS7000222: The provided client secret keys for app 'app' are expired.",
    "secret wrong": "AADSTS7000215: Invalid client secret provided.",
    "secret repeated": "AADSTS7000215: Invalid client secret provided: {secret}",
    "unknown answer": "AADSTS1234567: Something new about {secret}",
    "application unknown": "AADSTS700016: Application with identifier 'app' was not found in the directory.",
    "tenant unknown": "AADSTS90002: Tenant 'x' not found. Check that you are signing into the correct cloud.",
    "other cloud": "AADSTS900382: Confidential Client is not supported in Cross Cloud request.",
    "login expired": "AADSTS70043: The refresh token has expired due to sign-in frequency checks.",
}
REFUSED = (
    "The client 'app' with object id 'id' does not have authorization to perform action "
    f"'Microsoft.MachineLearningServices/workspaces/read' over scope '{WORKSPACE}' or the scope is invalid."
)
MANAGEMENT = {
    "no permission": (403, {"error": {"code": "AuthorizationFailed", "message": REFUSED}}),
    "no workspace": (404, {"error": {"code": "ResourceNotFound", "message": f"The Resource '{WORKSPACE}' not found."}}),
    "no group": (404, {"error": {"code": "ResourceGroupNotFound", "message": "Resource group 'rg' not found."}}),
    "fine": (
        200,
        {
            "id": WORKSPACE,
            "name": "ws",
            "location": "eastus",
            "type": "Microsoft.MachineLearningServices/workspaces",
            "properties": {"workspaceId": "id", "provisioningState": "Succeeded"},
        },
    ),
}


def install(answer: str) -> None:
    """Answer this process's requests: logins and workspaces as `answer`, a key of LOGINS or MANAGEMENT, says."""

    def send(adapter, request, **kwargs):
        status, content = _answer(answer, request)
        body = io.BytesIO(json.dumps(content).encode())
        headers = {"Content-Type": "application/json"}
        response = urllib3.HTTPResponse(body, headers, status, preload_content=False)
        return adapter.build_response(request, response)

    requests.adapters.HTTPAdapter.send = send


def _answer(answer: str, request) -> tuple[int, dict]:
    address = urlparse(request.url)
    if address.path == "/common/discovery/instance":
        return 200, {"metadata": []}
    if address.path.endswith("/.well-known/openid-configuration"):
        login = f"https://{address.netloc}/{TENANT}"
        endpoints = {name: f"{login}/oauth2/v2.0/{name}" for name in ("authorize", "token")}
        return 200, {
            "authorization_endpoint": endpoints["authorize"],
            "token_endpoint": endpoints["token"],
            "issuer": f"{login}/v2.0",
        }
    if address.path.endswith("/token"):
        if answer in LOGINS:
            text = LOGINS[answer].format(secret=_secret_in(request))
            return 401, {"error": "invalid_client", "error_description": text}
        claims = {"tid": TENANT, "exp": int(time.time()) + 3600}
        token = jwt.encode(claims, "not a key, only long enough to sign with", algorithm="HS256")
        return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": token}
    if address.path.rstrip("/") == "/subscriptions":
        seen = [] if answer == "no subscription" else [{"subscriptionId": SUBSCRIPTION, "displayName": "Mine"}]
        return 200, {"value": seen}
    if address.path == WORKSPACE:
        return MANAGEMENT[answer]
    raise AssertionError(f"nothing is known of {request.method} {request.url}")


def _secret_in(request) -> str:
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    return dict(pair.split("=", 1) for pair in body.split("&"))["client_secret"]
