"""MLflow's page on the offline workspace, on this machine only: `make studio`.

`make studio PORT=5001` serves it on another port than the one that run.get_portal_url() points to.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there

from helpers.offline.engine.history import experiments, mlflow_store, runs
from helpers.offline.engine.history.studio import HOST, PORT, page_of
from helpers.offline.engine.workspace import folder, telemetry
from helpers.offline.engine.workspace.errors import FolderError


def main() -> int:
    port = sys.argv[1] if len(sys.argv) > 1 else str(PORT)
    if not (port.isdecimal() and 1 <= int(port) <= 65535):
        print(f"{port!r} is no port: give a number from 1 to 65535.", file=sys.stderr)
        return 1
    if is_taken(int(port)):
        another = max(int(port) % 65535 + 1, 1024)  # those below are root's
        print(
            f"Port {port} is in use, perhaps by another `make studio`. Give another: make studio PORT={another}",
            file=sys.stderr,
        )
        return 1
    try:
        workspace = folder.open_folder()
        mlflow_store.make(workspace)  # makes the store in a new workspace
    except FolderError as error:
        print(error, file=sys.stderr)
        return 1
    address = f"http://{HOST}:{port}"
    lines = [f"Runs, curves, images and models of {workspace}: {address} (Ctrl-C ends it)"]
    print("\n".join([*lines, *pages(workspace, address)]), flush=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--host", HOST, "--port", port, "--workers", "1"]
    uri = mlflow_store.tracking_uri(workspace)
    store = ["--backend-store-uri", uri, "--registry-store-uri", uri]
    artifacts = ["--default-artifact-root", (workspace / "artifacts").as_uri()]
    environment = os.environ | {
        **telemetry.OFF,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight processes for evaluations that nobody starts here
        "PYTHONWARNINGS": "ignore",
    }
    return served([*command, *store, *artifacts, "--uvicorn-opts", "--log-level warning"], environment)


def pages(workspace: Path, address: str) -> list[str]:
    """A line for each experiment that has runs: its name, and where they are shown."""
    found = [each for each in experiments.list_all(workspace) if runs.list_ids(workspace, each.id)]
    lines = [f"  {each.name}: {page_of(each.id, address=f'{address}/#')}" for each in found if not each.archived]
    return [*lines, "Elsewhere on the page, choose Model training at its top: until then it shows GenAI and no runs."]


def is_taken(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just given up is free
        try:
            listener.bind((HOST, port))
        except OSError:
            return True
    return False


def served(command: list[str], environment: dict[str, str]) -> int:
    """Run the server until it or this process is ended; its exit code, or 0.

    It is told to end by SIGTERM: at Ctrl-C it would print a traceback of its own.
    """
    endings = (signal.SIGTERM, signal.SIGHUP)

    def end(*_) -> None:
        for ending in endings:  # make passes on the signal that its whole group gets: it may come twice
            signal.signal(ending, signal.SIG_IGN)
        sys.exit()

    for ending in endings:
        signal.signal(ending, end)
    server = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
