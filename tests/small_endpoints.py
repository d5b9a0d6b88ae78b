"""Small online endpoints for tests: a script, its deployment, and requests past the client."""

import json
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model

ECHO = """
import json, os

def init():
    print("init was called")

def run(data):
    asked = json.loads(data)
    with open(os.environ.get("SEEN", os.devnull), "a") as file:
        file.write(f"{asked}\\n")
    if asked == "fail":
        raise ValueError("no such digit")
    return {"got": asked, "by": "first"}
"""
HEADER = "azureml-model-deployment"


def make_model(ml_client):
    """A model that is a folder with one file."""
    Path("model").mkdir(exist_ok=True)
    Path("model/weights.txt").write_text("1 2 3", encoding="utf-8")
    return ml_client.models.create_or_update(Model(name="tiny", path="model"))


def make_endpoint(ml_client, name="digits", **details):
    endpoint = ManagedOnlineEndpoint(name=name, **{"auth_mode": "key"} | details)
    return ml_client.online_endpoints.begin_create_or_update(endpoint).result()


def deployment(name, endpoint="digits", script=ECHO, **details):
    """A deployment of a script, which is written into a folder below the working directory."""
    folder = Path("scoring", endpoint, name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "score.py").write_text(textwrap.dedent(script), encoding="utf-8")
    given = {
        "model": "tiny@latest",
        "environment": "served@latest",
        "code_configuration": CodeConfiguration(code=str(folder), scoring_script="score.py"),
        "instance_type": "Standard_DS3_v2",
        "instance_count": 1,
    }
    return ManagedOnlineDeployment(name=name, endpoint_name=endpoint, **given | details)


def deploy(ml_client, *wanted):
    """Deploy them at once; the deployments."""
    pollers = [ml_client.online_deployments.begin_create_or_update(one) for one in wanted]
    return [poller.result() for poller in pollers]


def set_traffic(ml_client, traffic, mirror=None):
    endpoint = ml_client.online_endpoints.get("digits")
    endpoint.traffic, endpoint.mirror_traffic = traffic, mirror or {}
    return ml_client.online_endpoints.begin_create_or_update(endpoint).result()


class Caller:
    """Asks an endpoint by HTTP, as any program does."""

    def __init__(self, ml_client, name="digits"):
        self.address = ml_client.online_endpoints.get(name).scoring_uri
        self.key = ml_client.online_endpoints.get_keys(name).primary_key

    def ask(self, asked=1, deployment=None, **headers):
        """The answer; its header HEADER tells who gave it."""
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | headers
        if deployment:
            sent[HEADER] = deployment
        return requests.post(self.address, data=json.dumps(asked), headers=sent, timeout=60)

    def ask_at_once(self, count, asked=1, clients=8, **headers):
        """The answers to many requests, from several clients at once."""
        with ThreadPoolExecutor(clients) as pool:
            return [one.result() for one in [pool.submit(self.ask, asked, **headers) for _ in range(count)]]


def write_mlflow_model(folder, signature=True):
    """A model in MLflow's format that doubles what it is given; nothing of it is pickled."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "doubling.py").write_text(
        "class Doubling:\n    def predict(self, data, params=None):\n        return data * 2\n\n"
        "def _load_pyfunc(path):\n    return Doubling()\n",
        encoding="utf-8",
    )
    (folder / "conda.yaml").write_text(
        "dependencies: [python=3.11, pip, {pip: [mlflow, numpy, pandas]}]\n", encoding="utf-8"
    )
    inputs = json.dumps([{"type": "double", "name": "a"}, {"type": "double", "name": "b"}])
    (folder / "MLmodel").write_text(
        "flavors:\n  python_function:\n    code: code\n    loader_module: doubling\n    env: {conda: conda.yaml}\n"
        + (f"signature:\n  inputs: '{inputs}'\n  outputs: null\n  params: null\n" if signature else ""),
        encoding="utf-8",
    )
    return folder
