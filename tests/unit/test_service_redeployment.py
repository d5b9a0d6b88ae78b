"""A service that is deployed anew: at any moment of the deployment before, and what is reported of which."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from small_jobs import wait_until
from small_services import ECHO, post, processes_of, register_model, wait_for_service, wanted

from helpers.offline.engine import services
from helpers.offline.engine.services import handover, records, staging
from helpers.offline.engine.workspace import leftovers
from helpers.offline.engine.workspace.errors import NotAllowed

BROKEN = "def init(): raise OSError('no weights')\ndef run(data): pass"
HANGS = "import time\ndef init(): time.sleep(600)\ndef run(data): pass"


@pytest.fixture
def opened(offline_folder, tmp_path):
    register_model(offline_folder, tmp_path)
    return offline_folder


@pytest.fixture
def locks(monkeypatch):
    """In place of the processes that are started for a service: the lock of each, by the deployment's number."""
    held = {}

    def start(module, folder, type, name, id, listener, lock):
        held[records.get(folder, type, name)["deployment"]] = os.dup(lock)

    monkeypatch.setattr(records, "start", start)
    yield held
    for lock in held.values():
        os.close(lock)


def deploy(opened, tmp_path, script=ECHO):
    return services.deploy(opened, "ACI", "again", wanted(tmp_path / "first", script))


def redeploy(opened, tmp_path, script=ECHO):
    source = wanted(tmp_path / "fixed", script)["source_directory"]
    return services.redeploy(opened, "ACI", "again", {"source_directory": source})


def folders(opened, service):
    """The numbers of the deployments whose files are there."""
    return {int(place.name) for place in records.service_folder(opened, service["id"]).glob("[0-9]*")}


def test_what_becomes_of_a_deployment_is_not_told_of_a_later_one(opened, tmp_path, locks):
    id = deploy(opened, tmp_path)["id"]
    asked = redeploy(opened, tmp_path)
    for tell in (
        lambda number: records.succeed(opened, "ACI", "again", id, number),
        lambda number: records.fail(opened, "ACI", "again", id, number, "ServiceFailed", "no weights"),
        lambda number: records.tell(opened, "ACI", "again", id, number, "Healthy"),
    ):
        with pytest.raises(records.Superseded):
            tell(1)
        assert services.get(opened, "ACI", "again") == asked
    records.succeed(opened, "ACI", "again", id, 2)
    done = services.get(opened, "ACI", "again")
    assert (done["state"], done["operation"]) == ("Healthy", asked["operation"] | {"state": "Succeeded"})


@pytest.mark.parametrize("served", [False, True])
def test_a_deployment_that_hangs_is_given_up_for_its_fix(opened, tmp_path, served):
    service = deploy(opened, tmp_path, ECHO if served else HANGS)
    if served:
        wait_for_service(opened, "again")
        redeploy(opened, tmp_path, HANGS)
    hanging = f"{2 if served else 1}/{staging.APP_ROOT}"
    at_work = wait_until(lambda: [one for one in processes_of(service) if one.cwd().endswith(hanging)])
    fixed = redeploy(opened, tmp_path, ECHO.replace("got", "better"))
    over = wait_for_service(opened, "again")
    assert over["operation"] == fixed["operation"] | {"state": "Succeeded"}
    assert post(over, json=1).json() == {"better": 1}
    assert not any(process.is_running() for process in at_work)
    wait_until(lambda: folders(opened, service) == {over["deployment"]})


def test_only_the_files_of_the_deployment_that_serves_are_kept(opened, tmp_path):
    service = deploy(opened, tmp_path)
    wait_for_service(opened, "again")
    for script, succeeds, kept in ((BROKEN, False, 1), (ECHO.replace("got", "better"), True, 3)):
        redeploy(opened, tmp_path, script)
        over = wait_for_service(opened, "again")
        assert over["operation"]["state"] == ("Succeeded" if succeeds else "Failed")
        wait_until(lambda kept=kept: folders(opened, service) == {kept})
    assert (over["deployment"], post(over, json=1).json()) == (3, {"better": 1})
    assert "OSError: no weights" in services.logs(opened, "ACI", "again", -1)


def in_the_way(python):
    python.write_text("")
    return "This machine could not do what the service needs: [Errno 20] Not a directory: "


def full_disk(python):
    python.mkdir()
    (python / "pyvenv.cfg").symlink_to("/dev/full")
    return "The disk that holds the offline workspace in "


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full disk to offer")
@pytest.mark.parametrize("obstacle", [in_the_way, full_disk])
def test_a_deployment_that_the_system_refuses_leaves_the_service_as_it_was(opened, tmp_path, monkeypatch, obstacle):
    service = deploy(opened, tmp_path)
    wait_for_service(opened, "again")
    serving = {one for one in processes_of(service) if one.cwd().endswith(f"1/{staging.APP_ROOT}")}
    told = []
    with monkeypatch.context() as patch:
        stage = staging.stage
        patch.setattr(staging, "stage", lambda *to: (stage(*to), told.append(obstacle(to[1] / "python"))))
        redeploy(opened, tmp_path)
    over = wait_for_service(opened, "again")
    assert (over["state"], over["operation"]["state"]) == ("Healthy", "Failed")
    message = over["operation"]["error"]["message"]
    assert message.startswith(told[0]) and message.endswith(". The service goes on as it was.")
    assert post(over, json=1).json() == {"got": 1}
    assert serving and all(one.is_running() for one in serving)
    redeploy(opened, tmp_path, ECHO.replace("got", "better"))
    assert post(wait_for_service(opened, "again"), json=1).json() == {"better": 1}


def test_a_deployment_that_is_deleted_as_the_next_one_takes_over_is_not_asked(tmp_path, monkeypatch):
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
    handover.point(tmp_path, "1")
    opens = handover._open

    def overtaken(deployment):
        monkeypatch.setattr(handover, "_open", opens)
        handover.point(tmp_path, "2")
        shutil.rmtree(tmp_path / "1")
        return opens(deployment)

    monkeypatch.setattr(handover, "_open", overtaken)
    with handover.in_use(tmp_path) as server:
        assert server == tmp_path / "2" / handover.SOCKET
    shutil.rmtree(tmp_path / "2")
    with handover.in_use(tmp_path) as server:
        assert server is None


def test_a_deployment_that_is_being_made_is_not_deleted(opened, tmp_path, locks, monkeypatch):
    copytree, kept = shutil.copytree, []

    def copied(source, target, **settings):
        place = target.parents[1]
        leftovers.delete(place)
        kept.append(place.exists())
        return copytree(source, target, **settings)

    monkeypatch.setattr(shutil, "copytree", copied)
    service = deploy(opened, tmp_path)
    assert kept[0]
    leftovers.delete(records.service_folder(opened, service["id"]) / "1")
    assert folders(opened, service) == set()


def test_the_process_of_a_service_that_has_failed_is_waited_for(opened, tmp_path, locks, monkeypatch):
    service = deploy(opened, tmp_path)
    id = service["id"]
    records.fail(opened, "ACI", "again", id, 1, "ServiceFailed", "no weights")
    another = threading.Thread(target=redeploy, args=(opened, tmp_path))
    with monkeypatch.context() as patch:
        asked = threading.Event()
        patch.setattr(records, "take_lock", lambda *a, take=records.take_lock: (take(*a), asked.set())[0])
        another.start()
        asked.wait(60)
        assert another.is_alive() and list(locks) == [1]
        os.close(locks.pop(1))
        another.join(60)
    assert list(locks) == [2]

    records.fail(opened, "ACI", "again", id, 2, "ServiceFailed", "no weights")
    monkeypatch.setattr(records, "PATIENCE", 0)
    before = folders(opened, service)
    with pytest.raises(NotAllowed, match="try again later"):
        redeploy(opened, tmp_path)
    assert folders(opened, service) == before


def test_of_two_deployments_at_once_the_later_one_stays(opened, tmp_path, locks, monkeypatch):
    service = deploy(opened, tmp_path)
    stage = staging.stage

    def overtaken(*arguments):
        monkeypatch.setattr(staging, "stage", stage)
        stage(*arguments)
        redeploy(opened, tmp_path)

    monkeypatch.setattr(staging, "stage", overtaken)
    with pytest.raises(NotAllowed, match="by somebody else at this moment"):
        redeploy(opened, tmp_path)
    assert services.get(opened, "ACI", "again")["deployment"] == 3
    assert folders(opened, service) == {1, 3}
