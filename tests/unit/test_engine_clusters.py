"""Clusters and their nodes, VM sizes, and the check of a job's environment."""

import platform
import re
from importlib import metadata

import pytest
from small_jobs import make_cluster

from helpers import retired
from helpers.offline.engine import environments
from helpers.offline.engine.compute import clusters, description, vm_sizes
from helpers.offline.engine.history import job_states
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import AlreadyExists, Invalid, NotFound


@pytest.fixture
def opened(tmp_path):
    return folder.open_folder(tmp_path / "offline")  # its jobs are rows alone, without processes


def queue(opened, *run_ids):
    for run_id in run_ids:
        job_states.insert(opened, run_id, "cpu")
        job_states.advance(opened, run_id, "Queued")


def test_nodes_come_with_runs_and_stay_idle_for_a_while(opened):
    make_cluster(opened, max_nodes=2, idle_seconds=120)
    assert clusters.state(opened, "cpu")["current"] == 0
    queue(opened, "a")
    assert clusters.state(opened, "cpu")["allocation_state"] == "Resizing"
    assert clusters.take_nodes(opened, "cpu", "a") == [0]
    job_states.advance(opened, "a", "Completed")
    clusters.release_nodes(opened, "a")
    state = clusters.state(opened, "cpu")
    assert (state["current"], state["idle"], state["running"]) == (1, 1, 0)


def test_where_the_clock_is_put_back_idle_nodes_go_and_no_run_overtakes_another(opened, monkeypatch):
    make_cluster(opened, max_nodes=1, idle_seconds=120)
    queue(opened, "a")
    assert clusters.take_nodes(opened, "cpu", "a") == [0]
    job_states.advance(opened, "a", "Completed")
    clusters.release_nodes(opened, "a")
    queue(opened, "first")
    an_hour_ago = clusters.time.time() - 3600
    monkeypatch.setattr(clusters.time, "time", lambda: an_hour_ago)
    assert clusters.state(opened, "cpu")["current"] == 0
    queue(opened, "second")
    assert clusters.take_nodes(opened, "cpu", "second") is None
    assert clusters.take_nodes(opened, "cpu", "first") == [0]
    assert [job["run_id"] for job in job_states.unfinished(opened)] == ["first", "second"]


def test_idle_nodes_go_away_and_min_nodes_stay(opened, monkeypatch):
    make_cluster(opened, max_nodes=3, min_nodes=1, idle_seconds=120)
    assert clusters.state(opened, "cpu")["idle"] == 1
    for run_id in ("a", "b"):
        queue(opened, run_id)
        clusters.take_nodes(opened, "cpu", run_id)
        job_states.advance(opened, run_id, "Running")
    assert clusters.state(opened, "cpu")["running"] == 2
    clusters.release_nodes(opened, "a")
    clusters.release_nodes(opened, "b")
    now = clusters.time.time()
    monkeypatch.setattr(clusters.time, "time", lambda: now + 119)
    assert clusters.state(opened, "cpu")["current"] == 2
    monkeypatch.setattr(clusters.time, "time", lambda: now + 122)
    assert clusters.state(opened, "cpu")["current"] == 1


def test_a_full_cluster_gives_no_node(opened):
    make_cluster(opened, max_nodes=1)
    queue(opened, "a")
    assert clusters.take_nodes(opened, "cpu", "a") == [0]
    job_states.advance(opened, "a", "Running")
    queue(opened, "b", "c")
    assert clusters.take_nodes(opened, "cpu", "b") is None
    clusters.release_nodes(opened, "a")
    assert clusters.take_nodes(opened, "cpu", "c") is None  # b waits longer
    assert clusters.take_nodes(opened, "cpu", "b") == [0]


def test_fewer_max_nodes_than_run_take_effect_as_they_end(opened):
    make_cluster(opened, max_nodes=2)
    for run_id in ("a", "b"):
        queue(opened, run_id)
        clusters.take_nodes(opened, "cpu", run_id)
        job_states.advance(opened, run_id, "Running")
    clusters.update(opened, "cpu", max_nodes=1)
    clusters.release_nodes(opened, "a")
    queue(opened, "c")
    assert clusters.take_nodes(opened, "cpu", "c") is None
    clusters.release_nodes(opened, "b")
    assert clusters.take_nodes(opened, "cpu", "c") is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_nodes": 0}, "can be 1 to 100, not 0"),
        ({"max_nodes": -1}, "can be 1 to 100, not -1"),
        ({"min_nodes": 3}, "here 2; not 3"),
        ({"min_nodes": -1}, "here 2; not -1"),
        ({"idle_seconds": -1}, "idle time"),
        ({"vm_size": "STANDARD_NC6"}, "retired .* Standard_NC4as_T4_v3"),
        ({"vm_size": "Standard_NC4as_T4"}, "Did you mean Standard_NC4as_T4_v3"),
    ],
)
def test_what_the_service_refuses(opened, changes, words):
    with pytest.raises(Invalid, match=words):
        make_cluster(opened, **changes)
    assert clusters.list_all(opened) == []


def test_a_name_is_taken_once(opened):
    make_cluster(opened)
    with pytest.raises(AlreadyExists):
        make_cluster(opened)
    with pytest.raises(NotFound):
        clusters.get(opened, "other")


def test_a_list_of_clusters_stands_while_one_is_deleted(opened):
    make_cluster(opened, min_nodes=2)
    there = clusters.list_all(opened)
    clusters.delete(opened, "cpu")
    assert [description.properties_of(opened, cluster)["currentNodeCount"] for cluster in there] == [0]
    make_cluster(opened, max_nodes=1)
    assert clusters.state(opened, "cpu")["current"] == 0  # it has none of the nodes of the other one


def test_every_successor_is_offered():
    assert {successor.lower() for _, successor in retired.VM_SIZES.values()} <= vm_sizes.SIZES.keys()
    assert not retired.VM_SIZES.keys() & vm_sizes.SIZES.keys()


def problems(*dependencies):
    return environments.check({"name": "e", "python": {"condaDependencies": {"dependencies": list(dependencies)}}})[1]


NUMPY = metadata.version("numpy")


@pytest.mark.parametrize(
    "dependency",
    [
        "python=3.11",
        "pip",
        "cudatoolkit=11.8",
        f"numpy={NUMPY}",
        f"numpy={NUMPY.rsplit('.', 1)[0]}",
        "conda-forge::numpy>=1.20",
        "numpy",
        {"pip": [f"numpy=={NUMPY}", "azureml-defaults", "tensorflow[and-cuda]>=2", "--extra-index-url https://x.org"]},
        {"pip": ["no-such-thing; sys_platform == 'win32'"]},
    ],
)
def test_what_is_installed_has_no_problem(dependency):
    assert problems(dependency) == []


@pytest.mark.parametrize(
    ("dependency", "words"),
    [
        ("numpy=1.0", "numpy==1.0.* is asked for"),
        ("no-such-thing", "not installed"),
        ({"pip": ["numpy==1.0"]}, "numpy==1.0 is asked for"),
        ({"pip": ["tensorflow[and-cuda]==2.0"]}, r"==2.0 is asked for, but 2.* is installed"),
        ({"pip": ["tensorflow-gpu==2.0.0"]}, r"tensorflow\[and-cuda\]"),
        ({"pip": ["not a requirement!"]}, "no requirement"),
    ],
)
def test_what_is_not_installed_has_one(dependency, words):
    (problem,) = problems(dependency)
    assert re.search(words, problem)


@pytest.mark.parametrize("installed", ["tensorflow", "tensorflow-cpu"])
def test_either_tensorflow_serves_for_the_other(installed, monkeypatch):
    def version(name):
        if name != installed:
            raise metadata.PackageNotFoundError(name)
        return "2.21.0"

    monkeypatch.setattr(metadata, "version", version)
    assert problems({"pip": ["tensorflow[and-cuda]>=2.21", "tensorflow-cpu==2.21.*"]}, "tensorflow") == []
    assert len(problems("tensorflow=2.0", "keras")) == 2


def test_another_python_is_told_but_runs():
    lines, missing = environments.check({"python": {"condaDependencies": {"dependencies": ["python=3.7"]}}})
    assert missing == [] and any(platform.python_version() in line and "3.7" in line for line in lines)


def test_an_environment_of_the_users_own_is_not_checked():
    assert environments.check({"python": {"userManagedDependencies": True}})[1] == []
    assert environments.check(None)[1] == []


@pytest.mark.parametrize("dependencies", [5, "numpy", [{"pip": "numpy"}]])
def test_dependencies_that_are_no_list_are_refused(dependencies):
    with pytest.raises(Invalid, match="has to be a list"):
        environments.check({"name": "e", "python": {"condaDependencies": {"dependencies": dependencies}}})
