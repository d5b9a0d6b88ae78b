"""The door of a service: on loopback, asks for the key of the service and passes requests on to its scoring server."""

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_NOT_PASSED_ON = {"authorization", "connection", "content-length", "host", "transfer-encoding"}


class Door(ThreadingHTTPServer):
    """Listens on a port of its own until close(); `keys` are those that open it, None for none that is needed."""

    daemon_threads = True

    def __init__(self, server: int, keys: dict[str, str] | None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server, self.keys = server, keys
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        keys = self.server.keys
        if keys is not None and self.headers.get("Authorization", "").removeprefix("Bearer ") not in keys.values():
            self._send(401, b"", [])
            return
        connection = HTTPConnection("127.0.0.1", self.server.server)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        kept = [pair for pair in response.getheaders() if pair[0].lower() not in _NOT_PASSED_ON]
        self._send(response.status, response.read(), kept)
        connection.close()

    do_GET = do_POST = do_OPTIONS = answer

    def _send(self, status, body, headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass
