"""The process that runs one service.

`python -m helpers.offline.engine.services.supervisor FOLDER TYPE NAME ID FD LOCK`

It is detached from whoever deployed the service, holds the service's lock while it lives, and answers on the listening
socket FD. It ends when the service is deleted, or cannot be served.
"""

import contextlib
import re
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path

from helpers.offline.engine import assets, environments, jobs, processes
from helpers.offline.engine.environments import virtual_environments
from helpers.offline.engine.jobs.supervisor import SDK
from helpers.offline.engine.processes import detached, machine, run_python
from helpers.offline.engine.services import deployments
from helpers.offline.engine.services.front import Front
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace.errors import EngineError, Invalid, NotFound

SERVER = Path(__file__).with_name("scoring_server.py")
SOCKET = "server.sock"
START_LIMIT = 1200.0  # seconds until a service has to answer, as on Azure
# What makes Microsoft's server call elsewhere, or listen elsewhere; a service's environment may not set it either.
SWITCHED_OFF = ("AML_APP_INSIGHTS_KEY", "AML_CORS_ORIGINS", "AZUREML_CONFIG_FILE", "AZUREML_DEBUG_PORT")
SWITCHED_OFF += ("AZUREML_LOG_LEVEL", "GUNICORN_CMD_ARGS", "HTTP_X_MS_SERVER_VERSION", "SEPERATE_HEALTH_ENDPOINT")


class Gone(Exception):
    """The service was deleted, or replaced by another one of its name."""


class Supervisor:
    """One service: its name in the workspace, its door, and the scoring server behind it."""

    def __init__(self, folder: Path, type: str, name: str, id: str, listener: socket.socket):
        self.folder, self.type, self.name, self.id = folder, type, name, id
        self.place = deployments.service_folder(folder, id)
        self.log = deployments.log_path(folder, id)
        self.front = Front(listener, deployments.access_path(self.place))
        self.server: subprocess.Popen | None = None

    def run(self) -> None:
        """Serve what the workspace says until the service is gone or fails."""
        served = 0
        processes.adopt_orphans()
        try:
            while True:
                service = self.look()
                if service["deployment"] != served:
                    served = service["deployment"]
                    self.replace(service)
                elif self.server.poll() is not None:
                    raise Invalid(f"The scoring server has ended with status code {self.server.returncode}.")
                time.sleep(processes.LOOK)
        except Gone:
            pass
        except Exception as error:
            if not isinstance(error, EngineError):
                traceback.print_exc()
            self.fail("ServiceFailed", str(error))
        finally:
            self.front.stop()
            self.end_server()
            processes.end_children(spared=detached.is_one)

    def look(self) -> dict:
        try:
            service = assets.get(self.folder, f"{self.type} service", self.name).body
        except NotFound:
            raise Gone from None
        if service["id"] != self.id:
            raise Gone
        return service

    def replace(self, service: dict) -> None:
        """Start the deployment that is wanted, and end the one that served until now once it answers."""
        place = Path(str(service["deployment"]))
        try:
            python = self.prepare(service)
            began = self.log.stat().st_size
            server = self.start(python, place.absolute(), service)
            self.wait_until_healthy(server, place, began)
        except EngineError as refused:
            if self.server is None:
                raise
            self.fail("DeploymentFailed", f"{refused} The service goes on as it was.", state="Healthy")
            return
        self.end_server()
        self.server, self.front.server = server, str(place / SOCKET)
        deployments.succeed(self.folder, self.type, self.name, self.id)

    def prepare(self, service: dict) -> Path:
        """The interpreter of the service's environment. Raises NotFound where it cannot be had."""
        environment = service["environment"]
        wanted = {"environment": environment, "environment_variables": environment.get("environmentVariables")}
        try:
            python = virtual_environments.prepare(self.folder, self.id, wanted, self.log, self.look, jobs.look)
            if not environments.is_managed_by_user(environment) and not environments.asks_for(
                environment, deployments.SERVERS
            ):
                raise NotFound(
                    f"it has neither {' nor '.join(deployments.SERVERS)}, so that nothing would serve the entry "
                    "script. Add azureml-defaults to its pip packages."
                )
        except EngineError as refused:
            name = environment.get("name")
            raise NotFound(f"Image build failed. The environment {name!r} cannot be had: {refused}") from refused
        return python

    def start(self, python: Path, place: Path, service: dict) -> subprocess.Popen:
        own = self.own_variables(place / deployments.APP_ROOT, service)
        program = run_python.make(place / "python", python, [SDK], own)
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(program), str(SERVER), f"../{SOCKET}"],
                cwd=place / deployments.APP_ROOT,
                env=self.environment_of(service, own, [program.parent, python.parent]),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def own_variables(self, root: Path, service: dict) -> dict[str, str]:
        """The environment variables by which an entry script knows its models and its service."""
        models, script = service["models"], Path(service["entry_script"])
        source = service["source_directory"] and Path(service["source_directory"]).name
        model_folder = root / deployments.MODELS
        if len(models) == 1:  # the model's own folder; of several models the folder that has them all
            model_folder /= models[0].replace(":", "/")
        return {
            "AML_APP_ROOT": str(root),
            "AZUREML_MODEL_DIR": str(model_folder),
            "AZUREML_ENTRY_SCRIPT": f"{source}/{script}" if source else script.name,
            **({"AZUREML_SOURCE_DIRECTORY": source} if source else {}),
            "AML_APP_INSIGHTS_ENABLED": "false",
            "SERVICE_NAME": self.name,
            "WORKSPACE_NAME": "offline",
            deployments.ID_VARIABLE: self.id,
            folders.VARIABLE: str(self.folder),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
        }

    def environment_of(self, service: dict, own: dict[str, str], programs: list[Path]) -> dict[str, str]:
        """All environment variables of the entry script, but for those that would have the server call elsewhere."""
        asked = service["environment"].get("environmentVariables")
        variables = machine.script_variables(asked, own, programs)
        return {name: value for name, value in variables.items() if name not in SWITCHED_OFF}

    def wait_until_healthy(self, server: subprocess.Popen, place: Path, began: int) -> None:
        """Wait until the server answers. Raises Invalid, with the script's error, where it ends before that."""
        deadline = time.monotonic() + START_LIMIT
        try:
            while not is_healthy(str(place / SOCKET)):
                self.look()
                if server.poll() is not None:
                    cause = first_exception(self.log, began) or f"It ended with status code {server.returncode}."
                    raise Invalid(
                        "Your container application crashed. This may be caused by errors in your scoring file's "
                        f"init() function: {cause}"
                    )
                if time.monotonic() > deadline:
                    raise Invalid(f"The service did not answer within {START_LIMIT:.0f} seconds.")
                time.sleep(processes.TICK)
        except BaseException:
            processes.end_groups([server])
            raise

    def fail(self, code: str, message: str, state: str = "Failed") -> None:
        with contextlib.suppress(NotFound):  # gone meanwhile
            deployments.fail(self.folder, self.type, self.name, self.id, code, message, state)

    def end_server(self) -> None:
        if self.server is not None:
            processes.end_groups([self.server])


def is_healthy(path: str) -> bool:
    """Whether the server behind a Unix socket answers its health probe."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(1)
        try:
            connection.connect(path)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(100)
        except OSError:
            return False


def first_exception(log: Path, start: int) -> str | None:
    """The line that ends the first traceback in the log since `start`: the script's own, which others follow from."""
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace")
    _, found, traceback_lines = text.partition("Traceback (most recent call last):\n")
    ends = re.search(r"^\S.*", traceback_lines, re.MULTILINE) if found else None
    return ends[0][:1000] if ends else None


def main() -> None:
    folder, type, name, id, descriptor, lock = sys.argv[1:]
    detached.keep_lock(lock)
    listener = socket.socket(fileno=int(descriptor))
    listener.set_inheritable(False)
    Supervisor(Path(folder), type, name, id, listener).run()


if __name__ == "__main__":
    main()
