"""Services: a deployment, what it answers, its keys, settings and logs."""

import json
from pathlib import Path

import requests
from azureml.core import Environment, Model, Webservice
from azureml.core.model import InferenceConfig
from azureml.core.runconfig import DockerConfiguration
from azureml.core.webservice import AciWebservice
from stage import said

SCORE = """
import json, os

def init():
    global where
    where = sorted(os.path.relpath(os.path.join(top, name), os.environ["AZUREML_MODEL_DIR"])
                   for top, _, names in os.walk(os.environ["AZUREML_MODEL_DIR"]) for name in names)

def run(data):
    return {"got": json.loads(data), "files": where}
"""


def program(ws, folder):
    Path("model/sub").mkdir(parents=True)
    Path("model/sub/w.txt").write_text("1")
    Path("score").mkdir()
    Path("score/score.py").write_text(SCORE)
    model = Model.register(ws, "model", "served")
    environment = Environment("twin-scoring")
    environment.python.conda_dependencies.add_pip_package("azureml-defaults")
    print(said(lambda: InferenceConfig("no-such.py")))
    print(DockerConfiguration(arguments="one text").arguments, DockerConfiguration(arguments=["a", "b"]).arguments)
    inference = InferenceConfig(entry_script="score.py", source_directory="score", environment=environment)
    settings = AciWebservice.deploy_configuration(
        cpu_cores=0.5,
        memory_gb=1,
        auth_enabled=True,
        tags={"a": "b", "n": None},
        properties={"p": "q"},
        description="twin",
    )
    service = Model.deploy(ws, "twin-service", [model], inference, settings)
    print(service.state, service.compute_type, type(service).__name__)
    service.wait_for_deployment(show_output=False)
    print(service.state, service.tags, service.properties, service.description, service.auth_enabled)
    print(service.container_resource_requirements.serialize(), [one.id for one in service.models], service.error)
    print(
        service.run(json.dumps([1, 2])),
        service.scoring_uri.endswith("/score"),
        service.swagger_uri.endswith("/swagger.json"),
    )
    first, second = service.get_keys()
    print(first != second, requests.post(service.scoring_uri, json=[3]).status_code)
    service.regen_key("Secondary", "own-key")
    print(service.get_keys() == (first, "own-key"), said(lambda: service.get_token())[:40])
    answer = requests.post(service.scoring_uri, json=[3], headers={"Authorization": "Bearer own-key"})
    print(answer.status_code, answer.json())
    service.update(tags={"c": "d"}, description="changed")
    found = Webservice(ws, "twin-service")
    print(found.tags, found.description, found.state, sorted(ws.webservices), [one.name for one in Webservice.list(ws)])
    print(said(lambda: Model.deploy(ws, "twin-service", [model], inference, settings))[:20])
    print(said(lambda: model.delete())[:20], "Invoking user's init function" in service.get_logs())
    service.delete()
    print(sorted(ws.webservices), said(lambda: Webservice(ws, "twin-service")))
