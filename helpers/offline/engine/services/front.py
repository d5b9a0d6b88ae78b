"""The door of a service: an HTTP server on loopback that checks the key and passes a request on to the scoring server.

A request and its answer pass as they are: headers, encodings, redirects. What a page of another site in the reader's
browser asks is refused.

The scoring server listens on a Unix socket inside the service's folder, which only its owner may enter; so nobody
comes past this door.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from helpers.offline.engine.services import access, handover
from helpers.offline.engine.services.records import HOST

LARGEST = 128 * 1024 * 1024  # bytes of one request; all 10,000 test images are 61 MB as JSON
NAMES = {HOST, "localhost", "::1"}  # of this machine, as the header Host may have them
# What concerns the connection and not the request, and the key, which no script and no log should see.
NOT_PASSED_ON = {
    "authorization",
    "connection",
    "content-length",
    "date",
    "expect",
    "keep-alive",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}

Respond = Callable[[web.Request, bytes], Awaitable[web.Response]]


class Refusal(Exception):
    """What is answered to a request that is not passed on, or not answered: a status and a sentence."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def as_message(status: int, message: str) -> web.Response:
    """A refusal as a service of SDK v1 answers it."""
    return web.json_response({"message": message}, status=status)


class Front(threading.Thread):
    """Answers on `listener` until stop() is called.

    `place` is the service's folder, where it is written who is let in. Their requests, with the body, are answered by
    `respond`, which may raise Refusal; `refused` makes the answer of it.
    """

    def __init__(self, listener: socket.socket, place: Path, respond: Respond, refused=as_message):
        super().__init__(daemon=True)
        self._listener, self._place, self._respond, self._refused = listener, place, respond, refused
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self.start()

    def run(self) -> None:
        self._loop.run_until_complete(self._serve())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self.join(timeout=5)

    async def _serve(self) -> None:
        application = web.Application(client_max_size=LARGEST)
        application.router.add_route("*", "/{path:.*}", self._answer)
        logger = logging.getLogger(__name__)
        logger.addFilter(_without_content)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1, auto_decompress=False, logger=logger)
        await runner.setup()
        await web.SockSite(runner, self._listener).start()
        await self._stopped.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            return await self._respond(request, await self._admitted(request))
        except Refusal as refusal:
            return self._refused(refusal.status, str(refusal))

    async def _admitted(self, request: web.Request) -> bytes:
        """The body of a request that is let in. Raises Refusal."""
        if not is_from_here(request.headers.get("Host"), request.headers.get("Origin")):
            raise Refusal(403, f"Ask http://{HOST} or http://localhost, and not from the page of another site.")
        if not access.is_admitted(self._place, request.headers.get("Authorization", "")):
            raise Refusal(401, "A key is needed: send the header `Authorization: Bearer KEY`.")
        too_large = f"A request may have at most {LARGEST:,} bytes: send fewer images at a time."
        if (request.content_length or 0) > LARGEST:
            raise Refusal(413, f"This request has {request.content_length:,} bytes. {too_large}")
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise Refusal(413, too_large) from None


async def pass_on(request: web.Request, body: bytes, place: Path, reason: str) -> web.Response:
    """The answer of the scoring server of the service in `place`, a relative path.

    Raises Refusal where it does not answer; where there is none, with the `reason`.
    """
    with handover.in_use(place) as server:
        if server is None:
            raise Refusal(503, reason)
        try:
            return await _sent_on(request, body, server)
        except aiohttp.ClientConnectorError:
            raise Refusal(503, "The scoring server has ended. It is being started again.") from None
        except (aiohttp.ClientError, OSError):
            raise Refusal(502, "The scoring server did not answer. The service's logs may explain why.") from None


async def _sent_on(request: web.Request, body: bytes, server: Path) -> web.Response:
    connector = aiohttp.UnixConnector(path=str(server), force_close=True)
    settings = {
        "timeout": aiohttp.ClientTimeout(total=None),  # the scoring server has its own, SCORING_TIMEOUT_MS
        "auto_decompress": False,
        "skip_auto_headers": ("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
    }
    async with (
        aiohttp.ClientSession(connector=connector, **settings) as session,
        session.request(
            request.method, request.url, data=body or None, headers=_kept(request.headers), allow_redirects=False
        ) as answer,
    ):
        return web.Response(status=answer.status, body=await answer.read(), headers=_kept(answer.headers))


def is_from_here(host: str | None, origin: str | None) -> bool:
    """Whether a request names this machine (not some name that leads here), and is no other site's page's."""
    try:
        if host is not None and urlsplit(f"//{host}").hostname not in NAMES:
            return False
    except ValueError:
        return False
    return origin is None or origin == f"http://{host}"


def _kept(headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in NOT_PASSED_ON]


def _without_content(record: logging.LogRecord) -> bool:
    """Let a record of a request that cannot be read pass without what the request says: its key may be in it."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
    return True
