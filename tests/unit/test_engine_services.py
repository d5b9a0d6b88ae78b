"""Services: what they are given, who is let in, how they fail, and that nothing of them is left."""

import json
import os
import socket
import stat
import subprocess
import sys

import psutil
import pytest
import requests
from small_jobs import wait_until
from small_services import (
    ECHO,
    ENVIRONMENT,
    post,
    processes_of,
    register_model,
    supervisor_of,
    wait_for_service,
    wanted,
)

from helpers.offline.engine import assets, removal, services
from helpers.offline.engine.processes.run_python import SDK
from helpers.offline.engine.services import access, records
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import AlreadyExists, Invalid, NotFound

REPORT = """
import gc, os, sys

def init():
    global made
    print("the key is", os.environ.get("SECRET"))
    made = [[]]

def run(data):
    below = [os.path.join(parent, name) for parent, _, names in os.walk(".") for name in names if ".pyc" not in name]
    told = {name: value for name, value in os.environ.items() if name.startswith(("AML", "AZUREML", "MY_"))}
    return {"files": sorted(below), "variables": told, "model": sorted(os.listdir(os.environ["AZUREML_MODEL_DIR"])),
            "sought": [any(one is other for other in gc.get_objects()) for one in (made, below)],
            "exports": [name for name in sys.modules if name.startswith(("azure.monitor", "opentelemetry"))]}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """An offline workspace with a model; whatever is deployed there ends with the tests."""
    top = tmp_path_factory.mktemp("services")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(folder.VARIABLE, str(top / "offline"))
        made = folder.open_folder()
        register_model(made, top)
        yield made
        services.end_all(made)


@pytest.fixture(scope="module")
def service(world, tmp_path_factory):
    """A service with keys, deployed by a process that has ended."""
    variables = {"MY_NAME": 7, "AML_APP_INSIGHTS_ENABLED": "true", "AML_APP_INSIGHTS_KEY": "k", "AML_APP_ROOT": "/"}
    environment = ENVIRONMENT | {"environmentVariables": variables}
    asked = wanted(tmp_path_factory.mktemp("report") / "src", REPORT, auth_enabled=True, environment=environment)
    code = (
        "import json, sys; from helpers.offline.engine import services\n"
        "from helpers.offline.engine.workspace import folder\n"
        "services.deploy(folder.open_folder(), 'ACI', 'report', json.loads(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(asked)], check=True)
    found = wait_for_service(world, "report")
    assert found["state"] == "Healthy", services.logs(world, "ACI", "report", 100)
    return found


@pytest.fixture
def key(world, service):
    return services.keys(world, "ACI", "report")[0]


def test_a_script_finds_its_files_and_variables_as_in_azures_container(service, key):
    answer = post(service, key, json=1).json()
    assert answer["sought"] == [False, True]  # by the garbage collector: what init() has made, and what run() has
    files = [name for name in answer["files"] if "__pycache__" not in name]
    assert files == ["./azureml-models/tiny/1/model/weights.txt", "./src/score.py"]
    assert answer["model"] == ["model"]
    variables = answer["variables"]
    assert variables["MY_NAME"] == "7"
    assert variables["AZUREML_MODEL_DIR"] == f"{variables['AML_APP_ROOT']}/azureml-models/tiny/1"
    assert variables["AZUREML_ENTRY_SCRIPT"] == "src/score.py"
    assert variables["AML_APP_INSIGHTS_ENABLED"] == "false"
    assert "AML_APP_INSIGHTS_KEY" not in variables and answer["exports"] == []


PYTHONS = """
import json, os, subprocess, sys

CODE = "import azureml, json, os; print(json.dumps([azureml.__path__[0], os.environ.get('SERVICE_NAME'), *os.environ]))"

def init():
    pass

def start(*flags, **settings):
    return json.loads(subprocess.check_output([sys.executable, *flags, "-c", CODE], **settings))

def run(data):
    return {"path": os.environ["PYTHONPATH"], "plain": start(), "isolated": start("-I"), "empty": start(env={})}
"""


def test_a_script_finds_the_sdk_and_its_variables_and_no_secret(world, tmp_path, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "hush")
    environment = ENVIRONMENT | {"environmentVariables": {"PYTHONPATH": "/of/mine"}}
    services.deploy(world, "ACI", "pythons", wanted(tmp_path, PYTHONS, environment=environment))
    service = wait_for_service(world, "pythons")
    answer = post(service, json=1).json()
    services.delete(world, "ACI", "pythons")
    assert answer["path"] == "/of/mine"
    for started in ("plain", "isolated", "empty"):
        path, name, *variables = answer[started]
        assert (path, name) == (str(SDK / "azureml"), "pythons")
        assert "AZUREML_MODEL_DIR" in variables and "AZURE_CLIENT_SECRET" not in variables


def test_nothing_of_it_listens_beyond_loopback(service):
    """The front on a port of loopback; behind it the scoring server on no port at all."""
    found = processes_of(service)
    assert len(found) == 3  # the supervisor with the front, gunicorn, its worker
    listening = {
        tuple(connection.laddr)
        for process in found
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    }
    assert listening == {("127.0.0.1", service["port"])}


def test_only_who_has_a_key_is_let_in(world, service, key):
    address = f"http://127.0.0.1:{service['port']}"
    second = services.keys(world, "ACI", "report")[1]
    assert post(service, second, json=1).status_code == 200
    for headers in ({}, {"Authorization": key}, {"Authorization": f"Bearer {key}x"}, {"Authorization": "Bearer "}):
        for path in ("/score", "/", "/swagger.json"):
            refused = requests.get(address + path, headers=headers, timeout=60)
            assert (refused.status_code, list(refused.json())) == (401, ["message"]), (headers, path)


def test_a_key_that_was_replaced_is_refused_at_once(world, service, key):
    services.set_key(world, "ACI", "report", "primary")
    assert post(service, key, json=1).status_code == 401
    assert post(service, services.keys(world, "ACI", "report")[0], json=1).status_code == 200
    services.set_key(world, "ACI", "report", "primary", "of-my-own")
    assert post(service, "of-my-own", json=1).status_code == 200


def test_keys_are_for_their_owner_alone(world, service, key):
    assert post(service, key, json=1).status_code == 200
    place = records.service_folder(world, service["id"])
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE(access.path(place).stat().st_mode) == 0o600
    for path in [*place.rglob("*"), world / "assets.db", world / "assets.db-wal"]:
        if path.is_file() and path != access.path(place):
            assert key.encode() not in path.read_bytes(), path


def test_asking_for_a_key_can_be_switched_off_and_on(world, service, key):
    services.update(world, "ACI", "report", auth_enabled=False)
    assert post(service, json=1).status_code == 200
    services.update(world, "ACI", "report", auth_enabled=True, tags={"a": "b"})
    assert post(service, json=1).status_code == 401
    assert services.get(world, "ACI", "report")["tags"] == {"a": "b"}


def test_a_request_that_is_too_large_is_told_so(service, key):
    refused = post(service, key, data=b"1" * 140_000_000)
    assert refused.status_code == 413
    assert "140,000,000 bytes" in refused.json()["message"]
    chunked = post(service, key, data=(b"1" * 1_000_000 for _ in range(140)))
    assert chunked.status_code == 413
    assert post(service, key, json=1).status_code == 200


def test_another_deployment_has_the_address_and_the_keys_and_a_broken_one_changes_nothing(world, tmp_path):
    services.deploy(world, "ACI", "again", wanted(tmp_path / "one", auth_enabled=True))
    first = wait_for_service(world, "again")
    key = services.keys(world, "ACI", "again")[1]
    broken = wanted(tmp_path / "two", "def init():\n    raise OSError('no weights')\n\ndef run(data): pass")
    services.redeploy(world, "ACI", "again", {"source_directory": broken["source_directory"]})
    second = wait_for_service(world, "again")
    assert (second["state"], second["operation"]["state"]) == ("Healthy", "Failed")
    assert "OSError: no weights The service goes on as it was." in second["operation"]["error"]["message"]
    assert post(second, key, json=[1]).json() == {"got": [1]}
    supervisor_of(second).children()[0].kill()
    wait_until(lambda: "has ended: it was killed" in services.logs(world, "ACI", "again", 5000))
    wait_until(lambda: post(second, key, json=[1]).ok)

    better = wanted(tmp_path / "three", ECHO.replace("got", "better"))
    services.redeploy(world, "ACI", "again", {"source_directory": better["source_directory"]})
    third = wait_for_service(world, "again")
    assert (third["state"], third["error"], third["port"]) == ("Healthy", None, first["port"])
    assert post(third, key, json=[1]).json() == {"better": [1]}
    assert len(processes_of(third)) == 3
    services.delete(world, "ACI", "again")


def environment_of(*packages):
    return ENVIRONMENT | {"python": {"condaDependencies": {"dependencies": ["python=3.11", {"pip": [*packages]}]}}}


HANDLED = "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()\n"
FAILING = {
    "no-init": ({"script": "def run(data): pass"}, "does not have a init() function"),
    "no-run": ({"script": "def init(): pass"}, "does not have a run() function"),
    "init-raises": (
        {"script": HANDLED + "def init():\n    raise KeyError('weights') from ValueError('no')\ndef run(data): pass"},
        "init() function: KeyError: 'weights'",
    ),
    "several-lines": (
        {"script": "def init():\n    raise ValueError('none of:\\n  a\\n  b')\ndef run(data): pass"},
        "init() function: ValueError: none of:\n  a\n  b",
    ),
    "no-import": ({"script": "import nowhere"}, "init() function: ModuleNotFoundError: No module named 'nowhere'"),
    "no-syntax": ({"script": "def init()"}, "init() function: SyntaxError: expected ':' (score.py, line 1)"),
    "no-package": ({"environment": environment_of("azureml-defaults", "nope")}, "nope is not installed"),
    "no-server": ({"environment": environment_of("numpy")}, "Add azureml-defaults to its pip packages"),
}


def test_what_cannot_be_served_is_failed_and_says_why(world, tmp_path):
    for name, (changes, _) in FAILING.items():
        services.deploy(world, "ACI", name, wanted(tmp_path / name, **changes))
    for name, (_, reason) in FAILING.items():
        service = wait_for_service(world, name)
        assert (service["state"], service["operation"]["state"]) == ("Failed", "Failed"), name
        assert reason in service["error"]["message"], name
        assert reason in services.logs(world, "ACI", name, 5000), name
        wait_until(lambda service=service: not processes_of(service))
        with pytest.raises(requests.ConnectionError):
            post(service, json=1)
    assert "Traceback (most recent call last)" in services.logs(world, "ACI", "init-raises", 5000)
    for name in FAILING:
        services.delete(world, "ACI", name)


def test_a_supervisor_that_is_killed_is_noticed_and_can_be_followed_by_another(world, tmp_path):
    services.deploy(world, "ACI", "killed", wanted(tmp_path / "src"))
    service = wait_for_service(world, "killed")
    supervisor_of(service).kill()
    lost = wait_until(lambda: (now := services.get(world, "ACI", "killed"))["state"] == "Failed" and now)
    assert "ended before the service was deleted" in lost["error"]["message"]
    assert processes_of(service) == []

    services.redeploy(world, "ACI", "killed", {})
    back = wait_for_service(world, "killed")
    assert (back["state"], back["port"]) == ("Healthy", service["port"])
    assert post(back, json=2).json() == {"got": 2}
    services.delete(world, "ACI", "killed")


ONCE = """
import os
from pathlib import Path

def init():
    if Path("broken").exists():
        raise ValueError("broken since")

def run(data):
    return os.getpid()
"""


def test_a_scoring_server_that_dies_is_started_again_with_a_limit(world, tmp_path):
    services.deploy(world, "ACI", "dying", wanted(tmp_path / "src", ONCE))
    service = wait_for_service(world, "dying")
    first = post(service, json=1).json()

    supervisor_of(service).children()[0].kill()
    answers = []
    wait_until(lambda: answers.append(post(service, json=1)) or (answers[-1].json() not in (first,) and answers[-1].ok))
    assert {answer.status_code for answer in answers} <= {200, 502, 503}
    told = {answer.json()["message"] for answer in answers if answer.status_code == 503}
    assert told and all("is being started again" in message for message in told)
    healthy = wait_until(lambda: (now := services.get(world, "ACI", "dying"))["state"] == "Healthy" and now)
    assert healthy["error"] is None
    assert "has ended: it was killed by SIGKILL" in services.logs(world, "ACI", "dying", 5000)

    (records.service_folder(world, service["id"]) / "1" / "azureml-app" / "broken").touch()
    supervisor_of(service).children()[0].kill()
    failed = wait_until(lambda: (now := services.get(world, "ACI", "dying"))["state"] == "Failed" and now)
    assert "The scoring server has ended: ValueError: broken since It was started 5 times" in failed["error"]["message"]
    wait_until(lambda: not processes_of(service))
    services.delete(world, "ACI", "dying")


def test_as_many_lines_of_the_log_as_are_asked_for(world, service):
    whole = services.logs(world, "ACI", "report", -1).splitlines()
    assert len(whole) > 3
    for lines in (0, 1, 3, len(whole) + 5):
        assert services.logs(world, "ACI", "report", lines).splitlines() == whole[len(whole) - min(lines, len(whole)) :]


def test_a_list_of_services_stands_while_one_is_deleted(world, service, monkeypatch):
    there = records.names(world, "ACI")
    monkeypatch.setattr(records, "names", lambda *given: ["gone", *there])
    assert [one["name"] for one in services.list_all(world, "ACI")] == there


def test_the_scoring_server_ends_with_its_supervisor_even_if_nobody_looks(world, tmp_path):
    services.deploy(world, "ACI", "orphan", wanted(tmp_path / "src"))
    service = wait_for_service(world, "orphan")
    supervisor_of(service).kill()
    wait_until(lambda: not processes_of(service))
    services.delete(world, "ACI", "orphan")


def test_deleting_it_leaves_nothing(world, tmp_path):
    services.deploy(world, "ACI", "short", wanted(tmp_path / "src"))
    service = wait_for_service(world, "short")
    services.delete(world, "ACI", "short")
    assert processes_of(service) == []
    assert not records.service_folder(world, service["id"]).exists()
    with pytest.raises(requests.ConnectionError):
        post(service, json=1)
    for call in (services.get, services.delete):
        with pytest.raises(NotFound, match="short"):
            call(world, "ACI", "short")


def test_deleting_it_while_it_starts_leaves_nothing(world, tmp_path):
    slow = "import time\ndef init(): time.sleep(60)\ndef run(data): pass"
    service = services.deploy(world, "ACI", "slow", wanted(tmp_path / "src", slow))
    wait_until(lambda: len(processes_of(service)) == 3)
    assert post(service, json=1).status_code == 503
    services.delete(world, "ACI", "slow")
    assert processes_of(service) == []


def test_what_is_refused_leaves_nothing(world, service, tmp_path):
    before = sorted((world / "services").iterdir()), assets.list_latest(world, "ACI service")
    asked = wanted(tmp_path / "src")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Invalid, match=f"already in use: {port}"):
            services.deploy(world, "ACI", "refused", asked, port=port)
    with pytest.raises(Invalid, match="70000 is no port"):
        services.deploy(world, "ACI", "refused", asked, port=70000)
    with pytest.raises(NotFound, match="no model 'tiny' version 9"):
        services.deploy(world, "ACI", "refused", asked | {"models": ["tiny:9"]})
    with pytest.raises(NotFound, match=r"entry script .* does not exist"):
        services.deploy(world, "ACI", "refused", asked | {"entry_script": "other.py"})
    with pytest.raises(Invalid, match="relative path"):
        services.deploy(world, "ACI", "refused", asked | {"entry_script": "../score.py"})
    with pytest.raises(Invalid, match="of its own, for the models"):
        services.deploy(world, "ACI", "refused", wanted(tmp_path / "azureml-models"))
    with pytest.raises(AlreadyExists, match="Service report with the same name already exists"):
        services.deploy(world, "ACI", "report", asked)
    with pytest.raises(NotFound):
        services.deploy(world, "ACI", "report", asked | {"models": ["tiny:9"]}, overwrite=True)
    assert (sorted((world / "services").iterdir()), assets.list_latest(world, "ACI service")) == before
    assert post(service, services.keys(world, "ACI", "report")[0], json=1).status_code == 200


def test_resetting_the_workspace_ends_its_services(tmp_path):
    """Here the workspace lies in the source directory, as it does when somebody deploys the whole project."""
    made = folder.open_folder(tmp_path / "offline")
    services.deploy(made, "Local", "local", wanted(tmp_path, models=[]))
    service = wait_for_service(made, "local", "Local")
    deployed = records.service_folder(made, service["id"]) / "1" / "azureml-app" / tmp_path.name
    assert [path.name for path in deployed.iterdir() if path.name != "__pycache__"] == ["score.py"]
    removal.reset(made)
    assert not made.exists()
    assert processes_of(service) == []


def test_an_endpoint_that_another_process_has_made_answers_here_and_a_reset_ends_it(tmp_path):
    code = (
        "import json, sys; from helpers.offline.engine import services\n"
        "from helpers.offline.engine.workspace import folder\n"
        "made = folder.open_folder()\n"
        "services.put_endpoint(made, 'digits', {'traffic': {}, 'mirror_traffic': {}, 'settings': {}})\n"
        "services.deploy(made, services.ONLINE, 'digits/blue', json.loads(sys.argv[1]))"
    )
    limits = {"instances": 1, "at_once": 2, "seconds": 60}
    asked = wanted(tmp_path / "source", models=[], settings={"limits": limits})
    environment = os.environ | {folder.VARIABLE: str(tmp_path / "offline")}
    subprocess.run([sys.executable, "-c", code, json.dumps(asked)], check=True, env=environment)
    made = folder.open_folder(tmp_path / "offline")
    endpoint = services.get(made, services.ENDPOINT, "digits")
    blue = wait_for_service(made, "digits/blue", services.ONLINE)
    services.put_endpoint(made, "digits", {"traffic": {"blue": 100}, "mirror_traffic": {}, "settings": {}})

    key = services.keys(made, services.ENDPOINT, "digits")[0]
    assert post(endpoint, json=3).status_code == 401
    assert post(endpoint, key, json=3).json() == {"got": 3}
    place = records.service_folder(made, endpoint["id"])
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE(access.path(place).stat().st_mode) == 0o600
    for path in [*(made / "services").rglob("*"), made / "assets.db", made / "assets.db-wal"]:
        if path.is_file() and path != access.path(place):
            assert key.encode() not in path.read_bytes(), path

    removal.reset(made)
    assert not made.exists()
    assert [processes_of(endpoint), processes_of(blue)] == [[], []]
