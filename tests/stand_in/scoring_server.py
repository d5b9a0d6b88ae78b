"""The program that serves an entry script: Microsoft's scoring server, on a port of loopback."""

import os
import sys

from azureml_inference_server_http import amlserver_linux
from azureml_inference_server_http.constants import PACKAGE_ROOT
from azureml_inference_server_http.log_config import load_logging_config

if __name__ == "__main__":
    os.environ["GUNICORN_CMD_ARGS"] = "--no-control-socket"  # it would lie in the home
    load_logging_config(PACKAGE_ROOT)
    amlserver_linux.run("127.0.0.1", int(sys.argv[1]), 1)
