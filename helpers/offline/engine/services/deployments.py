"""Registered models behind an entry script, each served by a detached process of its own (supervisor).

The folder of a service holds the lock of its supervisor, the keys, the log, and a numbered folder for each deployment.
The supervisor serves what the asset's `deployment` says, and deletes the folders of those before. The deployment of an
endpoint has no address and no keys of its own: those are the endpoint's (endpoints.py).
"""

import contextlib
import os
import uuid
from pathlib import Path

from helpers.offline.engine import assets
from helpers.offline.engine.services import access, records, staging
from helpers.offline.engine.workspace.errors import AlreadyExists, NotAllowed, NotFound
from helpers.offline.engine.workspace.leftovers import making_folder, removed_if_refused

TYPES = ("ACI", "AKS", "Local", records.ONLINE)
WANTED = ("models", "source_directory", "entry_script", "environment")  # what a deployment is made of
WANTED += ("auth_enabled", "tags", "properties", "description", "settings")


def deploy(
    folder: Path,
    type: str,
    name: str,
    wanted: dict,
    *,
    port: int = 0,
    keys: tuple[str | None, str | None] = (None, None),
    overwrite: bool = False,
) -> dict:
    """Start a service on loopback and return it at once; what can be refused is refused before anything is changed.

    `wanted` has models (their ids), source_directory (None where the entry script stands alone), entry_script,
    environment (serialised), auth_enabled, tags, properties, description and settings (kept as they are).
    The directory, and a script that stands alone, are absolute paths.
    Raises AlreadyExists, NotFound for a model or file that is not there, and Invalid for a port that is taken.
    """
    if not overwrite:
        _refuse_existing(folder, type, name)
    id = uuid.uuid4().hex
    place = records.service_folder(folder, id)
    with contextlib.ExitStack() as stack:
        stack.enter_context(making_folder(place, 0o700))
        stack.callback(records.remove_unless_kept, folder, type, name, id)
        staging.stage(folder, place / "1", wanted)
        body = {**wanted, "environment": staging.with_server(wanted["environment"]), "id": id, **records.begun()}
        listener = None
        if type != records.ONLINE:
            listener = stack.enter_context(contextlib.closing(records.listen(port)))
            access.write(place, access.new(bool(wanted["auth_enabled"]), *keys))
            body["port"] = listener.getsockname()[1]
        if overwrite:
            with contextlib.suppress(NotFound):
                records.delete(folder, type, name)
        lock = records.take_lock(folder, id)
        stack.callback(os.close, lock)

        def choose(latest: assets.Asset | None) -> dict:
            _refuse_existing(folder, type, name, latest)
            return body

        assets.add_if(folder, records.KINDS[type], name, choose)
        records.start("supervisor", folder, type, name, id, listener, lock)
    return records.get(folder, type, name)


def redeploy(folder: Path, type: str, name: str, changes: dict, port: int = 0) -> dict:
    """Deploy anew, at the same address and with the same keys; `changes` replaces what deploy() was given.

    The service goes on as it was until the new deployment answers; where that fails, it stays as it was. Another
    `port` makes another service of it. A deployment that is not there yet is given up for this one.
    Raises NotFound, Invalid for a port that is taken, and NotAllowed where somebody else's was begun meanwhile.
    """
    service = records.get(folder, type, name)
    place = records.service_folder(folder, service["id"])
    wanted = {key: service[key] for key in WANTED} | changes
    if port not in (0, service.get("port")):
        return deploy(folder, type, name, wanted, port=port, keys=keys(folder, type, name), overwrite=True)
    # Beyond what a deployment that was killed may have left there, too.
    number = 1 + max([service["deployment"], *(int(entry.name) for entry in place.glob("[0-9]*"))])
    staged = place / str(number)
    staging.stage(folder, staged, wanted)
    changes = {**wanted, "environment": staging.with_server(wanted["environment"]), **records.begun(number)}

    def choose(body: dict) -> dict:
        given_up = lock is None and body["state"] not in records.SERVED
        if body["deployment"] >= number or given_up:
            raise NotAllowed(records.AT_WORK)
        return changes

    with contextlib.ExitStack() as stack:
        listener = None
        with removed_if_refused(staged):
            lock = records.lock_unless_served(folder, type, name, service["id"])
            if lock is not None:
                stack.callback(os.close, lock)
                if type != records.ONLINE:
                    listener = stack.enter_context(contextlib.closing(records.listen(service["port"])))
            asked = records.change_by(folder, type, name, service["id"], choose)
        if lock is not None:  # else its supervisor lives, and sees the change
            records.start("supervisor", folder, type, name, service["id"], listener, lock)
    return asked


def update(folder: Path, type: str, name: str, *, auth_enabled: bool | None = None, **changes) -> dict:
    """Change tags, properties, description and whether a key is asked for, at once. Raises NotFound."""
    service = records.get(folder, type, name)
    if auth_enabled is not None:
        place = records.service_folder(folder, service["id"])
        access.write(place, access.read(place) | {"auth_enabled": auth_enabled})
        changes["auth_enabled"] = auth_enabled
    return records.change(folder, type, name, service["id"], **changes)


def using(folder: Path, model_id: str) -> list[str]:
    """The names of the services that have a model. A local one is none of the workspace's, and is not among them."""
    return [
        asset.name
        for type in TYPES
        if type != "Local"
        for asset in assets.list_latest(folder, records.KINDS[type])
        if model_id in asset.body["models"]
    ]


def keys(folder: Path, type: str, name: str) -> tuple[str, str]:
    """The primary and the secondary key of a service or an endpoint. Raises NotFound."""
    known = access.read(records.service_folder(folder, records.get(folder, type, name)["id"]))
    return known["primary"], known["secondary"]


def set_key(folder: Path, type: str, name: str, which: str, value: str | None = None) -> None:
    """Replace the "primary" or "secondary" key, by a new one where no value is given; the old one ends at once."""
    access.replace_key(records.service_folder(folder, records.get(folder, type, name)["id"]), which, value)


def _refuse_existing(folder: Path, type: str, name: str, latest: assets.Asset | None = None) -> None:
    if latest or name in records.names(folder, type):
        raise AlreadyExists(
            f"Service {name} with the same name already exists, please use a different service name or delete the "
            "existing service. overwrite=True replaces it."
        )
