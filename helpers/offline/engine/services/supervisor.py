"""The process that runs one service.

`python -m helpers.offline.engine.services.supervisor FOLDER TYPE NAME ID FD LOCK`

It is detached from whoever deployed the service, holds the service's lock while it lives, and answers on the listening
socket FD ("-" behind an endpoint's door, where there is none). It ends when the service is deleted, or cannot be
served.
"""

import contextlib
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from helpers.offline.engine import environments, jobs, processes
from helpers.offline.engine.environments import virtual_environments
from helpers.offline.engine.history import logs
from helpers.offline.engine.processes import detached, in_run, machine, run_python
from helpers.offline.engine.services import front, handover, records, staging
from helpers.offline.engine.services.handover import SOCKET
from helpers.offline.engine.services.records import Superseded
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace import leftovers, outages, telemetry
from helpers.offline.engine.workspace.errors import EngineError, FolderError, Invalid, NotFound

SERVER = Path(__file__).with_name("scoring_server.py")
ERROR = "error.txt"  # the exception that ended the server
START_LIMIT = 1200.0  # seconds until a service has to answer, as on Azure
DRAIN = 5.0  # seconds that requests under way have where their server is to end: as long as a request on Azure
SERVERS = ("azureml-defaults", environments.SERVER)  # each brings the scoring server
HERE = Path()  # the service's folder, in which the supervisor works
MOST_RESTARTS = 5  # of a server that ends again and again
STEADY = 60.0  # seconds after which a server counts as one that does not
# What makes Microsoft's server call elsewhere, or listen elsewhere; a service's environment may not set it either.
SWITCHED_OFF = ("AML_APP_INSIGHTS_KEY", "AML_CORS_ORIGINS", "AZUREML_CONFIG_FILE", "AZUREML_DEBUG_PORT")
SWITCHED_OFF += ("AZUREML_LOG_LEVEL", "GUNICORN_CMD_ARGS", "HTTP_X_MS_SERVER_VERSION", "SEPERATE_HEALTH_ENDPOINT")


class Gone(Exception):
    """The service was deleted, or replaced by another one of its name."""


class Supervisor:
    """One service: its name in the workspace, its door, and the scoring server behind it."""

    def __init__(self, folder: Path, type: str, name: str, id: str, listener: socket.socket | None):
        self.folder, self.type, self.name, self.id = folder, type, name, id
        self.log = records.log_path(folder, id)
        self.reason = "The service is not ready yet."  # why no server answers
        self.front = front.Front(listener, HERE, self.respond) if listener else None
        self.deployment = 0  # the number of the one that is served, or was tried last
        self.server: subprocess.Popen | None = None
        self.command: dict | None = None  # what starts it
        self.began, self.restarts = 0.0, 0  # when it was started last, and how often in a row

    def run(self) -> None:
        """Serve what the workspace says until the service is gone or fails."""
        processes.adopt_orphans()
        try:
            while self.goes_on():
                time.sleep(processes.LOOK)
        except Gone:
            pass
        finally:
            if self.front:
                self.front.stop()
            handover.point(HERE, None)
            self.end_server()
            processes.end_children(spared=detached.is_one)

    def goes_on(self) -> bool:
        """Do what the workspace says; False where the service has failed. What is superseded does not count."""
        with contextlib.suppress(Superseded):
            try:
                self.follow()
            except (Gone, Superseded):
                raise
            except Exception as failure:
                self.fail("ServiceFailed", self.words(failure))
                return False
        return True

    def follow(self) -> None:
        """Serve the deployment that is wanted, if it is another one by now, and keep its server running."""
        service = self.look()
        if service["deployment"] != self.deployment:
            self.deployment = service["deployment"]
            try:
                self.replace(service)
            finally:
                self.tidy()
        elif self.server.poll() is not None:
            self.restart()

    async def respond(self, request: web.Request, body: bytes) -> web.Response:
        return await front.pass_on(request, body, HERE, self.reason)

    def look(self) -> dict:
        try:
            return records.body_of(self.folder, self.type, self.name, self.id)
        except NotFound:
            raise Gone from None

    def stay(self) -> None:
        """Raises Superseded where another deployment is wanted than the one that is at work, and Gone."""
        if self.look()["deployment"] != self.deployment:
            raise Superseded

    def replace(self, service: dict) -> None:
        """Start the deployment that is wanted, and end the one that served until now once it answers."""
        place = Path(str(self.deployment))
        try:
            command = self.command_of(self.prepare(service), place.absolute(), service)
            server = self.start(command)
            self.hand_over(server, place)
        except (Gone, Superseded):
            raise
        except Exception as failure:
            if self.server is None:
                raise
            self.fail("DeploymentFailed", f"{self.words(failure)} The service goes on as it was.", state="Healthy")
            return
        self.end_server()
        self.server, self.command, self.restarts = server, command, 0
        self.record(records.succeed)

    def tidy(self) -> None:
        """Delete the deployments that are over: all up to the one that was tried last, but for the one that serves.

        A later one is being made, and so may an earlier one be that will be refused.
        """
        serving = self.command and self.command["cwd"].parent.name
        for place in records.service_folder(self.folder, self.id).glob("[0-9]*"):
            if int(place.name) <= self.deployment and place.name != serving:
                leftovers.delete(place)

    def restart(self) -> None:
        """Start the server anew, as Azure does a container that ended. Raises Invalid where it ends again and again."""
        place = Path(self.command["cwd"].parent.name)  # of the deployment that serves; a later one may have failed
        why = f"The scoring server has ended: {self.ending(self.server, place)}"
        if time.monotonic() - self.began > STEADY:
            self.restarts = 0
        if self.restarts == MOST_RESTARTS:
            raise Invalid(f"{why} It was started {MOST_RESTARTS} times more, and ended each time: it is given up.")
        self.restarts += 1
        self.reason = f"{why} It is being started again."
        handover.point(HERE, None)
        logs.append(self.log, self.reason)
        self.tell("Unhealthy", {"code": "CrashLoopBackOff", "statusCode": 400, "message": why})
        processes.end_children(spared=detached.is_one)  # what the ended one has left: its workers, most of all
        self.server = self.start(self.command)
        with contextlib.suppress(Invalid):  # then it is looked at next, as one that has ended
            self.hand_over(self.server, place)
            self.tell("Healthy")

    def prepare(self, service: dict) -> Path:
        """The interpreter of the service's environment. Raises NotFound where it cannot be had, and FolderError."""
        environment = service["environment"]
        wanted = {"environment": environment, "environment_variables": environment.get("environmentVariables")}
        try:
            caller = virtual_environments.Caller(self.folder, self.id, self.log, look=self.stay, look_at=jobs.look)
            python = virtual_environments.prepare(caller, wanted)
            if not environments.is_managed_by_user(environment) and not environments.asks_for(environment, SERVERS):
                raise NotFound(
                    f"it has neither {' nor '.join(SERVERS)}, so that nothing would serve the entry "
                    "script. Add azureml-defaults to its pip packages."
                )
        except FolderError:
            raise
        except EngineError as refused:
            name = environment.get("name")
            raise NotFound(f"Image build failed. The environment {name!r} cannot be had: {refused}") from refused
        return python

    def command_of(self, python: Path, place: Path, service: dict) -> dict:
        """What starts the server of a deployment, as subprocess.Popen takes it."""
        own = self.own_variables(place / staging.APP_ROOT, service) | {in_run.ERROR: str(place / ERROR)}
        missing = environments.lacking(service["environment"])
        program = run_python.make(place / "python", python, own, missing=missing)
        instances = (service["settings"].get("limits") or {}).get("instances", 1)
        return {
            "args": [str(program), str(SERVER), f"../{SOCKET}", str(instances)],
            "cwd": place / staging.APP_ROOT,
            "env": self.environment_of(service, own, [program.parent, python.parent]),
        }

    def start(self, command: dict) -> subprocess.Popen:
        self.began = time.monotonic()
        (command["cwd"].parent / ERROR).unlink(missing_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(**command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)

    def own_variables(self, root: Path, service: dict) -> dict[str, str]:
        """The environment variables by which an entry script knows its models and its service."""
        models, script = service["models"], Path(service["entry_script"])
        source = service["source_directory"] and Path(service["source_directory"]).name
        model_folder = root / staging.MODELS
        if len(models) == 1:  # the model's own folder; of several models the folder that has them all
            model_folder /= models[0].replace(":", "/")
        return {
            "AML_APP_ROOT": str(root),
            "AZUREML_MODEL_DIR": str(model_folder),
            "AZUREML_ENTRY_SCRIPT": f"{source}/{script}" if source else script.name,
            **({"AZUREML_SOURCE_DIRECTORY": source} if source else {}),
            "AML_APP_INSIGHTS_ENABLED": "false",
            "SERVICE_NAME": self.name.rpartition("/")[2],
            "WORKSPACE_NAME": "offline",
            records.ID_VARIABLE: self.id,
            folders.VARIABLE: str(self.folder),
            **telemetry.OFF,
        }

    def environment_of(self, service: dict, own: dict[str, str], programs: list[Path]) -> dict[str, str]:
        """All environment variables of the entry script, but for those that would have the server call elsewhere."""
        asked = service["environment"].get("environmentVariables")
        variables = machine.script_variables(asked, own, programs)
        return {name: value for name, value in variables.items() if name not in SWITCHED_OFF}

    def hand_over(self, server: subprocess.Popen, place: Path) -> None:
        """Have requests go to the server from when it answers on; where that comes to nothing, the server is ended.

        Raises Invalid, with the script's error, where it ends before that.
        """
        deadline = time.monotonic() + START_LIMIT
        try:
            while not is_healthy(str(place / SOCKET)):
                self.stay()
                if server.poll() is not None:
                    raise Invalid(
                        "Your container application crashed. This may be caused by errors in your scoring file's "
                        f"init() function: {self.ending(server, place)}"
                    )
                if time.monotonic() > deadline:
                    raise Invalid(f"The service did not answer within {START_LIMIT:.0f} seconds.")
                time.sleep(processes.TICK)
            handover.point(HERE, str(place))
        except BaseException:
            processes.end_groups([server])
            raise

    def ending(self, server: subprocess.Popen, place: Path) -> str:
        """How a server ended: by which exception, or else by which status code or signal."""
        with contextlib.suppress(FileNotFoundError):
            return (place / ERROR).read_text(encoding="utf-8")
        if server.returncode < 0:
            return f"it was killed by {processes.signal_name(-server.returncode)}."
        return f"it exited with status code {server.returncode}."

    def words(self, failure: Exception) -> str:
        """What is told of what ended a deployment, or the service."""
        if isinstance(failure, EngineError):
            return str(failure)
        traceback.print_exception(failure)
        if fault := outages.told(self.folder, failure):
            return str(fault)
        why = str(failure) if isinstance(failure, OSError) else f"{type(failure).__name__}: {failure}"
        return f"This machine could not do what the service needs: {why}."

    def tell(self, state: str, error: dict | None = None) -> None:
        self.record(records.tell, state, error)

    def fail(self, code: str, message: str, state: str = "Failed") -> None:
        self.record(records.fail, code, message, state)

    def record(self, function: Callable, *details) -> None:
        """Have the function of `records` say what has become of the deployment. Raises Gone and Superseded."""
        try:
            function(self.folder, self.type, self.name, self.id, self.deployment, *details)
        except NotFound:
            raise Gone from None

    def end_server(self) -> None:
        """End the server, to which nothing points any more, once the requests that it has are answered."""
        if self.server is not None:
            handover.wait_until_unused(self.command["cwd"].parent, DRAIN)
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


def main(folder: Path, type: str, name: str, id: str, listener: socket.socket | None) -> None:
    """Serve it until it is deleted or cannot be served; a store that is locked or full is waited for."""
    with outages.patience():
        Supervisor(folder, type, name, id, listener).run()


if __name__ == "__main__":
    main(*records.started(sys.argv[1:]))
