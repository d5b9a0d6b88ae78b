"""Builds of environments that are canceled, killed half-way, or asked for twice at once."""

import os
import re

import psutil
import pytest
from small_jobs import submit, supervisor_of, wait_for, wait_until
from small_packages import THIS_PYTHON, SlowPackage, environment, make_wheel
from small_services import register_model, wait_for_service, wanted

from helpers.offline.engine import jobs, services
from helpers.offline.engine.environments import virtual_environments
from helpers.offline.engine.history import job_states, logs
from helpers.offline.engine.workspace import folder

SCRIPT = "import slow; print(slow.__file__)"
VARIABLES = {virtual_environments.VARIABLE: "1"}
FULL = r"The disk that holds .*/environments/\w+ or the temporary folder .* is full\. Make room, and try again\.\n"
NO_ROOM = """
import errno, os
def build_wheel(*given):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
"""


@pytest.fixture
def opened(offline_folder, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder.open_folder()


@pytest.fixture
def slow(tmp_path):
    return SlowPackage(tmp_path / "slow")


@pytest.fixture
def submit_slow(opened, slow, tmp_path):
    def submit_one(name="small"):
        small = environment(str(slow.folder), name=name)
        return submit(opened, tmp_path / "s", SCRIPT, environment=small, environment_variables=VARIABLES)

    return submit_one


def whole(opened):
    """The environments that are taken for good."""
    return [log.parent for log in opened.glob(f"environments/*/{virtual_environments.BUILD_LOG}")]


def wait_until_it_waits(opened, run_id):
    log = logs.build_log_path(opened, run_id)
    wait_until(lambda: log.exists() and "Another run builds this environment" in log.read_text())
    return log


def is_gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_build_that_is_canceled(opened, slow, submit_slow):
    run_id = submit_slow()
    wait_until(slow.builders)
    build_log = logs.build_log_path(opened, run_id)
    assert "slow" in build_log.read_text()  # it grows while it builds
    assert jobs.look(opened, run_id)["status"] == "Preparing"
    jobs.cancel(opened, run_id)
    state = wait_for(opened, run_id, "Canceled")
    assert [stage["status"] for stage in state["stages"]][:3] == ["NotStarted", "Preparing", "Finalizing"]
    assert is_gone(slow.builders()[0])
    assert whole(opened) == [] and not list(opened.glob("environments/*/bin"))


def test_two_runs_that_want_the_same_environment_build_it_once(opened, slow, submit_slow):
    first = submit_slow()
    wait_until(slow.builders)
    second, third = submit_slow("the same by another name"), submit_slow()
    waiting = wait_until_it_waits(opened, second)
    assert jobs.look(opened, second)["status"] == "Preparing"
    wait_until_it_waits(opened, third)
    jobs.cancel(opened, third)
    wait_for(opened, third, "Canceled")
    slow.let_go()
    for run_id in (first, second):
        wait_for(opened, run_id, "Completed")
    assert len(slow.builders()) == 1
    (place,) = whole(opened)
    assert [logs.log_path(opened, run_id).read_text() for run_id in (first, second)] == [
        f"{place}/lib/python{THIS_PYTHON}/site-packages/slow.py\n"
    ] * 2
    assert "Successfully installed slow" in waiting.read_text()


def test_whoever_waits_takes_over_from_a_builder_that_died(opened, slow, submit_slow):
    first = submit_slow()
    wait_until(slow.builders)
    second = submit_slow()
    wait_until_it_waits(opened, second)
    supervisor_of(first).kill()
    wait_until(lambda: len(slow.builders()) == 2)  # without a look of ours
    orphan, _ = slow.builders()
    assert is_gone(orphan)
    assert job_states.get(opened, first)["status"] == "Failed"
    slow.let_go()
    wait_for(opened, second, "Completed")


def test_after_a_build_that_was_killed_half_way_the_next_starts_clean(opened, slow, submit_slow):
    first = submit_slow()
    wait_until(slow.builders)
    (half_made,) = opened.glob("environments/*/bin")
    (half_made.parent / "lib" / "left-over").touch()
    supervisor = supervisor_of(first)
    supervisor.kill()
    supervisor.wait(10)
    assert jobs.look(opened, first)["status"] == "Failed"
    assert is_gone(slow.builders()[0])
    assert whole(opened) == []

    slow.let_go()
    wait_for(opened, submit_slow(), "Completed")
    assert len(slow.builders()) == 2
    assert whole(opened) == [half_made.parent]
    assert not (half_made.parent / "lib" / "left-over").exists()


def test_after_a_build_that_failed_the_next_tries_again(opened, tmp_path):
    wanted = environment(f"--find-links {tmp_path / 'wheels'}", "slow")
    variables = {virtual_environments.VARIABLE: "1"}
    run_id = submit(opened, tmp_path / "s", SCRIPT, environment=wanted, environment_variables=variables)
    wait_for(opened, run_id, "Failed")
    make_wheel(tmp_path / "wheels", "slow")
    run_id = submit(opened, tmp_path / "s", SCRIPT, environment=wanted, environment_variables=variables)
    wait_for(opened, run_id, "Completed")


@pytest.fixture
def no_room(slow):
    """What asks for a package whose build finds the disk full."""
    (slow.folder / "backend.py").write_text(NO_ROOM)
    return environment(str(slow.folder), "azureml-defaults")


def test_a_full_disk_fails_no_job_as_a_wrong_environment(opened, no_room, tmp_path):
    run_id = submit(opened, tmp_path / "s", "", environment=no_room, environment_variables=VARIABLES)
    error = wait_for(opened, run_id, "Failed")["error"]
    assert error["code"] == "SystemError"
    assert re.match(FULL, error["message"])
    assert whole(opened) == [] and not list(opened.glob("environments/*/bin"))


def test_a_full_disk_fails_no_service_as_a_wrong_environment(opened, no_room, tmp_path):
    register_model(opened, tmp_path)
    no_room["environmentVariables"] = VARIABLES
    services.deploy(opened, "ACI", "small", wanted(tmp_path / "s", environment=no_room))
    failed = wait_for_service(opened, "small")
    assert failed["state"] == "Failed"
    assert re.match(FULL, failed["error"]["message"])
