"""Small web services for tests: what they are made of, and waiting for them."""

import textwrap
from pathlib import Path

import psutil
import requests
from small_jobs import wait_until

from helpers.offline.engine import services
from helpers.offline.engine.assets import models

ECHO = """
import json, os

def init():
    print("init was called")

def run(data):
    return {"got": json.loads(data)}
"""
ENVIRONMENT = {
    "name": "small-env",
    "python": {"condaDependencies": {"dependencies": ["python=3.11", {"pip": ["azureml-defaults"]}]}},
    "environmentVariables": {},
}


def register_model(folder: Path, source: Path) -> None:
    """Register the model "tiny", which is a folder `model` with one file `weights.txt`."""
    (source / "model").mkdir(parents=True, exist_ok=True)
    (source / "model" / "weights.txt").write_text("1 2 3")
    models.register(folder, "tiny", source / "model", stored_as="model")


def wanted(source: Path, script: str = ECHO, **changes) -> dict:
    """What services.deploy() is given for an entry script, which is written to source/score.py."""
    source.mkdir(parents=True, exist_ok=True)
    (source / "score.py").write_text(textwrap.dedent(script), encoding="utf-8")
    return {
        "models": ["tiny:1"],
        "source_directory": str(source),
        "entry_script": "score.py",
        "environment": ENVIRONMENT,
        "auth_enabled": False,
        "tags": {},
        "properties": {},
        "description": None,
        "settings": {},
    } | changes


def wait_for_service(folder: Path, name: str, type: str = "ACI") -> dict:
    """The service once its deployment or update is over."""

    def over():
        service = services.get(folder, type, name)
        return service["operation"]["state"] != "Running" and service

    return wait_until(over)


def post(service: dict, key: str | None = None, **content) -> requests.Response:
    """Send a request to a service of the engine."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return requests.post(f"http://127.0.0.1:{service['port']}/score", headers=headers, timeout=60, **content)


def processes_of(service: dict) -> list[psutil.Process]:
    """Every process of a service."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(services.ID_VARIABLE) == service["id"]:
                found.append(process)
        except psutil.Error:
            continue
    return found


def supervisor_of(service: dict) -> psutil.Process:
    return next(process for process in processes_of(service) if "services.supervisor" in " ".join(process.cmdline()))
