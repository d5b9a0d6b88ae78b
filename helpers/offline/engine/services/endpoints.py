"""Online endpoints: one address and one pair of keys, and behind them deployments that share the requests.

A deployment is a service (deployments.py) of the type ONLINE, by the name "endpoint/deployment". An endpoint has a
folder, a process and a state as a service has; the process is the door (endpoint_door.py).
"""

import contextlib
import os
import uuid
from pathlib import Path

from helpers.offline.engine import assets
from helpers.offline.engine.services import access, deployments, records, traffic
from helpers.offline.engine.services.records import ENDPOINT, ONLINE
from helpers.offline.engine.workspace.errors import NotAllowed, NotFound
from helpers.offline.engine.workspace.leftovers import making_folder


def put(folder: Path, name: str, wanted: dict) -> dict:
    """Open an endpoint on loopback, or change the one of that name; the change holds from the next request on.

    `wanted` has traffic, mirror_traffic ({deployment: per cent}) and settings (kept as they are).
    Raises Invalid for traffic that cannot be.
    """
    try:
        there = records.get(folder, ENDPOINT, name)
    except NotFound:
        return _open(folder, name, wanted)
    traffic.check(name, wanted["traffic"], wanted["mirror_traffic"], deployment_names(folder, name))
    records.change(folder, ENDPOINT, name, there["id"], **wanted)
    if there["state"] == "Failed":
        _reopen(folder, name, there)
    return records.get(folder, ENDPOINT, name)


def deployment_names(folder: Path, name: str) -> list[str]:
    """The names of an endpoint's deployments."""
    return [full.partition("/")[2] for full in records.names(folder, ONLINE, f"{name}/")]


def refuse_with_traffic(folder: Path, name: str, deployment: str) -> None:
    """Raises NotAllowed where a deployment gets requests, and NotFound."""
    body = records.get(folder, ENDPOINT, name)
    for what in ("traffic", "mirror_traffic"):
        if share := body[what].get(deployment):
            raise NotAllowed(
                f"The deployment {deployment!r} has {share} per cent of the endpoint's {what.replace('_', ' ')}; give "
                "that to another one before you delete it."
            )


def delete(folder: Path, name: str) -> None:
    """Close an endpoint, and end and delete its deployments, all at once. Raises NotFound."""
    ids = [records.forget(folder, ENDPOINT, name)]
    for full in records.names(folder, ONLINE, f"{name}/"):
        with contextlib.suppress(NotFound):
            ids.append(records.forget(folder, ONLINE, full))
    for id in ids:
        records.end(folder, id)


def end_all(folder: Path) -> None:
    """Delete every endpoint and every service."""
    for type in (ENDPOINT, *deployments.TYPES):
        for name in records.names(folder, type):
            with contextlib.suppress(NotFound):
                records.delete(folder, type, name)


def _open(folder: Path, name: str, wanted: dict) -> dict:
    traffic.check(name, wanted["traffic"], wanted["mirror_traffic"], deployment_names(folder, name))
    id = uuid.uuid4().hex
    place = records.service_folder(folder, id)
    with contextlib.ExitStack() as stack:
        stack.enter_context(making_folder(place, 0o700))
        stack.callback(records.remove_unless_kept, folder, ENDPOINT, name, id)
        access.write(place, access.new(auth_enabled=True))
        listener = stack.enter_context(contextlib.closing(records.listen(0)))
        lock = records.take_lock(folder, id)
        stack.callback(os.close, lock)
        body = {**wanted, "id": id, "port": listener.getsockname()[1], **records.begun()}
        made = assets.add_if(folder, records.KINDS[ENDPOINT], name, lambda there: there or body)
        if made.body["id"] != id:  # somebody opened it meanwhile
            return put(folder, name, wanted)
        records.succeed(folder, ENDPOINT, name, id, made.body["deployment"])
        records.start("endpoint_door", folder, ENDPOINT, name, id, listener, lock)
    return records.get(folder, ENDPOINT, name)


def _reopen(folder: Path, name: str, endpoint: dict) -> None:
    """Open the door of an endpoint whose process died, at the same address. Raises Invalid where that is taken."""
    with contextlib.ExitStack() as stack:
        lock = records.take_lock(folder, endpoint["id"])
        if lock is None:  # somebody else does
            return
        stack.callback(os.close, lock)
        listener = stack.enter_context(contextlib.closing(records.listen(endpoint["port"])))
        records.succeed(folder, ENDPOINT, name, endpoint["id"], endpoint["deployment"])
        records.start("endpoint_door", folder, ENDPOINT, name, endpoint["id"], listener, lock)
