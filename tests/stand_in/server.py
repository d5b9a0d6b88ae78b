"""The stand-in's door: an HTTPS proxy on loopback that answers for Azure's hosts by itself.

What is asked of a host goes to the function that `route` was put on. What no function answers is refused with 501, and
is noted in the world.
"""

import json
import re
import ssl
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

_ROUTES: list[tuple[str, re.Pattern, Callable]] = []


class Refused(Exception):
    """An answer that says no: status, Azure's code, and message."""

    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.answer = Answer({"error": {"code": code, "message": message}}, status)


@dataclass
class Answer:
    """An answer: `content` is what becomes JSON, or bytes, or None."""

    content: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """What was asked, with the world that it is asked of."""

    world: object
    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    @property
    def json(self):
        return json.loads(self.body or b"{}")


def route(method: str, address: str) -> Callable:
    """Puts the function before the requests of this method and address, host/path.

    {name} in the address stands for one part, {name*} for the rest, of the path; the function gets it as an argument.
    """
    parts = re.split(r"(\{\w+\*?\})", address)
    pattern = "".join(_group(part) if part.startswith("{") else re.escape(part) for part in parts)

    def put(function):
        _ROUTES.append((method, re.compile(pattern), function))
        return function

    return put


def _group(part: str) -> str:
    name = part.strip("{}*")
    return f"(?P<{name}>.*)" if part.endswith("*}") else f"(?P<{name}>[^/]+)"


class Server(ThreadingHTTPServer):
    """Listens on a port of its own on loopback, and answers from `world`, one request after the other."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self, world: object, context: ssl.SSLContext):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world, self.context = world, context
        self.lock = threading.RLock()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that hangs up

    def answer(self, request: Request) -> Answer:
        address = f"{request.host}{request.path}"
        for method, pattern, function in _ROUTES:
            match = method == request.method and pattern.fullmatch(address)
            if match:
                return self._called(function, request, match.groupdict())
        self.world.unknown.append(f"{request.method} {address}")
        return Answer({"error": {"code": "NotImplemented", "message": f"nothing answers {address}"}}, 501)

    def _called(self, function, request, arguments) -> Answer:
        try:
            with self.lock:
                answer = function(request, **arguments)
            return answer if isinstance(answer, Answer) else Answer(answer)
        except Refused as refused:
            return refused.answer
        except Exception:
            self.world.failed.append(f"{request.method} {request.path}\n{traceback.format_exc()}")
            return Answer({"error": {"code": "InternalServerError", "message": traceback.format_exc()}}, 500)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    host = "127.0.0.1"

    def do_CONNECT(self):
        self.host = self.path.partition(":")[0]
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb", self.wbufsize)
        self.close_connection = False

    def answer(self):
        address = urlsplit(self.path)
        request = Request(
            self.server.world,
            self.command,
            self.host,
            unquote(address.path),
            dict(parse_qsl(address.query, keep_blank_values=True)),
            self.headers,
            self._body(),
        )
        answer = self.server.answer(request)
        content, headers = answer.content, dict(answer.headers)
        if content is not None and not isinstance(content, bytes):
            content = json.dumps(content).encode()
            headers.setdefault("Content-Type", "application/json")
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if content and self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return body

    def log_message(self, *arguments):
        pass
