"""The storage account: its blobs are files of the offline workspace, its containers those folders that hold them.

azureml-blobstore   the datastore workspaceblobstore
azureml             the datastore workspaceartifactstore: the files of runs, and of models that SDK v1 registered
any other           what is uploaded before it becomes a snapshot: see codes
"""

import hashlib
import shutil
from email.utils import formatdate
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from helpers.offline.arm import codes, locations
from helpers.offline.arm.wire import Answer, Refused, Request, Unsupported
from helpers.offline.engine import assets
from helpers.offline.engine.workspace.errors import NotFound
from helpers.offline.engine.workspace.files import write_pieces, write_whole
from helpers.words import counted

METADATA = "x-ms-meta-"
KIND = "blob metadata"


def answer(request: Request) -> Answer:
    """Answer a request to the storage account; an error is told as the account tells it."""
    container, _, name = request.path.lstrip("/").partition("/")
    offered = {
        ("GET", "list"): list_blobs,
        ("GET", None): get,
        ("HEAD", None): head,
        ("PUT", None): put,
        ("PUT", "block"): put_block,
        ("PUT", "blocklist"): put_blocks,
        ("PUT", "metadata"): put_metadata,
    }
    handler = offered.get((request.method, request.query.get("comp")))
    try:
        if handler is None:
            raise Unsupported(
                f"{request.method} {request.path} with {dict(request.query)}", "files are read and written"
            )
        return handler(request, container, name)
    except NotFound as error:
        return _error(404, "BlobNotFound", str(error))
    except Refused as refused:
        return _error(refused.status, refused.code, str(refused))


def head(request: Request, container: str, name: str) -> Answer:
    file = locations.blob(request.folder, container, name)
    return Answer(headers=_headers(request.folder, container, name, file) | _length(file.stat().st_size))


def get(request: Request, container: str, name: str) -> Answer:
    """The whole of a blob, or the range that is asked for."""
    file = locations.blob(request.folder, container, name)
    headers = _headers(request.folder, container, name, file)
    if request.headers.get("If-Match", headers["ETag"]) != headers["ETag"]:
        raise Refused(f"The file {name} has changed while it was read.", 412, "ConditionNotMet")
    asked = request.headers.get("x-ms-range") or request.headers.get("Range")
    if not asked:
        return Answer(file.read_bytes(), 200, headers)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        if int(first) >= size:
            raise Refused(f"The file {name} has {counted(size, 'byte')}.", 416, "InvalidRange")
        opened.seek(int(first))
        content = opened.read(int(last or size - 1) - int(first) + 1)
    place = f"bytes {first}-{int(first) + len(content) - 1}/{size}"
    return Answer(content, 206, headers | {"Content-Range": place})


def put(request: Request, container: str, name: str) -> Answer:
    file = locations.new_blob(request.folder, container, name)
    if request.headers.get("If-None-Match") == "*" and file.exists() and file.read_bytes() != request.content:
        raise Refused(f"There is a file {name} already.", 409, "BlobAlreadyExists")
    write_whole(request.content, file)
    return _written(request, container, name, file)


def put_block(request: Request, container: str, name: str) -> Answer:
    """Keep a piece of a large file until all are there."""
    locations.new_blob(request.folder, container, name)
    write_whole(request.content, _blocks(request, container, name) / _block(request.query["blockid"]))
    return Answer(status=201)


def put_blocks(request: Request, container: str, name: str) -> Answer:
    """Make the file of its pieces, which the body lists."""
    file, blocks = locations.new_blob(request.folder, container, name), _blocks(request, container, name)
    pieces = [blocks / _block(entry.text or "") for entry in ElementTree.fromstring(request.content)]
    if not all(piece.is_file() for piece in pieces):
        raise Refused("A block that is listed was never sent.", 400, "InvalidBlockList")
    write_pieces(pieces, file)
    shutil.rmtree(blocks, ignore_errors=True)
    return _written(request, container, name, file)


def put_metadata(request: Request, container: str, name: str) -> Answer:
    file = locations.blob(request.folder, container, name)
    return _written(request, container, name, file, 200)


def list_blobs(request: Request, container: str, name: str) -> Answer:
    """The blobs whose names begin with the prefix; with a delimiter, those below it stand as one."""
    codes.lay_out(request.folder, container)
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter")
    rows, folded = [], {}
    for blob in locations.blobs(request.folder, container, prefix):
        rest = blob[len(prefix) :]
        if delimiter and delimiter in rest:
            folded[prefix + rest.partition(delimiter)[0] + delimiter] = None
            continue
        rows.append(_row(request.folder, container, blob, locations.blob(request.folder, container, blob)))
    rows += [f"<BlobPrefix><Name>{escape(one)}</Name></BlobPrefix>" for one in folded]
    return _xml(f"<EnumerationResults><Blobs>{''.join(rows)}</Blobs><NextMarker/></EnumerationResults>")


def _row(folder: Path, container: str, name: str, file: Path) -> str:
    status = file.stat()
    metadata = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in _metadata(folder, container, name).items())
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{_date(status.st_mtime)}</Last-Modified>"
        f"<Etag>{_tag(status)}</Etag><Content-Length>{status.st_size}</Content-Length>"
        f"<Content-Type>application/octet-stream</Content-Type><BlobType>BlockBlob</BlobType></Properties>"
        f"<Metadata>{metadata}</Metadata></Blob>"
    )


def _headers(folder: Path, container: str, name: str, file: Path) -> dict[str, str]:
    status = file.stat()
    return {
        "ETag": _tag(status),
        "Last-Modified": _date(status.st_mtime),
        "Content-Type": "application/octet-stream",
        "x-ms-blob-type": "BlockBlob",
        "Accept-Ranges": "bytes",
        **{METADATA + key: value for key, value in _metadata(folder, container, name).items()},
    }


def _length(size: int) -> dict[str, str]:
    return {"Content-Length": str(size)}


def _tag(status) -> str:
    return f'"0x{status.st_mtime_ns:X}{status.st_size:X}"'


def _date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)


def _written(request: Request, container: str, name: str, file: Path, status: int = 201) -> Answer:
    """Keep what the headers say of a blob, and confirm that it is written."""
    given = {
        key.lower().removeprefix(METADATA): value
        for key, value in request.headers.items()
        if key.lower().startswith(METADATA)
    }
    if given or status == 200:
        asset = assets.add_if(request.folder, KIND, f"{container}/{name}", lambda there: there or given)
        assets.update(request.folder, KIND, asset.name, asset.version, lambda there: given)
    return Answer(status=status, headers=_headers(request.folder, container, name, file) | _length(0))


def _metadata(folder: Path, container: str, name: str) -> dict[str, str]:
    try:
        return assets.get(folder, KIND, f"{container}/{name}").body
    except NotFound:
        return {}


def _blocks(request: Request, container: str, name: str) -> Path:
    """Where the pieces of a large file wait."""
    digest = hashlib.sha256(f"{container}/{name}".encode()).hexdigest()
    return locations.root_of(request.folder, ".blocks") / digest


def _block(id: str) -> str:
    return hashlib.sha256(id.encode()).hexdigest()


def _error(status: int, code: str, message: str) -> Answer:
    text = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return _xml(text, status, **{"x-ms-error-code": code})


def _xml(text: str, status: int = 200, **headers: str) -> Answer:
    content = f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()
    return Answer(content, status, {"Content-Type": "application/xml", **headers})
