"""Online endpoints through the installed client: deployments behind one address, keys, traffic, mirrors, ends."""

import json
import threading
import time

import psutil
import pytest
import requests
from azure.ai.ml import load_online_deployment, load_online_endpoint
from azure.ai.ml.entities import Model, OnlineRequestSettings, ProbeSettings
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from small_endpoints import (
    ECHO,
    HEADER,
    Caller,
    deploy,
    deployment,
    make_endpoint,
    make_model,
    set_traffic,
    write_mlflow_model,
)
from small_jobs import wait_until
from small_services import processes_of
from small_v2 import make_environment

from helpers.offline.engine import services
from helpers.offline.engine.workspace import folder as folders

SECOND = ECHO.replace("first", "second")
WAITING = """
import os, time

def init(): pass

def run(data):
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
    return "done"
"""


@pytest.fixture(scope="module")
def made(ml_client, tmp_path_factory):
    """The endpoint `digits` with the deployments blue and green; the file in which green notes what it is asked."""
    seen = tmp_path_factory.mktemp("seen") / "seen.txt"
    make_environment(ml_client, "served", ["azureml-inference-server-http"])
    make_model(ml_client)
    make_endpoint(ml_client, tags={"a": "b"}, description="reads digits")
    many = OnlineRequestSettings(max_concurrent_requests_per_instance=8)
    found = deploy(
        ml_client,
        deployment("blue", tags={"c": "d"}, description="the first", request_settings=many),
        deployment("green", environment_variables={"SEEN": str(seen)}, request_settings=many),
    )
    assert [one.provisioning_state for one in found] == ["Succeeded", "Succeeded"]
    return seen


@pytest.fixture
def digits(ml_client, made):
    """Whoever asks the endpoint, of which blue has all the traffic."""
    set_traffic(ml_client, {"blue": 100})
    return Caller(ml_client)


def of_engine(name, type=services.ENDPOINT):
    return services.get(folders.offline_folder(), type, name)


# What is told of them


def test_an_endpoint_tells_what_it_was_given(ml_client, digits):
    endpoint = ml_client.online_endpoints.get("digits")
    assert (endpoint.tags, endpoint.description, endpoint.auth_mode) == ({"a": "b"}, "reads digits", "key")
    assert (endpoint.provisioning_state, endpoint.kind, endpoint.public_network_access) == (
        "Succeeded",
        "Managed",
        "Enabled",
    )
    assert endpoint.traffic == {"blue": 100, "green": 0}
    assert endpoint.scoring_uri.startswith("http://127.0.0.1:") and endpoint.scoring_uri.endswith("/score")
    assert endpoint.openapi_uri.endswith("/swagger.json")
    assert "digits" in [one.name for one in ml_client.online_endpoints.list()]


def test_a_deployment_tells_what_it_was_given(ml_client, digits):
    blue = ml_client.online_deployments.get("blue", "digits")
    assert (blue.tags, blue.description, blue.endpoint_name) == ({"c": "d"}, "the first", "digits")
    assert (blue.instance_type, blue.instance_count, blue.provisioning_state) == ("Standard_DS3_v2", 1, "Succeeded")
    assert blue.model.endswith("/models/tiny/versions/1")
    assert blue.environment.endswith("/environments/served/versions/1")
    assert blue.code_configuration.scoring_script == "score.py"
    assert blue.request_settings.max_concurrent_requests_per_instance == 8
    assert [one.name for one in ml_client.online_deployments.list("digits")] == ["blue", "green"]


def test_a_model_that_a_deployment_brings_is_no_model_of_the_list(ml_client, digits):
    (found,) = deploy(ml_client, deployment("brings", model=Model(path="model")))
    name = found.model.split("/")[-3]
    assert ml_client.models.get(name, version="1").path.endswith("/model")
    assert name not in [model.name for model in ml_client.models.list()]
    ml_client.online_deployments.begin_delete("brings", "digits").result()


def test_what_a_deployment_was_not_given_has_the_services_defaults(ml_client, digits, tmp_path):
    go = {"GO": str(tmp_path / "go")}
    given = {"environment_variables": go, "readiness_probe": ProbeSettings(period=20)}
    (found,) = deploy(ml_client, deployment("plain", script=WAITING, **given))
    requests_of = found.request_settings
    assert (requests_of.max_concurrent_requests_per_instance, requests_of.request_timeout_ms) == (1, 5000)
    assert requests_of.max_queue_wait_ms == 0  # the service's 500, of which the client leaves the seconds
    for probe in (found.liveness_probe, found.readiness_probe):
        assert (probe.initial_delay, probe.timeout) == (10, 2)
        assert (probe.success_threshold, probe.failure_threshold) == (1, 30)
    assert (found.liveness_probe.period, found.readiness_probe.period) == (10, 20)
    assert (found.app_insights_enabled, found.egress_public_network_access) == (False, "Enabled")
    assert found.scale_settings.type == "default"
    answers = digits.ask_at_once(3, clients=3, deployment="plain")
    assert sorted(one.status_code for one in answers) == [408, 408, 429]
    assert "request_timeout_ms, 5 s" in " ".join(one.text for one in answers)
    ml_client.online_deployments.begin_delete("plain", "digits").result()
    blue = ml_client.online_deployments.get("blue", "digits").request_settings  # of which one was given
    assert (blue.max_concurrent_requests_per_instance, blue.request_timeout_ms) == (8, 5000)


def test_both_from_yaml(ml_client, digits, tmp_path):
    described = tmp_path / "endpoint.yml"
    described.write_text("name: from-yaml\nauth_mode: key\npublic_network_access: disabled\n", encoding="utf-8")
    made = ml_client.online_endpoints.begin_create_or_update(load_online_endpoint(described)).result()
    assert (made.name, made.public_network_access) == ("from-yaml", "Disabled")
    (tmp_path / "score.py").write_text(ECHO, encoding="utf-8")
    described.write_text(
        "name: blue\nendpoint_name: from-yaml\nmodel: azureml:tiny@latest\nenvironment: azureml:served@latest\n"
        "code_configuration: {code: ., scoring_script: score.py}\ninstance_type: Standard_DS3_v2\ninstance_count: 2\n",
        encoding="utf-8",
    )
    (blue,) = deploy(ml_client, load_online_deployment(described))
    assert (blue.provisioning_state, blue.instance_count) == ("Succeeded", 2)
    workers = [one for one in processes_of(of_engine("from-yaml/blue", services.ONLINE)) if one.children() == []]
    assert len(workers) == 2  # an instance is a worker of the scoring server
    assert Caller(ml_client, "from-yaml").ask(deployment="blue").json()["got"] == 1
    ids = [of_engine("from-yaml"), of_engine("from-yaml/blue", services.ONLINE)]
    ml_client.online_endpoints.begin_delete("from-yaml").result()
    assert [processes_of(one) for one in ids] == [[], []]
    assert "from-yaml" not in [one.name for one in ml_client.online_endpoints.list()]
    assert not list((folders.offline_folder() / "services").glob(f"{ids[1]['id']}*"))


# Requests


def test_a_request_goes_where_it_asks_to_go_or_where_the_traffic_goes(ml_client, digits, tmp_path):
    file = tmp_path / "request.json"
    file.write_text('{"data": 7}', encoding="utf-8")
    answer = ml_client.online_endpoints.invoke("digits", request_file=file, deployment_name="green")
    assert json.loads(answer) == {"got": {"data": 7}, "by": "first"}
    assert digits.ask().headers[HEADER] == "blue"
    assert digits.ask(deployment="green").headers[HEADER] == "green"
    assert {one.headers[HEADER] for one in digits.ask_at_once(20)} == {"blue"}


def test_the_client_goes_on_asking_for_the_deployment_that_it_was_asked_for_once(ml_client, digits, made, tmp_path):
    """As on Azure: azure-ai-ml keeps the header in a dict that all calls share. A release without this fails here."""
    file = tmp_path / "request.json"
    file.write_text('"by name"', encoding="utf-8")
    ml_client.online_endpoints.invoke("digits", request_file=file, deployment_name="green")
    file.write_text('"by traffic, which is all for blue"', encoding="utf-8")
    ml_client.online_endpoints.invoke("digits", request_file=file)
    assert made.read_text().splitlines()[-1] == "by traffic, which is all for blue"


def test_traffic_is_split(ml_client, digits):
    set_traffic(ml_client, {"blue": 50, "green": 50})
    answered = [one.headers[HEADER] for one in digits.ask_at_once(60)]
    assert 8 < answered.count("blue") < 52  # but for one time in a hundred million
    assert len(answered) == answered.count("blue") + answered.count("green")


def test_a_shift_of_traffic_holds_from_the_next_request_on_and_loses_none(ml_client, digits):
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            sent = time.monotonic()
            answers.append((sent, digits.ask()))

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    wait_until(lambda: len(answers) > 40)
    began = time.monotonic()
    set_traffic(ml_client, {"green": 100})
    shifted = time.monotonic()
    wait_until(lambda: sum(sent > shifted for sent, _ in answers) > 40)
    stop.set()
    for client in clients:
        client.join()
    assert {answer.status_code for _, answer in answers} == {200}
    assert {answer.headers[HEADER] for sent, answer in answers if sent > shifted} == {"green"}
    assert {answer.headers[HEADER] for sent, answer in answers if sent < began - 2} <= {"blue"}


def test_traffic_is_mirrored_and_nobody_notices(ml_client, digits, made):
    before = len(made.read_text().splitlines()) if made.exists() else 0
    set_traffic(ml_client, {"blue": 100}, {"green": 50})
    answers = digits.ask_at_once(60, "mirrored", clients=2)
    assert {(one.status_code, one.headers[HEADER], one.json()["got"]) for one in answers} == {(200, "blue", "mirrored")}
    wait_until(lambda: len(made.read_text().splitlines()) - before > 8)
    set_traffic(ml_client, {"blue": 100})
    digits.ask("the last", deployment="green")  # which comes after the copies
    assert len(made.read_text().splitlines()) - before < 54
    assert ml_client.online_endpoints.get("digits").mirror_traffic == {}


def test_what_a_script_does_not_answer_well_is_told_with_its_own_status(digits):
    refused = digits.ask("fail", deployment="blue")
    assert (refused.status_code, refused.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    assert refused.headers["ms-azureml-model-error-reason"] == "Internal Server Error"
    assert refused.headers[HEADER] == "blue" and "error occurred in scoring script" in refused.json()["message"]


def test_more_requests_than_a_deployment_takes_and_longer_ones(ml_client, digits, tmp_path):
    settings = OnlineRequestSettings(max_concurrent_requests_per_instance=1, request_timeout_ms=4000)
    go = {"GO": str(tmp_path / "go")}
    deploy(ml_client, deployment("waiting", script=WAITING, request_settings=settings, environment_variables=go))
    answers = digits.ask_at_once(3, clients=3, deployment="waiting")
    assert sorted(one.status_code for one in answers) == [408, 408, 429]
    told = {one.status_code: one.json()["error"] for one in answers}
    assert told[408]["code"] == "RequestTimeout" and "request_timeout_ms, 4 s" in told[408]["message"]
    assert told[429]["code"] == "TooManyRequests" and "takes 2 at once" in told[429]["message"]
    (tmp_path / "go").touch()
    assert wait_until(lambda: (answer := digits.ask(deployment="waiting")).ok and answer).json() == "done"
    ml_client.online_deployments.begin_delete("waiting", "digits").result()
    assert digits.ask(deployment="waiting").status_code == 404


# Who is let in


def test_keys_are_the_endpoints_and_are_replaced_one_at_a_time(ml_client, digits):
    before = ml_client.online_endpoints.get_keys("digits")
    ml_client.online_endpoints.begin_regenerate_keys("digits", key_type="primary").result()
    after = ml_client.online_endpoints.get_keys("digits")
    assert after.primary_key != before.primary_key and after.secondary_key == before.secondary_key
    refused = digits.ask()
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "Unauthorized")
    for key in (after.primary_key, after.secondary_key):
        assert digits.ask(Authorization=f"Bearer {key}").status_code == 200
    ml_client.online_endpoints.begin_regenerate_keys("digits", key_type="secondary").result()
    assert digits.ask(Authorization=f"Bearer {after.secondary_key}").status_code == 401
    assert before.primary_key not in str(vars(ml_client.online_endpoints.get("digits")))


def test_nothing_listens_but_the_door_on_loopback(digits):
    listening = set()
    for service in (of_engine("digits"), *(of_engine(f"digits/{name}", services.ONLINE) for name in ("blue", "green"))):
        for process in processes_of(service):
            connections = process.net_connections(kind="inet")
            listening |= {tuple(one.laddr) for one in connections if one.status == psutil.CONN_LISTEN}
    assert listening == {("127.0.0.1", of_engine("digits")["port"])}


# How deployments change, fail and end


def test_a_deployment_is_replaced_in_place_and_no_request_is_lost(ml_client, digits):
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answers.append(digits.ask())

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    settings = OnlineRequestSettings(max_concurrent_requests_per_instance=8)
    (blue,) = deploy(ml_client, deployment("blue", script=SECOND, request_settings=settings))
    stop.set()
    for client in clients:
        client.join()
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["by"] for answer in answers} <= {"first", "second"} and len(answers) > 8
    assert (digits.ask().json()["by"], blue.provisioning_state, blue.tags) == ("second", "Succeeded", {})


def test_a_script_that_fails_in_init_is_told_and_can_be_mended(ml_client, digits):
    broken = deployment("broken", script="def init():\n    raise OSError('no weights')\n\ndef run(data): pass")
    with pytest.raises(HttpResponseError, match=r"init\(\) function: OSError: no weights"):
        deploy(ml_client, broken)
    assert ml_client.online_deployments.get("broken", "digits").provisioning_state == "Failed"
    logs = ml_client.online_deployments.get_logs("broken", "digits", lines=200)
    assert "Traceback (most recent call last)" in logs and "OSError: no weights" in logs
    assert ml_client.online_deployments.get_logs("broken", "digits", lines=1).count("\n") == 1
    brought = ml_client.online_deployments.get_logs("broken", "digits", 9, container_type="storage-initializer")
    assert brought == ""
    refused = digits.ask(deployment="broken")
    assert (refused.status_code, "no weights" in refused.json()["error"]["message"]) == (503, True)
    assert digits.ask().status_code == 200

    (mended,) = deploy(ml_client, deployment("broken"))
    assert mended.provisioning_state == "Succeeded"
    assert digits.ask(deployment="broken").status_code == 200
    ml_client.online_deployments.begin_delete("broken", "digits").result()


def test_a_door_whose_process_was_killed_is_told_and_opened_again(ml_client, digits):
    before = of_engine("digits")
    (door,) = processes_of(before)
    door.kill()
    wait_until(lambda: ml_client.online_endpoints.get("digits").provisioning_state == "Failed")
    with pytest.raises(requests.ConnectionError):
        digits.ask()
    endpoint = set_traffic(ml_client, {"blue": 100})
    assert (endpoint.provisioning_state, endpoint.scoring_uri) == ("Succeeded", digits.address)
    assert digits.ask().status_code == 200


# MLflow models


def test_an_mlflow_model_needs_no_script(ml_client, digits, tmp_path):
    path = write_mlflow_model(tmp_path / "doubling")
    ml_client.models.create_or_update(Model(name="doubling", path=path, type="mlflow_model"))
    served = deployment("no-code", model="doubling@latest", environment=None, code_configuration=None)
    (found,) = deploy(ml_client, served)
    assert (found.provisioning_state, found.code_configuration, found.environment) == ("Succeeded", None, None)

    def predict(given):
        return digits.ask(given, deployment="no-code")

    table = {"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}
    doubled = [{"a": 2.0, "b": 4.0}, {"a": 6.0, "b": 8.0}]
    assert predict({"input_data": table}).json() == doubled
    assert predict({"input_data": {"columns": ["b", "a"], "data": [[2, 1], [4, 3]]}}).json() == doubled
    assert predict({"input_data": {"a": [1, 3], "b": [2, 4]}}).json() == doubled
    for wrong, told in (
        ({"data": [[1, 2]]}, "input_data"),
        ([1], "input_data"),
        ({"input_data": {"columns": ["a"], "data": [[1]]}}, "b"),
    ):
        refused = predict(wrong)
        assert (refused.status_code, refused.headers["ms-azureml-model-error-statuscode"]) == (424, "400"), wrong
        assert told in refused.json()["message"]
    ml_client.online_deployments.begin_delete("no-code", "digits").result()


# What is refused


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"auth_mode": "foo"}, "'foo' is no auth_mode"),
        ({"public_network_access": "perhaps"}, "'perhaps' is no public_network_access"),
        ({"traffic": {"blue": 100}}, "names 'blue', which is none of its deployments; they are: none yet"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(ml_client, made, details, message):
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    with pytest.raises(HttpResponseError, match=message):
        ml_client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="other", **details))
    assert "other" not in [one.name for one in ml_client.online_endpoints.list()]


@pytest.mark.parametrize(
    ("traffic", "message"),
    [
        ({"blue": 90}, r"\(UserError\) The traffic .* has to add up to 100 per cent, or to 0; blue 90 is 90"),
        ({"blue": 50, "red": 50}, "names 'red', which is none of its deployments; they are: blue, green"),
    ],
)
def test_traffic_that_cannot_be_is_refused_and_changes_nothing(ml_client, digits, traffic, message):
    with pytest.raises(HttpResponseError, match=message) as refused:
        set_traffic(ml_client, traffic)
    assert refused.value.status_code == 400
    assert ml_client.online_endpoints.get("digits").traffic == {"blue": 100, "green": 0}


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"instance_type": "Standard_DS3_v22"}, r"'Standard_DS3_v22' is not known here\. Did you mean Standard_DS3_v2"),
        ({"instance_type": None}, "needs an instance_type"),
        ({"request_settings": OnlineRequestSettings(request_timeout_ms=180001)}, "180001; it can be at most 180000"),
        ({"egress_public_network_access": "perhaps"}, "'perhaps' is no egress_public_network_access"),
        (
            {"liveness_probe": ProbeSettings(success_threshold=0)},
            "timeout and thresholds of a liveness_probe have to be at least 1",
        ),
        ({"readiness_probe": ProbeSettings(failure_threshold=0)}, "of a readiness_probe have to be at least 1"),
        ({"instance_count": 0}, "instance_count of a deployment is a whole number above 0, not 0"),
        ({"environment": None}, "needs an environment"),
        ({"environment": "no-such:1"}, "no environment 'no-such' version '1'"),
        ({"model": "no-such:1"}, "no model 'no-such'"),
        ({"code_configuration": None}, "without a scoring script needs a model of the type mlflow_model"),
        ({"environment_variables": {"A=B": "1"}}, "'A=B' is no name for an environment variable"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused_and_leaves_nothing(ml_client, made, details, message):
    with pytest.raises(HttpResponseError, match=message):
        ml_client.online_deployments.begin_create_or_update(deployment("other", **details))
    assert [one.name for one in ml_client.online_deployments.list("digits")] == ["blue", "green"]


def test_an_mlflow_model_without_a_signature_is_refused(ml_client, made, tmp_path):
    path = write_mlflow_model(tmp_path / "unsigned", signature=False)
    ml_client.models.create_or_update(Model(name="unsigned", path=path, type="mlflow_model"))
    served = deployment("other", model="unsigned@latest", environment=None, code_configuration=None)
    with pytest.raises(HttpResponseError, match="unsigned:1 has no signature"):
        ml_client.online_deployments.begin_create_or_update(served)


def test_what_is_not_there_is_told(ml_client, digits, tmp_path):
    for ask in (
        lambda: ml_client.online_endpoints.get("no-such"),
        lambda: ml_client.online_endpoints.get_keys("no-such"),
        lambda: ml_client.online_endpoints.begin_delete("no-such"),
        lambda: ml_client.online_deployments.begin_create_or_update(deployment("blue", "no-such")),
        lambda: list(ml_client.online_deployments.list("no-such")),
    ):
        with pytest.raises(ResourceNotFoundError, match=r"no online endpoint 'no-such'\. There are: digits"):
            ask()
    with pytest.raises(ResourceNotFoundError, match="'digits' has no deployment 'no-such'; it has: blue, green"):
        ml_client.online_deployments.get("no-such", "digits")
    refused = digits.ask(deployment="no-such")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "NotFound")


def test_an_endpoint_without_deployments_that_is_invoked(ml_client, made, tmp_path):
    make_endpoint(ml_client, "empty")
    (tmp_path / "request.json").write_text("1", encoding="utf-8")
    refused = Caller(ml_client, "empty").ask()
    assert refused.status_code == 404
    told = "'empty' has no deployment with traffic, so nobody answers. Its deployments: none"
    assert told in refused.json()["error"]["message"]
    with pytest.raises(HttpResponseError, match="'empty' has no deployment"):
        ml_client.online_endpoints.invoke("empty", request_file=tmp_path / "request.json")
    ml_client.online_endpoints.begin_delete("empty").result()


def test_a_deployment_with_traffic_is_not_deleted(ml_client, digits):
    with pytest.raises(HttpResponseError, match="'blue' has 100 per cent of the endpoint's traffic"):
        ml_client.online_deployments.begin_delete("blue", "digits")
    set_traffic(ml_client, {"blue": 100}, {"green": 10})
    with pytest.raises(HttpResponseError, match="'green' has 10 per cent of the endpoint's mirror traffic"):
        ml_client.online_deployments.begin_delete("green", "digits")
    assert digits.ask(deployment="green").status_code == 200


def test_while_an_operation_is_under_way_another_is_refused(ml_client, digits, tmp_path):
    slow = deployment(
        "slow", script="import time\ndef init(): time.sleep(600)\ndef run(data): pass", environment_variables={}
    )
    ml_client.online_deployments.begin_create_or_update(slow)
    assert ml_client.online_deployments.get("slow", "digits").provisioning_state == "Creating"
    refused = digits.ask(deployment="slow")
    assert (refused.status_code, refused.json()["error"]["message"]) == (503, "The deployment is not ready yet.")
    with pytest.raises(HttpResponseError, match=r"\(Conflict\) An operation of the deployment 'slow' is under way"):
        ml_client.online_deployments.begin_create_or_update(slow)
    service = of_engine("digits/slow", services.ONLINE)
    ml_client.online_deployments.begin_delete("slow", "digits").result()
    assert processes_of(service) == []


def test_a_model_that_is_deployed_is_in_use(made):
    assert services.using(folders.offline_folder(), "tiny:1") == ["digits/blue", "digits/green"]
