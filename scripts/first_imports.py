"""Imports once what the notebooks, their jobs and the tests import: the set-up's last step.

It is compiled thereby, in half of the time that compiling all of .venv takes, and shown to work on this machine. Where
Python may not write what it compiles, each import of TensorFlow would otherwise take 13 s longer. What new workspaces
are copied from is made on the way.
"""

import os
import subprocess
import sys

AT_ONCE = (  # about the same work
    "import tensorflow.data, keras, jax, keras.src.backend.jax, optuna",
    "import aiohttp, azure.ai.ml, azure.identity, azureml.core, azureml.train.hyperdrive, flask, ipykernel.kernelapp, "
    "ipywidgets, jupyterlab.labapp, matplotlib.pyplot, mlflow.store.tracking.sqlalchemy_store, nbclient, pandas, "
    "papermill, pytest, helpers.offline.arm.routes, helpers.offline.engine.removal\n"
    "import contextlib\n"
    "from helpers.offline.engine.history import new_store\n"
    "with contextlib.suppress(Exception): new_store.keep()",  # without it, each new store is made anew
)


def main() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    processes = [
        subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], env=environment, **pipes) for code in AT_ONCE
    ]
    told = [process.communicate()[0] for process in processes]
    failed = [output for process, output in zip(processes, told, strict=True) if process.returncode]
    if failed:
        sys.exit("\n".join([*failed, "What was installed cannot be imported on this machine."]))


if __name__ == "__main__":
    main()
