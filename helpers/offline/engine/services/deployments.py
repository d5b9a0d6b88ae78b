"""Web services: registered models behind an entry script, each served by a detached process of its own.

A service is an asset of one version, whose kind tells what it stands for ("ACI" or "Local"), and a folder
`services/<id>`: the lock of its supervisor, the keys, the log, and a numbered folder for each deployment, laid out as
Azure lays out its container. The supervisor serves what the asset's `deployment` says, and ends when the asset is gone.
"""

import contextlib
import copy
import json
import os
import secrets
import shutil
import socket
import time
import uuid
from pathlib import Path

from helpers.offline.engine import assets, environments, processes
from helpers.offline.engine.assets import models
from helpers.offline.engine.history import job_states
from helpers.offline.engine.history import logs as log_files
from helpers.offline.engine.processes import detached, machine
from helpers.offline.engine.services import front
from helpers.offline.engine.workspace.errors import AlreadyExists, Invalid, NotFound
from helpers.offline.engine.workspace.names import safe_join

TYPES = ("ACI", "Local")
WANTED = ("models", "source_directory", "entry_script", "environment")  # what a deployment is made of
WANTED += ("auth_enabled", "tags", "properties", "description", "settings")
ID_VARIABLE = "AZUREML_OFFLINE_SERVICE"  # marks the processes of a service
SERVED = ("Transitioning", "Healthy", "Unhealthy")  # the states in which a supervisor has to live
APP_ROOT = "azureml-app"  # /var/azureml-app in Azure's container
MODELS = "azureml-models"  # in it
SERVERS = ("azureml-defaults", environments.SERVER)  # each brings the scoring server
PATIENCE = 10.0  # seconds that a supervisor has to end its service
LOST = (
    "The process that ran the service ended before the service was deleted: it was killed, or the machine was "
    "restarted. Deploy it again with overwrite=True, or delete it."
)


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
    place = service_folder(folder, id)
    with contextlib.ExitStack() as stack:
        stack.callback(_remove_unless_kept, folder, type, name, id)
        _stage(folder, place / "1", wanted)
        listener = stack.enter_context(contextlib.closing(_listen(port)))
        access = {"auth_enabled": bool(wanted["auth_enabled"]), **_new_keys(*keys)}
        _write_access(place, access)
        body = {
            **wanted,
            "environment": _with_server(wanted["environment"]),
            "id": id,
            "port": listener.getsockname()[1],
            **_begun(1),
        }
        if overwrite:
            with contextlib.suppress(NotFound):
                delete(folder, type, name)
        lock = detached.take_lock(place / "supervisor.lock")
        stack.callback(os.close, lock)

        def choose(latest: assets.Asset | None) -> dict:
            _refuse_existing(folder, type, name, latest)
            return body

        assets.add_if(folder, _kind(type), name, choose)
        _start(folder, type, name, id, listener, lock)
    return get(folder, type, name)


def redeploy(folder: Path, type: str, name: str, changes: dict, port: int = 0) -> dict:
    """Deploy anew, at the same address and with the same keys; `changes` replaces what deploy() was given.

    The service goes on as it was until the new deployment answers; where that fails, it stays as it was. Another
    `port` makes another service of it. Raises NotFound, and Invalid for a port that is taken.
    """
    service = get(folder, type, name)
    place = service_folder(folder, service["id"])
    wanted = {key: service[key] for key in WANTED} | changes
    if port not in (0, service["port"]):
        return deploy(folder, type, name, wanted, port=port, keys=keys(folder, type, name), overwrite=True)
    number = service["deployment"] + 1
    _stage(folder, place / str(number), wanted)
    changes = {**wanted, "environment": _with_server(wanted["environment"]), **_begun(number)}
    lock = detached.take_lock(place / "supervisor.lock")
    if lock is None:  # its supervisor lives, and sees the change
        return change(folder, type, name, service["id"], **changes)
    try:
        with contextlib.closing(_listen(service["port"])) as listener:
            change(folder, type, name, service["id"], **changes)
            _start(folder, type, name, service["id"], listener, lock)
    finally:
        os.close(lock)
    return get(folder, type, name)


def update(folder: Path, type: str, name: str, *, auth_enabled: bool | None = None, **changes) -> dict:
    """Change tags, properties, description and whether a key is asked for, at once. Raises NotFound."""
    service = get(folder, type, name)
    if auth_enabled is not None:
        place = service_folder(folder, service["id"])
        _write_access(place, _access(place) | {"auth_enabled": auth_enabled})
        changes["auth_enabled"] = auth_enabled
    return change(folder, type, name, service["id"], **changes)


def get(folder: Path, type: str, name: str) -> dict:
    """The service, with its name, type, created and modified. Raises NotFound.

    One whose supervisor died is brought to its end here: Failed, and why.
    """
    service = _service(assets.get(folder, _kind(type), name))
    if service["state"] not in SERVED:
        return service
    lock = detached.take_lock(service_folder(folder, service["id"]) / "supervisor.lock")
    if lock is None:
        return service
    try:
        service = _service(assets.get(folder, _kind(type), name))  # it may have ended between the two
        if service["state"] in SERVED:
            end_processes(service["id"])
            fail(folder, type, name, service["id"], "ServiceLost", LOST)
    finally:
        os.close(lock)
    return _service(assets.get(folder, _kind(type), name))


def list_all(folder: Path, type: str) -> list[dict]:
    """The services of a type, by name."""
    return [get(folder, type, asset.name) for asset in assets.list_latest(folder, _kind(type))]


def using(folder: Path, model_id: str) -> list[str]:
    """The names of the services, of any type, that have a model."""
    return [
        asset.name
        for type in TYPES
        for asset in assets.list_latest(folder, _kind(type))
        if model_id in asset.body["models"]
    ]


def keys(folder: Path, type: str, name: str) -> tuple[str, str]:
    """The primary and the secondary key. Raises NotFound."""
    access = _access(service_folder(folder, get(folder, type, name)["id"]))
    return access["primary"], access["secondary"]


def set_key(folder: Path, type: str, name: str, which: str, value: str | None = None) -> None:
    """Replace the "primary" or "secondary" key, by a new one where no value is given; the old one ends at once."""
    place = service_folder(folder, get(folder, type, name)["id"])
    _write_access(place, _access(place) | {which: value or _new_key()})


def logs(folder: Path, type: str, name: str, lines: int) -> str:
    """The last lines of what the service has logged since it was deployed, or all if below 0. Raises NotFound."""
    path = log_path(folder, get(folder, type, name)["id"])
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    whole = text.splitlines(keepends=True)
    return "".join(whole if lines < 0 else whole[max(0, len(whole) - lines) :])


def delete(folder: Path, type: str, name: str) -> None:
    """End the service and delete its files; when this returns, nothing of it runs. Raises NotFound."""
    id = assets.get(folder, _kind(type), name).body["id"]
    assets.remove(folder, _kind(type), name)
    _end(folder, id)


def end_all(folder: Path) -> None:
    """Delete every service."""
    for type in TYPES:
        for asset in assets.list_latest(folder, _kind(type)):
            with contextlib.suppress(NotFound):
                delete(folder, type, asset.name)


def service_folder(folder: Path, id: str) -> Path:
    return folder / "services" / id


def log_path(folder: Path, id: str) -> Path:
    return service_folder(folder, id) / "log.txt"


def change(folder: Path, type: str, name: str, id: str, **changes) -> dict:
    """Change the service with this id. Raises NotFound where it is gone, or another one has its name."""

    def apply(body: dict) -> dict:
        if body["id"] != id:
            raise NotFound(f"The service {name!r} was replaced by another one.")
        return body | changes

    return _service(assets.update(folder, _kind(type), name, 1, apply))


def fail(folder: Path, type: str, name: str, id: str, code: str, message: str, state: str = "Failed") -> None:
    """The operation under way has failed; the service is Failed, or in whatever state it is nevertheless."""
    error = {"code": code, "statusCode": 400, "message": message}
    log_files.append(log_path(folder, id), message)
    operation = _service(assets.get(folder, _kind(type), name))["operation"]
    change(folder, type, name, id, state=state, error=error, operation=operation | {"state": "Failed", "error": error})


def succeed(folder: Path, type: str, name: str, id: str) -> None:
    """The operation under way is done, and the service answers."""
    operation = _service(assets.get(folder, _kind(type), name))["operation"]
    change(folder, type, name, id, state="Healthy", error=None, operation=operation | {"state": "Succeeded"})


def end_processes(id: str) -> None:
    """Kill what is left of a service's processes, and of the building of its environment."""
    processes.end_marked(ID_VARIABLE, id)
    processes.end_marked(job_states.RUN_ID_VARIABLE, id)


def _kind(type: str) -> str:
    return f"{type} service"


def _service(asset: assets.Asset) -> dict:
    return {
        **asset.body,
        "name": asset.name,
        "type": asset.kind.removesuffix(" service"),
        "created": asset.created,
        "modified": asset.modified,
    }


def _begun(deployment: int) -> dict:
    operation = {"id": str(uuid.uuid4()), "state": "Running", "error": None}
    return {"deployment": deployment, "state": "Transitioning", "error": None, "operation": operation}


def _refuse_existing(folder: Path, type: str, name: str, latest: assets.Asset | None = None) -> None:
    if latest or any(asset.name == name for asset in assets.list_latest(folder, _kind(type))):
        raise AlreadyExists(
            f"Service {name} with the same name already exists, please use a different service name or delete the "
            "existing service. overwrite=True replaces it."
        )


def _listen(port: int) -> socket.socket:
    try:
        return front.listen(port)
    except OSError as error:
        raise Invalid(
            f"the port you are attempting to use is already in use: {port} ({error.strerror}). Give another one, or "
            "none for one that is free."
        ) from error


def _stage(folder: Path, place: Path, wanted: dict) -> None:
    """Lay out models and scripts below `place` as in Azure's container. Raises NotFound and Invalid."""
    machine.check(wanted["environment"].get("environmentVariables"))
    records = [models.get(folder, *_name_and_version(id)) for id in wanted["models"]]
    source, script = wanted["source_directory"], wanted["entry_script"]
    script_path = safe_join(Path(source), script) if source else Path(script)
    if not script_path.is_file():
        raise NotFound(f"The entry script {script_path} does not exist.")
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = place / APP_ROOT
    try:
        root.mkdir(parents=True)
        if source:
            shutil.copytree(source, root / Path(source).name, ignore=lambda *seen: _left_out(folder, *seen))
        else:
            shutil.copy(script_path, root / script_path.name)
        (root / MODELS).mkdir()
        for record in records:
            shutil.copytree(record.path, root / MODELS / record.name / str(record.version))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _left_out(folder: Path, parent: str, names: list[str]) -> set[str]:
    """What is not copied of a source directory: caches, and the workspace itself, which may lie in it."""
    return {name for name in names if name == "__pycache__" or Path(parent, name).resolve() == folder}


def _name_and_version(id: str) -> tuple[str, int]:
    name, _, version = id.rpartition(":")
    return name, int(version)


def _with_server(environment: dict) -> dict:
    """The environment with the scoring server among its packages, which azureml-defaults stands for."""
    changed = copy.deepcopy(environment)
    for dependency in ((changed.get("python") or {}).get("condaDependencies") or {}).get("dependencies") or []:
        if isinstance(dependency, dict) and "pip" in dependency:
            asked = {environments.package_name(line) for line in dependency["pip"]}
            if "azureml-defaults" in asked and environments.SERVER not in asked:
                dependency["pip"].append(environments.SERVER)
    return changed


def _start(folder: Path, type: str, name: str, id: str, listener: socket.socket, lock: int) -> None:
    detached.start(
        "helpers.offline.engine.services.supervisor",
        (folder, type, name, id, listener.fileno()),
        lock,
        service_folder(folder, id) / "supervisor.log",
        variables={ID_VARIABLE: id},
        pass_on=[listener.fileno()],
    )


def _end(folder: Path, id: str) -> None:
    """Wait for the supervisor of a service that is gone to end, and help it along; delete the service's folder."""
    place = service_folder(folder, id)
    deadline = time.monotonic() + PATIENCE
    while (lock := detached.take_lock(place / "supervisor.lock")) is None and time.monotonic() < deadline:
        time.sleep(processes.TICK)
    if lock is not None:
        os.close(lock)
    end_processes(id)
    shutil.rmtree(place, ignore_errors=True)


def _remove_unless_kept(folder: Path, type: str, name: str, id: str) -> None:
    """Delete the folder of a service that was not made after all."""
    kept = [asset.body["id"] for asset in assets.list_latest(folder, _kind(type)) if asset.name == name]
    if id not in kept:
        shutil.rmtree(service_folder(folder, id), ignore_errors=True)


def _new_keys(primary: str | None, secondary: str | None) -> dict[str, str]:
    return {"primary": primary or _new_key(), "secondary": secondary or _new_key()}


def _new_key() -> str:
    return secrets.token_urlsafe(24)


def access_path(place: Path) -> Path:
    return place / "access.json"


def _access(place: Path) -> dict:
    return json.loads(access_path(place).read_text())


def _write_access(place: Path, access: dict) -> None:
    """Write who is let in, for the owner's eyes only; whoever reads meanwhile sees the old or the new."""
    partial = place / f"access.{uuid.uuid4().hex}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(access, file)
    partial.replace(access_path(place))
