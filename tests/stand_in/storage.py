"""Blob storage: the account of the workspace, and the public ones that hold MNIST."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from .names import ACCOUNT, STORAGE
from .server import Answer, route

DATA = Path(__file__).resolve().parents[2] / "data"
PUBLIC = {
    "azureopendatastorage.blob.core.windows.net/mnist": DATA / "mnist",
    "azuremlexamples.blob.core.windows.net/datasets/mnist": DATA / "mnist",
}
_ITSELF = {"Server": "stand-in", "x-ms-version": "2021-08-06", "x-ms-request-id": "1"}
_BLOB = _ITSELF | {"x-ms-blob-type": "BlockBlob", "Accept-Ranges": "bytes", "x-ms-lease-status": "unlocked"}


@route("PUT", STORAGE + "/{container}/{path*}")
def write(request, container, path):
    kept = request.world.blobs / container / path.lstrip("/")
    match request.query.get("comp"):
        case "block":
            request.world.blocks[container, path, request.query["blockid"]] = request.body
        case "blocklist":
            ids = re.findall(r"<(?:Latest|Uncommitted)>([^<]+)<", request.body.decode())
            _keep(kept, b"".join(request.world.blocks.pop((container, path, one)) for one in ids))
        case None:
            _keep(kept, request.body)
        case other:
            return Answer(None, 501, {"x-ms-error-code": f"NotImplemented: {other}"})
    etag = f'"{hashlib.md5(request.body).hexdigest()}"'
    return Answer(None, 201, _ITSELF | {"ETag": etag, "Last-Modified": _modified(None)})


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@route("GET", STORAGE + "/{container}")
def list_container(request, container):
    """The blobs below a prefix, and with a delimiter the folders."""
    top = request.world.blobs / container
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter")
    entries = []
    for file in sorted(path for path in top.rglob("*") if path.is_file()):
        name = file.relative_to(top).as_posix()
        if not name.startswith(prefix):
            continue
        below = name[len(prefix) :]
        if delimiter and delimiter in below:
            folder = f"<BlobPrefix><Name>{escape(prefix + below.split(delimiter)[0] + delimiter)}</Name></BlobPrefix>"
            if folder not in entries:
                entries.append(folder)
            continue
        entries.append(
            f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{file.stat().st_size}</Content-Length>"
            f"<Last-Modified>{_modified(file)}</Last-Modified><Etag>0x1</Etag><BlobType>BlockBlob</BlobType>"
            "<Content-Type>application/octet-stream</Content-Type></Properties></Blob>"
        )
    xml = (
        f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://{STORAGE}/" '
        f'ContainerName="{container}"><Prefix>{escape(prefix)}</Prefix><Blobs>{"".join(entries)}</Blobs>'
        "<NextMarker /></EnumerationResults>"
    )
    return Answer(xml.encode(), 200, _ITSELF | {"Content-Type": "application/xml"})


@route("HEAD", STORAGE + "/{container}")
def container_there(request, container):
    return Answer(None, 200, _ITSELF | {"Last-Modified": _modified(None), "ETag": '"1"'})


@route("HEAD", STORAGE + "/{container}/{path*}")
@route("GET", STORAGE + "/{container}/{path*}")
def read(request, container, path):
    return _file(request, request.world.blobs / container / path.lstrip("/"))


@route("HEAD", "{account}.blob.core.windows.net/{path*}")
@route("GET", "{account}.blob.core.windows.net/{path*}")
def read_public(request, account, path):
    address = f"{account}.blob.core.windows.net/{path}"
    if request.query.get("restype") == "container":
        return container_there(request, path) if any(one.startswith(address) for one in PUBLIC) else _missing()
    folder, _, name = address.rpartition("/")
    if account == ACCOUNT or folder not in PUBLIC:
        return _missing()
    return _file(request, PUBLIC[folder] / name)


def _file(request, path: Path) -> Answer:
    if not path.is_file():
        return _missing()
    content = path.read_bytes()
    headers = _BLOB | {
        "ETag": f'"{len(content)}"',
        "Last-Modified": _modified(path),
        "Content-Type": "application/octet-stream",
        "Content-MD5": base64.b64encode(hashlib.md5(content).digest()).decode(),
    }
    asked = request.headers.get("x-ms-range") or request.headers.get("Range")
    if request.method == "HEAD" or not asked:
        return Answer(content, 200, headers | {"Content-Length": str(len(content))})
    first, last = re.fullmatch(r"bytes=(\d+)-(\d*)", asked).groups()
    first, last = int(first), min(int(last or len(content)), len(content) - 1)
    if first >= len(content):
        return Answer(None, 416, _ITSELF | {"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    del headers["Content-MD5"]  # of the whole
    return Answer(content[first : last + 1], 206, headers)


def _missing() -> Answer:
    message = "The specified blob does not exist."
    xml = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>BlobNotFound</Code><Message>{message}</Message></Error>'
    headers = _ITSELF | {"x-ms-error-code": "BlobNotFound", "Content-Type": "application/xml"}
    return Answer(xml.encode(), 404, headers)


def _modified(path: Path | None) -> str:
    moment = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path else datetime.now(UTC)
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
