"""Code assets: a folder that a client uploads, and of which the engine takes a snapshot."""

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpers.offline.arm import locations, resources
from helpers.offline.arm.wire import ACCOUNT, BLOB_HOST, Refused, Request
from helpers.offline.engine.history import snapshot
from helpers.offline.engine.workspace.errors import Invalid, TooLarge
from helpers.offline.engine.workspace.names import safe_join

KIND = "code"


def start_upload(request: Request) -> dict:
    """A new container to upload into."""
    address = f"https://{BLOB_HOST}/{uuid.uuid4()}"
    group = request.scope.id.partition("/providers/")[0]
    return {
        "pendingUploadId": str(uuid.uuid4()),
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": {
            "blobUri": address,
            "storageAccountArmId": f"{group}/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}",
            "credential": {"credentialType": "SAS", "sasUri": f"{address}?sig=offline"},
        },
    }


def put_version(request: Request) -> dict:
    """Take the snapshot of what was uploaded. Raises Refused and TooLarge."""
    given = request.properties
    address = urlsplit(given.get("codeUri") or "")
    if address.hostname != BLOB_HOST:
        raise Refused(f"The code at {given.get('codeUri')!r} cannot be had offline; give a folder of this machine.")
    container, _, inside = address.path.strip("/").partition("/")
    uploaded = locations.root_of(request.folder, container)
    code = safe_join(uploaded, unquote(inside)) if inside else uploaded
    if not code.is_dir():
        raise Refused("Nothing was uploaded for this code: submit the job again.")
    try:
        snapshot_id = snapshot.take(request.folder, code)
    except (TooLarge, Invalid) as error:
        raise Refused(str(error).replace(str(code.resolve()), code.name)) from None
    finally:
        if container not in locations.CONTAINERS.values():  # then it was uploaded for this alone
            shutil.rmtree(uploaded)
    kept = given | {"snapshot": snapshot_id}
    content = itemgetter("snapshot")
    return _described(request, resources.put_version(request, KIND, kept, content, resources.IMMUTABLE))


def get_version(request: Request) -> dict:
    return _described(request, resources.get_version(request, KIND, request.names["name"], request.names["version"]))


def list_versions(request: Request) -> Iterator[dict]:
    """The versions of a name; or of any name, where a hash of their content is asked for: the client then uses it."""
    wanted = request.query.get("hash")
    if wanted is None:
        found = list(resources.list_versions(request, KIND))
    else:
        every = resources.all_of(request.folder, KIND)
        found = [asset for asset in every if (asset.body.get("properties") or {}).get("hash_sha256") == wanted]
    return (_described(request, asset) for asset in found)


def snapshot_of(request: Request, words: list[str]) -> str:
    """The snapshot of the code with this id, as wire.names_in gives it."""
    return resources.get_version(request, KIND, words[1], words[3]).body["snapshot"]


def lay_out(folder: Path, container: str) -> None:
    """Lay code out again in the container that it was uploaded to, of which a snapshot was left: it is downloaded."""
    there = locations.root_of(folder, container)
    if container in locations.CONTAINERS.values() or there.exists() or not there.parent.is_dir():
        return
    address = f"https://{BLOB_HOST}/{container}/"
    for asset in resources.all_of(folder, KIND):
        if f"{asset.body['codeUri']}/".startswith(address):
            inside = unquote(asset.body["codeUri"].removeprefix(address.rstrip("/"))).strip("/")
            with tempfile.TemporaryDirectory(dir=there.parent, prefix=".") as partial:
                files = Path(partial, "files")
                snapshot.extract(folder, asset.body["snapshot"], safe_join(files, inside) if inside else files)
                with contextlib.suppress(OSError):  # another did so at the same time
                    files.rename(there)
            return


def _described(request: Request, asset) -> dict:
    properties = {key: value for key, value in asset.body.items() if key != "snapshot"}
    return resources.described(request, KIND, asset, properties)
