"""The process of one online endpoint: its door, and which of its deployments a request goes to.

`python -m helpers.offline.engine.services.endpoint_door FOLDER TYPE NAME ID FD LOCK`

It is detached from whoever made the endpoint, holds the endpoint's lock while it lives, and answers on the listening
socket FD. What the workspace says of the endpoint is read for each request, so that a change holds from the next one
on. It ends when the endpoint is deleted.
"""

import asyncio
import contextlib
import socket
import sys
import time
from collections import Counter
from http.client import responses
from pathlib import Path

from aiohttp import web

from helpers.offline.engine import assets, processes
from helpers.offline.engine.services import front, records, traffic
from helpers.offline.engine.services.front import Front, Refusal
from helpers.offline.engine.services.records import ENDPOINT, ONLINE
from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import NotFound, StoreUnavailable

DEPLOYMENT = "azureml-model-deployment"  # the header that asks for a deployment, and tells which one has answered
# The status code with which an endpoint answers where the script's is not 200, and the headers that tell the script's.
MODEL_ERROR, MODEL_STATUS, MODEL_REASON = 424, "ms-azureml-model-error-statuscode", "ms-azureml-model-error-reason"
NOT_READY = "The deployment is not ready yet."
CODES = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 408: "RequestTimeout", 413: "PayloadTooLarge"}
CODES |= {429: "TooManyRequests", 502: "BadGateway", 503: "ServiceUnavailable"}


class Endpoint:
    """One endpoint: its name in the workspace, and how many requests each deployment is at work on."""

    def __init__(self, folder: Path, name: str, id: str):
        self.folder, self.name, self.id = folder, name, id
        self.pending: Counter[str] = Counter()
        self.copies: set[asyncio.Task] = set()

    def look(self) -> dict:
        """What the workspace says of it. Raises NotFound where it is gone, or another one has its name."""
        return records.body_of(self.folder, ENDPOINT, self.name, self.id)

    async def respond(self, request: web.Request, body: bytes) -> web.Response:
        """Have a deployment answer the request. Raises Refusal."""
        asked = request.headers.get(DEPLOYMENT)
        try:
            endpoint, there = self.look(), self.deployments()
            name = traffic.choose(self.name, endpoint["traffic"], asked, there)
        except NotFound as error:
            raise Refusal(404, str(error)) from None
        except StoreUnavailable as error:
            raise Refusal(503, str(error)) from None
        for mirror in traffic.drawn(endpoint["mirror_traffic"], there) if asked is None else ():
            copy = asyncio.create_task(self.mirror(request, body, mirror, there[mirror]))
            self.copies.add(copy)  # which keeps it until it is done
            copy.add_done_callback(self.copies.discard)
        return _told(await self.ask(request, body, name, there[name]), name)

    def deployments(self) -> dict[str, dict]:
        """The endpoint's deployments, by name."""
        found = assets.list_latest(self.folder, records.KINDS[ONLINE], f"{self.name}/")
        return {asset.name.partition("/")[2]: asset.body for asset in found}

    async def mirror(self, request: web.Request, body: bytes, name: str, deployment: dict) -> None:
        """Send a copy of the request to a deployment, whose answer nobody gets."""
        with contextlib.suppress(Refusal):
            await self.ask(request, body, name, deployment)

    async def ask(self, request: web.Request, body: bytes, name: str, deployment: dict) -> web.Response:
        """The answer of one deployment, within its limits. Raises Refusal."""
        id, limits = deployment["id"], deployment["settings"]["limits"]
        if self.pending[id] >= limits["at_once"]:
            raise Refusal(
                429,
                f"Too many pending requests: the deployment {name!r} takes {limits['at_once']} at once, which is "
                "2 * max_concurrent_requests_per_instance * instance_count.",
            )
        reason = f"{name}: {deployment['error']['message']}" if deployment["error"] else NOT_READY
        self.pending[id] += 1
        try:
            async with asyncio.timeout(limits["seconds"]):
                return await front.pass_on(request, body, Path("..", id), reason)
        except TimeoutError:
            raise Refusal(
                408, f"The deployment {name!r} did not answer within request_timeout_ms, {limits['seconds']:g} s."
            ) from None
        finally:
            self.pending[id] -= 1


def _told(answer: web.Response, name: str) -> web.Response:
    """The answer of a deployment as its endpoint gives it."""
    answer.headers[DEPLOYMENT] = name
    if answer.status != 200:
        answer.headers[MODEL_STATUS] = str(answer.status)
        answer.headers[MODEL_REASON] = responses.get(answer.status, "")
        answer.set_status(MODEL_ERROR)
    return answer


def as_error(status: int, message: str) -> web.Response:
    """A refusal in the form that Azure's errors have."""
    return web.json_response({"error": {"code": CODES[status], "message": message}}, status=status)


def main(folder: Path, type: str, name: str, id: str, listener: socket.socket) -> None:
    """Keep the door open until the endpoint is deleted; a store that is locked or full is waited for.

    The thread that answers has no such patience: a request is told.
    """
    endpoint = Endpoint(folder, name, id)
    door = Front(listener, Path(), endpoint.respond, as_error)
    try:
        with outages.patience(), contextlib.suppress(NotFound):
            while endpoint.look():
                time.sleep(processes.LOOK)
    finally:
        door.stop()


if __name__ == "__main__":
    main(*records.started(sys.argv[1:]))
