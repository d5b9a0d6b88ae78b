"""Snapshots: the source folders that runs were submitted with, file by file."""

import io
import uuid
import zipfile

from .names import STORAGE, of
from .server import Refused, route

CONTENT = of("content")
CONTENT_V2 = of("content", "v2.0")
CONTAINER = "snapshots"


@route("GET", CONTENT + "/snapshots/latest/metadata")
def latest(request):
    """There is none that a new one could be told as the difference to."""
    root = {"name": "", "hash": "", "type": "Directory", "timestamp": None, "children": {}}
    return {"id": "00000000-0000-0000-0000-000000000000", "root": root}


@route("POST", CONTENT_V2 + "/snapshots/getblob")
def places(request):
    """An address to put each file at."""
    nodes = []
    for name in request.json["FileNames"]:
        address = f"https://{STORAGE}/{CONTAINER}/{uuid.uuid4()}/{name}?sv=2019-07-07&sig=signature&se=2999-01-01"
        nodes.append({"fullName": name, "blobUri": address})
    return {"fileNodes": nodes}


@route("POST", CONTENT_V2 + "/snapshots/{snapshot_id}")
def create(request, snapshot_id):
    """The files of the folder: those that were sent now, and those that the snapshot before has already."""
    given = request.json
    before = request.world.snapshots.get(given["ParentSnapshotId"], {})
    sent = {node["FullName"]: node["BlobUri"] for node in given["FileRevisionList"]["FileNodes"]}
    files = {}
    for name in _files(given["DirTreeNode"]):
        address = sent.get(name)
        files[name] = request.world.blob_at(address) if address else before[name]
    request.world.snapshots[snapshot_id] = files
    return {"id": snapshot_id}


def _files(node: dict, above: str = "") -> list[str]:
    names = []
    for child in node["children"].values():
        name = f"{above}{child['name']}"
        names += [name] if child["type"] == "File" else _files(child, f"{name}/")
    return names


def find(world, snapshot_id: str) -> dict:
    if snapshot_id not in world.snapshots:
        raise Refused(404, "UserError", f"Snapshot {snapshot_id} was not found.")
    return world.snapshots[snapshot_id]


@route("POST", CONTENT_V2 + "/snapshots/{snapshot_id}/zip")
def as_zip(request, snapshot_id):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, path in find(request.world, snapshot_id).items():
            file.write(path, name)
    place = request.world.blobs / CONTAINER / f"{snapshot_id}.zip"
    place.write_bytes(packed.getvalue())
    return {"zipSasUri": f"https://{STORAGE}/{CONTAINER}/{snapshot_id}.zip?sv=2019-07-07&sig=signature"}
