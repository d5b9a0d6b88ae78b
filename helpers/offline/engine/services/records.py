"""What the workspace keeps of services and endpoints, and the end of what runs for one.

Each is an asset of one version. Its body has an `id`, which names the folder `services/<id>` and marks its processes,
its `state`, and the `operation` that was asked for last; a process that holds the lock in the folder serves it, and
ends when the asset is gone.
"""

import os
import shutil
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from helpers.offline.engine import assets, processes
from helpers.offline.engine.history import job_states
from helpers.offline.engine.history import logs as log_files
from helpers.offline.engine.processes import detached
from helpers.offline.engine.workspace.errors import Invalid, NotAllowed, NotFound
from helpers.offline.engine.workspace.leftovers import SUPERVISOR_LOCK

ONLINE, ENDPOINT = "Online", "Endpoint"  # a deployment of an endpoint, by "endpoint/deployment"; and the endpoint
KINDS = {"ACI": "ACI service", "AKS": "AKS service", "Local": "Local service"}
KINDS |= {ONLINE: "online deployment", ENDPOINT: "online endpoint"}
HOST = "127.0.0.1"  # where all that is served here is asked for
ID_VARIABLE = "AZUREML_OFFLINE_SERVICE"  # marks the processes of a service
SERVED = ("Transitioning", "Healthy", "Unhealthy")  # the states in which a process has to live
PATIENCE = 10.0  # seconds that this process has to end what it serves
LOST = (
    "The process that ran the service ended before the service was deleted: it was killed, or the machine was "
    "restarted. Deploy it again in its place, or delete it."
)
AT_WORK = "The service is being deployed by somebody else at this moment: try again later."


class Superseded(Exception):
    """Another deployment is wanted by now."""


def get(folder: Path, type: str, name: str) -> dict:
    """The service, with its name, type, created and modified. Raises NotFound.

    One whose process died is brought to its end here: Failed, and why.
    """
    service = _described(folder, type, name)
    if service["state"] not in SERVED:
        return service
    lock = take_lock(folder, service["id"])
    if lock is None:
        return service
    try:
        service = _described(folder, type, name)  # it may have ended between the two
        if service["state"] in SERVED:
            end_processes(service["id"])
            with suppress(Superseded):  # then the next look finds that one lost
                fail(folder, type, name, service["id"], service["deployment"], "ServiceLost", LOST)
    finally:
        os.close(lock)
    return _described(folder, type, name)


def names(folder: Path, type: str, beginning: str = "") -> list[str]:
    """The names of the services of a type, or of those whose name begins so, in order."""
    return [asset.name for asset in assets.list_latest(folder, KINDS[type], beginning)]


def list_all(folder: Path, type: str, beginning: str = "") -> list[dict]:
    """The services of a type, or those whose name begins so, by name."""
    found = []
    for name in names(folder, type, beginning):
        with suppress(NotFound):  # deleted meanwhile
            found.append(get(folder, type, name))
    return found


def logs(folder: Path, type: str, name: str, lines: int) -> str:
    """The last lines of what the service has logged since it was deployed, or all if below 0. Raises NotFound."""
    path = log_path(folder, get(folder, type, name)["id"])
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    whole = text.splitlines(keepends=True)
    return "".join(whole if lines < 0 else whole[max(0, len(whole) - lines) :])


def body_of(folder: Path, type: str, name: str, id: str) -> dict:
    """What is kept of the service with this id. Raises NotFound where it is gone, or another one has its name."""
    return _with_id(assets.get(folder, KINDS[type], name).body, type, name, id)


def change(folder: Path, type: str, name: str, id: str, **changes) -> dict:
    """Change the service with this id. Raises NotFound as body_of() does."""
    return change_by(folder, type, name, id, lambda body: changes)


def change_by(folder: Path, type: str, name: str, id: str, choose: Callable[[dict], dict]) -> dict:
    """Change the service by what `choose` says to its body, in one transaction. Raises NotFound as body_of() does."""

    def apply(body: dict) -> dict:
        return _with_id(body, type, name, id) | choose(body)

    return _as_service(type, assets.update(folder, KINDS[type], name, 1, apply))


def begun(deployment: int = 1) -> dict:
    """What is kept of an operation that has begun, of the deployment with this number."""
    operation = {"id": str(uuid.uuid4()), "state": "Running", "error": None}
    return {"deployment": deployment, "state": "Transitioning", "error": None, "operation": operation}


def fail(
    folder: Path, type: str, name: str, id: str, deployment: int, code: str, message: str, state: str = "Failed"
) -> None:
    """The operation that asked for a deployment has failed; the service is Failed, or in another state nevertheless.

    Raises NotFound and Superseded, as tell() does.
    """
    error = {"code": code, "statusCode": 400, "message": message}
    log_files.append(log_path(folder, id), message)
    tell(folder, type, name, id, deployment, state, error, "Failed")


def succeed(folder: Path, type: str, name: str, id: str, deployment: int) -> None:
    """The operation that asked for a deployment is done, and the service answers. Raises as tell() does."""
    tell(folder, type, name, id, deployment, "Healthy", operation="Succeeded")


def tell(
    folder: Path,
    type: str,
    name: str,
    id: str,
    deployment: int,
    state: str,
    error: dict | None = None,
    operation: str | None = None,
) -> None:
    """What has become of a deployment: the service's state, and that of the operation if it is over.

    Raises NotFound as body_of() does, and Superseded where another deployment is wanted: then nothing is changed.
    """

    def choose(body: dict) -> dict:
        if body["deployment"] != deployment:
            raise Superseded
        over = {"operation": body["operation"] | {"state": operation, "error": error}} if operation else {}
        return {"state": state, "error": error, **over}

    change_by(folder, type, name, id, choose)


def delete(folder: Path, type: str, name: str) -> None:
    """End the service and delete its files; when this returns, nothing of it runs. Raises NotFound."""
    end(folder, forget(folder, type, name))


def forget(folder: Path, type: str, name: str) -> str:
    """Remove the service from the workspace, which its process sees and ends; the service's id. Raises NotFound."""
    id = assets.get(folder, KINDS[type], name).body["id"]
    assets.remove(folder, KINDS[type], name)
    return id


def end(folder: Path, id: str) -> None:
    """Wait for the process of a service that is forgotten to end, and help it along; delete the service's folder."""
    lock = wait_for_lock(folder, id)
    if lock is not None:
        os.close(lock)
    end_processes(id)
    shutil.rmtree(service_folder(folder, id), ignore_errors=True)


def remove_unless_kept(folder: Path, type: str, name: str, id: str) -> None:
    """Delete the folder of a service that was not made after all."""
    kept = [asset.body["id"] for asset in assets.list_latest(folder, KINDS[type]) if asset.name == name]
    if id not in kept:
        shutil.rmtree(service_folder(folder, id), ignore_errors=True)


def end_processes(id: str) -> None:
    """Kill what is left of a service's processes, and of the building of its environment."""
    for variable in (ID_VARIABLE, job_states.RUN_ID_VARIABLE):
        processes.end_marked({variable: id})


def start(module: str, folder: Path, type: str, name: str, id: str, listener: socket.socket | None, lock: int) -> None:
    """Start the process that serves it, which answers on the listener where there is one, and holds the lock."""
    descriptors = [listener.fileno()] if listener else []
    detached.start(
        f"helpers.offline.engine.services.{module}",
        (folder, type, name, id, *(descriptors or ["-"])),
        lock,
        service_folder(folder, id) / "supervisor.log",
        variables={ID_VARIABLE: id},
        pass_on=descriptors,
    )


def started(arguments: list[str]) -> tuple[Path, str, str, str, socket.socket | None]:
    """In the process that was started, by its arguments: what start() was given, but for the lock, which it keeps."""
    folder, type, name, id, descriptor, lock = arguments
    detached.keep_lock(lock)
    listener = None if descriptor == "-" else socket.socket(fileno=int(descriptor))
    if listener:
        listener.set_inheritable(False)
    return Path(folder), type, name, id, listener


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; 0 is any port that is free. Raises Invalid for one that is taken, or is none."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1024)
    except (OverflowError, TypeError) as error:
        listener.close()
        raise Invalid(f"{port!r} is no port: give a number of up to 65535, or none for one that is free.") from error
    except OSError as error:
        listener.close()
        raise Invalid(
            f"the port you are attempting to use is already in use: {port} ({error.strerror}). Give another one, or "
            "none for one that is free."
        ) from error
    return listener


def take_lock(folder: Path, id: str) -> int | None:
    """The lock of the process that serves it, as detached has it; None while the process lives."""
    return detached.take_lock(service_folder(folder, id) / SUPERVISOR_LOCK)


def wait_for_lock(folder: Path, id: str) -> int | None:
    """The lock, once the process that ends by itself has ended; None where it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while (lock := take_lock(folder, id)) is None and time.monotonic() < deadline:
        time.sleep(processes.TICK)
    return lock


def lock_unless_served(folder: Path, type: str, name: str, id: str) -> int | None:
    """The lock of a service that no process serves, or that one has given up; None while one serves it.

    Raises NotAllowed where the process that has given it up does not end in time, and NotFound.
    """
    lock = take_lock(folder, id)
    if lock is None and _described(folder, type, name)["state"] not in SERVED:
        lock = wait_for_lock(folder, id)
        if lock is None:
            raise NotAllowed(AT_WORK)
    return lock


def service_folder(folder: Path, id: str) -> Path:
    return folder / "services" / id


def log_path(folder: Path, id: str) -> Path:
    return service_folder(folder, id) / "log.txt"


def _described(folder: Path, type: str, name: str) -> dict:
    return _as_service(type, assets.get(folder, KINDS[type], name))


def _with_id(body: dict, type: str, name: str, id: str) -> dict:
    if body["id"] != id:
        raise NotFound(f"The {KINDS[type]} {name!r} was replaced by another one.")
    return body


def _as_service(type: str, asset: assets.Asset) -> dict:
    return {**asset.body, "name": asset.name, "type": type, "created": asset.created, "modified": asset.modified}
