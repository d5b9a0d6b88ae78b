"""The program that serves an entry script: `python scoring_server.py SOCKET INSTANCES`, in the service's interpreter.

It is Microsoft's azureml-inference-server-http with its own settings, except for where it listens: left to itself that
is every interface of the machine, here it is a Unix socket, which no network reaches. It ends with whoever started
it: its standard input is a pipe from there, which closes even if that process is killed. What the entry script raises
as it starts is written down for whoever started it.
"""

import functools
import gc
import os
import signal
import sys
import threading
import types

import _offline_run  # each Python of a service has it: see processes/in_run.py
import gunicorn.config
from azureml_inference_server_http import amlserver_linux
from azureml_inference_server_http.constants import PACKAGE_ROOT
from azureml_inference_server_http.log_config import load_logging_config
from azureml_inference_server_http.server.user_script import UserScript, UserScriptError

APP_INSIGHTS = "azureml_inference_server_http.server.appinsights_client"  # a module
WORKERS = 1  # of each instance, as on Azure, unless WORKER_COUNT says otherwise


class NoAppInsights:
    """In place of the server's client of Application Insights, to which nothing is sent from here: whatever it is told.

    The real one imports an exporter, a login and cryptography, which take longer than all else of the server.
    """

    enabled = False

    def __getattr__(self, name):
        return lambda *given, **named: None


def end_with_parent() -> None:
    os.read(0, 1)  # not sys.stdin: a lock that it holds would stop the workers, which are forks, from ending
    os.killpg(0, signal.SIGTERM)


def telling(method):
    """The method, but that what a script raises in it is written down on its way."""

    @functools.wraps(method)
    def told(self, *arguments):
        try:
            return method(self, *arguments)
        except UserScriptError as error:
            _offline_run.tell(os.environ[_offline_run.ERROR], getattr(error, "user_ex", error))
            raise

    return told


def settling(method):
    """The method, but that the garbage collector leaves alone what is there after it: the model, and what it needs.

    It would look through all of that again, between requests and for most of a second as the server ends.
    """

    @functools.wraps(method)
    def settled(self, *arguments):
        result = method(self, *arguments)
        gc.freeze()
        return result

    return settled


def main() -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()
    if any(setting.name == "control_socket_disable" for setting in gunicorn.config.KNOWN_SETTINGS):
        os.environ["GUNICORN_CMD_ARGS"] = "--no-control-socket"  # it would lie in the user's home
    sys.modules[APP_INSIGHTS] = types.ModuleType(APP_INSIGHTS)
    sys.modules[APP_INSIGHTS].AppInsightsClient = NoAppInsights
    UserScript.load_script = telling(UserScript.load_script)
    UserScript.invoke_init = telling(settling(UserScript.invoke_init))
    load_logging_config(PACKAGE_ROOT)
    socket, instances = sys.argv[1:]
    workers = int(instances) * int(os.environ.get("WORKER_COUNT") or WORKERS)
    # Host and port are joined by a colon, which makes gunicorn's name for a Unix socket.
    amlserver_linux.run("unix", socket, workers)


if __name__ == "__main__":
    main()
