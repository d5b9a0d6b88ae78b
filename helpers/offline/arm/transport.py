"""The end of the line for azure-core's requests: what would leave the machine is answered here."""

import io
import ipaddress
from http.client import responses
from urllib.parse import urlsplit

import urllib3
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from helpers.offline.arm import routes


class Adapter(HTTPAdapter):
    """Lets requests to this machine through, past any proxy, and answers all others in this process."""

    def send(
        self, request: PreparedRequest, stream=False, timeout=None, verify=True, cert=None, proxies=None
    ) -> Response:
        if _is_loopback(urlsplit(request.url).hostname):
            return super().send(request, stream, timeout, verify, cert)
        answer = routes.answer(request.method, request.url, request.headers, _content(request.body))
        content = b"" if request.method == "HEAD" else answer.content
        return self.build_response(
            request,
            urllib3.HTTPResponse(
                body=io.BytesIO(content),
                headers={"Content-Length": str(len(content)), **answer.headers},
                status=answer.status,
                reason=responses[answer.status],
                preload_content=False,
                request_method=request.method,
            ),
        )


def mount(session: Session) -> None:
    """Have every request of the session go through the adapter."""
    if not isinstance(session.adapters.get("https://"), Adapter):
        session.adapters.clear()  # a longer prefix would come first
        for scheme in ("https://", "http://"):
            session.mount(scheme, Adapter())


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _content(body) -> bytes:
    """A request's body, which may be a file or come in pieces."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        return body.read()
    return body if isinstance(body, bytes) else b"".join(body)
