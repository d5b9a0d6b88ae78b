"""Model.deploy and the web services of the SDK: states, keys, requests, changes, and the words of the errors."""

import json
import socket
from pathlib import Path

import pytest
import requests
from azureml.core import Environment, Model, Webservice
from azureml.core.model import InferenceConfig
from azureml.core.webservice import AciWebservice, LocalWebservice
from azureml.exceptions import UserErrorException, WebserviceException
from small_services import ECHO

SCORE = ECHO


@pytest.fixture(scope="module")
def model(workspace):
    Path("weights.txt").write_text("1")
    return Model.register(workspace, "weights.txt", "tiny")


def config(folder, script=SCORE, **environment_variables):
    folder.mkdir(exist_ok=True)
    (folder / "score.py").write_text(script)
    environment = Environment("score-env")
    environment.environment_variables = environment_variables
    return InferenceConfig("score.py", source_directory=str(folder), environment=environment)


@pytest.fixture(scope="module")
def service(workspace, model, tmp_path_factory):
    settings = AciWebservice.deploy_configuration(
        cpu_cores=1, memory_gb=1, auth_enabled=True, tags={"series": "a"}, properties={"p": 1}, description="echo"
    )
    made = Model.deploy(workspace, "echo", [model], config(tmp_path_factory.mktemp("score")), settings)
    assert (made.state, made.auth_enabled) == ("Transitioning", True)
    made.wait_for_deployment()
    return made


def test_it_is_deployed_and_found_again(workspace, service, model, capsys):
    assert (service.state, service.error, service.compute_type) == ("Healthy", None, "ACI")
    assert service.scoring_uri.startswith("http://127.0.0.1:")
    for found in (Webservice(workspace, "echo"), workspace.webservices["echo"], AciWebservice(workspace, "echo")):
        assert type(found) is AciWebservice
        assert found.scoring_uri == service.scoring_uri
    assert (found.tags, found.properties, found.description) == ({"series": "a"}, {"p": "1"}, "echo")
    assert [used.id for used in found.models] == [model.id]
    assert found.environment.name == "score-env"
    assert workspace.environments["score-env"].version == found.environment.version == "1"
    assert found.container_resource_requirements.serialize() == {"cpu": 1, "memoryInGB": 1}
    assert AciWebservice.deserialize(workspace, found.serialize()).name == "echo"
    json.dumps(found.serialize())
    with pytest.raises(WebserviceException, match=r"Model tiny:1 cannot be deleted: it is used by echo\."):
        model.delete()
    with pytest.raises(WebserviceException, match="Long running operation information not known"):
        found.wait_for_deployment()
    service.wait_for_deployment(show_output=True)
    printed = capsys.readouterr().out
    assert printed.endswith('SucceededACI service creation operation finished, operation "Succeeded"\n')


def test_it_answers_with_a_key_and_not_without(service):
    assert service.run(json.dumps({"data": [1, 2]})) == {"got": {"data": [1, 2]}}
    assert requests.post(service.scoring_uri, json=1, timeout=60).status_code == 401
    old = service.get_keys()[0]
    service.regen_key("Primary")
    new = service.get_keys()[0]
    assert new != old
    for key, status in ((old, 401), (new, 200)):
        answer = requests.post(service.scoring_uri, json=1, headers={"Authorization": f"Bearer {key}"}, timeout=60)
        assert answer.status_code == status
    service.regen_key("secondary", "mine")
    assert service.get_keys() == (new, "mine")
    for wrong in ("", "third"):
        with pytest.raises(WebserviceException, match="Error, "):
            service.regen_key(wrong)
    assert new not in repr(service) + json.dumps(service.serialize()) + service.get_logs()


def test_a_bad_answer_is_an_exception(service):
    with pytest.raises(WebserviceException) as error:
        service.run("no json")
    assert error.value.message.startswith("Received bad response from service.")
    assert error.value.status_code == 500
    assert "Response Code: 500" in error.value.message
    assert "Traceback" not in error.value.message
    assert "JSONDecodeError" in service.get_logs()
    assert len(service.get_logs(num_lines=2).splitlines()) == 2


def test_lists_are_filtered(workspace, service, model):
    for filters in (
        {},
        {"compute_type": "aci"},
        {"model_name": "tiny"},
        {"model_id": model.id},
        {"tags": ["series"]},
        {"tags": [["series", "a"]], "properties": [["p", "1"]]},
    ):
        assert [found.name for found in Webservice.list(workspace, **filters)] == ["echo"], filters
    for filters in ({"compute_type": "AKS"}, {"model_name": "other"}, {"tags": [["series", "b"]]}):
        assert Webservice.list(workspace, **filters) == [], filters
    with pytest.raises(WebserviceException, match='Invalid compute type "VM"'):
        Webservice.list(workspace, compute_type="VM")


def test_it_is_updated(service, workspace, tmp_path, capsys):
    service.add_tags({"series": "b", "c": "d"})
    service.remove_tags(["c", "never"])
    service.add_properties({"q": "2"})
    service.add_properties({"q": "2"})
    printed = capsys.readouterr().out
    assert "Replacing tag series -> a with series -> b" in printed
    assert printed.count("Replacing tag q -> 2 with q -> 2") == 1
    assert "Tag with key never not found." in printed
    service.update(tags={"series": "a"}, description="changed")
    found = Webservice(workspace, "echo")
    assert (found.tags, found.properties, found.description) == ({"series": "a"}, {"p": "1", "q": "2"}, "changed")
    for nothing in ({}, {"description": ""}):
        with pytest.raises(WebserviceException, match="No parameters provided to update"):
            service.update(**nothing)
    with pytest.raises(UserErrorException, match="an InferenceConfig when deploying zero or multiple models"):
        service.update(models=[])
    with pytest.raises(WebserviceException, match='both "models" and "inference_config"'):
        service.update(models=service.models)

    keys = service.get_keys()
    service.update(inference_config=config(tmp_path / "new", SCORE.replace("got", "new")), auth_enabled=True)
    service.wait_for_deployment()
    assert service.run("1") == {"new": 1}
    assert service.get_keys() == keys
    assert service.scoring_uri == found.scoring_uri


def test_names_that_are_taken_or_refused(workspace, service, model, tmp_path):
    scoring = config(tmp_path / "score")
    with pytest.raises(WebserviceException, match="Service echo with the same name already exists"):
        Model.deploy(workspace, "echo", [model], scoring)
    with pytest.raises(WebserviceException, match="Service echo with the same name"):
        Webservice.check_for_existing_webservice(workspace, "echo")
    Webservice.check_for_existing_webservice(workspace, "echo", overwrite=True)
    for name in ("e", "Echo", "1echo", "echo-", "e" * 33, "echo_1"):
        with pytest.raises(WebserviceException, match="Error, provided service name is invalid"):
            Model.deploy(workspace, name, [model], scoring)
    with pytest.raises(WebserviceException, match="ModelNotFound"):
        Model.deploy(workspace, "other", ["nothing:1"], scoring)
    with pytest.raises(WebserviceException, match="Models must either be"):
        Model.deploy(workspace, "other", [Path("weights.txt")], scoring)
    with pytest.raises(WebserviceException, match="WebserviceNotFound: Webservice with name other not found"):
        Webservice(workspace, "other")


def test_a_model_that_was_deleted_is_not_deployed(workspace, tmp_path):
    Path("gone.txt").write_text("1")
    gone = Model.register(workspace, "gone.txt", "gone")
    gone.delete()
    with pytest.raises(WebserviceException, match="ModelNotFound: The workspace has no model 'gone' version 1"):
        Model.deploy(workspace, "other", [gone], config(tmp_path / "score"))


def test_a_script_that_fails_is_told_with_its_error_and_can_be_replaced_and_deleted(workspace, model, tmp_path, capsys):
    broken = config(tmp_path / "broken", "def init():\n    raise OSError('no weights')\n\ndef run(data):\n    pass\n")
    service = Model.deploy(workspace, "broken", [model.id], broken, show_output=True)
    with pytest.raises(WebserviceException) as error:
        service.wait_for_deployment(show_output=True)
    message = error.value.message
    assert message.startswith("Service deployment polling reached non-successful terminal state")
    assert "current service state: Failed" in message
    assert "OSError: no weights" in message
    assert "Traceback (most recent call last)" in service.get_logs()
    assert "Entry script: " in capsys.readouterr().out
    with pytest.raises(WebserviceException, match=r"does not answer(.|\n)*Current State: Failed"):
        service.run("1")

    replaced = Model.deploy(workspace, "broken", [model], config(tmp_path / "good"), overwrite=True)
    replaced.wait_for_deployment(timeout_sec=120)
    assert replaced.auth_enabled is False
    assert replaced.run("1") == {"got": 1}
    replaced.delete()
    assert replaced.state == "Deleting"
    assert "broken" not in workspace.webservices
    replaced.delete()
    assert "No service with name broken found to delete." in capsys.readouterr().out


def test_waiting_has_a_limit(workspace, tmp_path):
    slow = config(tmp_path / "slow", "import time\ndef init():\n    time.sleep(60)\n\ndef run(data):\n    pass\n")
    service = Model.deploy(workspace, "slow", [], slow)
    with pytest.raises(WebserviceException, match=r"Deployment polling exceeded timeout override of 0.1s"):
        service.wait_for_deployment(timeout_sec=0.1)
    service.delete()


def test_a_local_service(workspace, model, tmp_path, capsys):
    model = Model.register(workspace, "weights.txt", "own")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = LocalWebservice.deploy_configuration(port=port)
        with pytest.raises(WebserviceException, match="Docker container start has failed, the port you are"):
            Model.deploy(workspace, "local", [model], config(tmp_path / "score"), settings)
    assert LocalWebservice.list(workspace) == []
    service = Model.deploy(workspace, "local", [model], config(tmp_path / "score"), settings)
    assert (service.state, service.port) == ("deploying", port)
    assert service.run("1") == {"got": 1}
    assert f"Local webservice is running at http://localhost:{port}" in capsys.readouterr().out
    assert (service.state, service.scoring_uri) == ("running", f"http://localhost:{port}/score")
    assert "local" not in workspace.webservices
    assert [found.name for found in LocalWebservice.list(workspace, model_name="own")] == ["local"]
    for call in (service.get_keys, service.get_token, lambda: service.regen_key("Primary")):
        with pytest.raises(NotImplementedError, match="Local web services do not support"):
            call()

    (tmp_path / "score" / "score.py").write_text(SCORE.replace("got", "reloaded"))
    service.reload(wait=True)
    assert service.run("1") == {"reloaded": 1}
    assert LocalWebservice(workspace, "local").serialize()["port"] == port
    model.delete()  # the workspace knows of no local service
    assert service.run("1") == {"reloaded": 1}
    with pytest.raises(WebserviceException, match="Error: Scoring was unsuccessful"):
        service.run("no json")
    service.delete()
    assert service.state == "deleted"
    with pytest.raises(WebserviceException, match=r"Cannot call run.. when service is deleted"):
        service.run("1")
    with pytest.raises(WebserviceException, match="WebserviceNotFound: No local container with name local"):
        LocalWebservice(workspace, "local")
    assert LocalWebservice(workspace, "local", must_exist=False).state == "unknown"


@pytest.mark.parametrize(
    "name, content, error, told",
    [
        ("", "", WebserviceException, "need to specify entry_script"),
        ("missing.py", None, WebserviceException, "entry_script .*missing.py doesn't exist"),
        ("score.txt", "", WebserviceException, "Invalid driver type"),
        ("1score.py", "", WebserviceException, 'invalid name "1score"'),
        ("class.py", "", WebserviceException, 'invalid name "class"'),
        ("score.py", "def init(:", UserErrorException, "try local deployment"),
        ("score.py", "\0", UserErrorException, "try local deployment"),
    ],
)
def test_an_inference_config_is_checked(tmp_path, name, content, error, told):
    if content is not None and name:
        (tmp_path / name).write_text(content)
    with pytest.raises(error, match=told):
        InferenceConfig(name, source_directory=str(tmp_path), environment=Environment("e"))
