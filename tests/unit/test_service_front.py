"""The door of a service: who is let in, what passes, and what is told of a scoring server that is not there."""

import gzip
import http.client
import json
import logging
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from helpers.offline.engine.services import access, front, handover, records

KEY = "a-key"


class Scoring(BaseHTTPRequestHandler):
    """A scoring server that tells what it was asked, or answers in a way of its own."""

    def do_GET(self):
        if self.path == "/redirect":
            self.answer(302, b"elsewhere", ("Location", "/score?x=1"))
        elif self.path == "/packed":
            self.answer(
                200, gzip.compress(b"unpacked"), ("Content-Encoding", "gzip"), ("X-Twice", "1"), ("X-Twice", "2")
            )
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": body.hex()}
            self.answer(200, json.dumps(asked).encode())

    do_POST = do_GET

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class Door:
    """A door with a scoring server behind it, and what a request is told while that is not there."""

    def __init__(self, place):
        access.write(place, {"auth_enabled": True, "primary": KEY, "secondary": "another"})
        listener = records.listen(0)
        self.place, self.port, self.reason = place, listener.getsockname()[1], "not yet"
        self.front = front.Front(listener, place, self.respond)

    async def respond(self, request, body):
        return await front.pass_on(request, body, self.place, self.reason)


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    opened = Door(tmp_path_factory.mktemp("door"))
    (opened.place / "1").mkdir()
    with socketserver.ThreadingUnixStreamServer(str(opened.place / "1" / "server.sock"), Scoring) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        handover.point(opened.place, "1")
        yield opened
        opened.front.stop()
        server.shutdown()


def ask(port, path="/score", method="GET", **settings):
    headers = {"Authorization": f"Bearer {KEY}"} | settings.pop("headers", {})
    return requests.request(method, f"http://127.0.0.1:{port}{path}", headers=headers, timeout=30, **settings)


def ask_raw(port, request):
    """The first line of the answer to the bytes of a request."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline().decode().strip()


def test_a_request_passes_as_it_is_but_for_the_key(door):
    packed = gzip.compress(b"digits")
    headers = {
        "Content-Encoding": "gzip",
        "Content-Type": "image/png",
        "X-Mine": "yes",
        "Host": f"localhost:{door.port}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=30)
    connection.putrequest("POST", "/score?a=%2F&b", skip_host=True, skip_accept_encoding=True)
    for header in (headers | {"Authorization": f"Bearer {KEY}", "Content-Length": len(packed)}).items():
        connection.putheader(*header)
    connection.endheaders(packed)
    asked = json.loads(connection.getresponse().read())
    connection.close()
    got = dict(asked["headers"])
    assert (asked["method"], asked["path"], bytes.fromhex(asked["body"])) == ("POST", "/score?a=%2F&b", packed)
    assert got.pop("Content-Length") == str(len(packed))
    got.pop("Connection", None)
    assert got == headers


def test_an_answer_passes_as_it_is(door):
    moved = ask(door.port, "/redirect", allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"], moved.text) == (302, "/score?x=1", "elsewhere")
    packed = ask(door.port, "/packed", stream=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.raw.headers.getlist("X-Twice") == ["1", "2"]
    assert gzip.decompress(packed.raw.read(decode_content=False)) == b"unpacked"
    assert ask(door.port, "/packed").text == "unpacked"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "127.0.0.1:80"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Host": "a.name.that.leads.here"}, 403),
        ({"Host": "127.0.0.1.example.com"}, 403),
        ({"Host": "[bad"}, 403),
        ({"Host": "localhost:5001", "Origin": "http://localhost:5001"}, 200),
        ({"Host": "localhost:5001", "Origin": "http://localhost:8888"}, 403),
        ({"Host": "localhost:5001", "Origin": "https://example.com"}, 403),
        ({"Host": "localhost:5001", "Origin": "null"}, 403),
    ],
)
def test_what_another_site_asks_is_refused(door, headers, status):
    assert ask(door.port, headers=headers).status_code == status


@pytest.mark.parametrize("key", ["é".encode("latin1"), "é".encode(), b"a-ke\xff"])
def test_a_key_that_is_not_ascii_is_no_key(door, key):
    request = b"GET /score HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key + b"\r\n\r\n"
    assert ask_raw(door.port, request) == "HTTP/1.1 401 Unauthorized"


@pytest.mark.parametrize("line", ["Authorization: Bearer HUSH\0", "Authorization Bearer HUSH"])
def test_the_key_of_a_malformed_request_is_logged_nowhere(door, line, caplog):
    caplog.set_level(logging.DEBUG)
    status = ask_raw(door.port, f"GET / HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n".encode())
    assert status.endswith("400 Bad Request")
    assert "Error handling request" in caplog.text
    assert "HUSH" not in caplog.text and "HUSH" not in str([record.__dict__ for record in caplog.records])


def test_where_the_scoring_server_is_not_the_reason_is(door):
    try:
        handover.point(door.place, None)
        door.reason = "It has ended, for this reason."
        answer = ask(door.port)
        assert (answer.status_code, answer.json()) == (503, {"message": "It has ended, for this reason."})
        (door.place / "2").mkdir()
        handover.point(door.place, "2")  # which has no socket
        assert (ask(door.port).status_code, "started again" in ask(door.port).json()["message"]) == (503, True)
    finally:
        handover.point(door.place, "1")
