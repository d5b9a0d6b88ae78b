"""The door of a service: an HTTP server on loopback that checks the key and passes a request on to the scoring server.

A request and its answer pass as they are: headers, encodings, redirects. What a page of another site in the reader's
browser asks is refused.

The scoring server listens on a Unix socket inside the service's folder, which only its owner may enter; so nobody
comes past this door.
"""

import asyncio
import hmac
import json
import logging
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

LARGEST = 32 * 1024 * 1024  # bytes of one request; several thousand images as JSON
HOST = "127.0.0.1"
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


def listen(port: int = 0) -> socket.socket:
    """A listening socket on loopback, on a free port by default. Raises OSError where the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


class Front(threading.Thread):
    """Answers on `listener` until stop() is called; `access` is the file that says whether a key is asked for.

    `server` is the path of the scoring server's socket, None while there is none, for the `reason`.
    """

    def __init__(self, listener: socket.socket, access: Path):
        super().__init__(daemon=True)
        self.server: str | None = None
        self.reason = "The service is not ready yet."
        self._listener, self._access = listener, access
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
        if not is_from_here(request.headers.get("Host"), request.headers.get("Origin")):
            return _refusal(403, f"Ask http://{HOST} or http://localhost, and not from the page of another site.")
        if not is_admitted(self._access, request.headers.get("Authorization", "")):
            return _refusal(401, "A key is needed: send the header `Authorization: Bearer KEY`.")
        if self.server is None:
            return _refusal(503, self.reason)
        too_large = f"A request may have at most {LARGEST:,} bytes: send fewer images at a time."
        if (request.content_length or 0) > LARGEST:
            return _refusal(413, f"This request has {request.content_length:,} bytes. {too_large}")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _refusal(413, too_large)
        try:
            return await _pass_on(request, body, self.server)
        except aiohttp.ClientConnectorError:
            return _refusal(503, "The scoring server has ended. It is being started again.")
        except (aiohttp.ClientError, OSError):
            return _refusal(502, "The scoring server did not answer. The service's logs may tell why.")


async def _pass_on(request: web.Request, body: bytes, server: str) -> web.Response:
    connector = aiohttp.UnixConnector(path=server, force_close=True)
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


def is_admitted(access: Path, authorization: str) -> bool:
    """Whether the header has one of the service's keys; the time that this takes tells nothing of them."""
    asked = json.loads(access.read_text())
    if not asked["auth_enabled"]:
        return True
    given = authorization.removeprefix("Bearer ").encode(errors="surrogateescape")
    fits = [hmac.compare_digest(given, asked[key].encode()) for key in ("primary", "secondary")]
    return any(fits) and authorization.startswith("Bearer ")


def _kept(headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in NOT_PASSED_ON]


def _without_content(record: logging.LogRecord) -> bool:
    """Let a record of a request that cannot be read pass without what the request says: its key may be in it."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
    return True


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
