"""The mocked SDK's clusters: created, watched, changed and refused as on Azure."""

import threading

import pytest
import small_jobs
from azureml._strict import UnsupportedOfflineError
from azureml.core import ComputeTarget, Workspace
from azureml.core.compute import AmlCompute
from azureml.core.compute_target import ComputeTargetException
from azureml.exceptions import UserErrorException

from helpers.offline.engine.compute import clusters

T4 = "STANDARD_NC4AS_T4_V3"
REFUSED = "Received bad response from Resource Provider"


@pytest.fixture
def workspace(offline_folder):
    return Workspace.from_config()


def configuration(vm_size=T4, max_nodes=4, **settings):
    return AmlCompute.provisioning_configuration(vm_size=vm_size, max_nodes=max_nodes, **settings)


@pytest.fixture
def cluster(workspace):
    return ComputeTarget.create(workspace, "gpu-cluster", configuration(idle_seconds_before_scaledown=120))


def test_a_cluster_that_is_not_there(workspace):
    for kind in (ComputeTarget, AmlCompute):
        with pytest.raises(
            ComputeTargetException, match="ComputeTargetNotFound: Compute Target with name nope not found in provided"
        ):
            kind(workspace, "nope")


def test_create_and_find_it(workspace, cluster):
    found = ComputeTarget(workspace=workspace, name="gpu-cluster")
    assert isinstance(found, AmlCompute)
    assert list(workspace.compute_targets) == ["gpu-cluster"]
    assert (found.name, found.type, found.location) == ("gpu-cluster", "AmlCompute", "local")
    assert found.vm_size == T4 and found.vm_priority == "Dedicated"
    assert found.provisioning_state == "Succeeded"
    assert repr(found).startswith("AmlCompute(workspace=Workspace.create(name='offline'")


def test_waiting_prints_what_azure_prints(cluster, capsys):
    cluster.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
    assert capsys.readouterr().out == (
        'SucceededProvisioning operation finished, operation "Succeeded"\n'
        "Succeeded\n"
        "AmlCompute wait for completion finished\n\n"
        "Minimum number of nodes requested have been provisioned\n"
    )


def test_waiting_for_nodes_that_do_not_come_ends(workspace, cluster, capsys):
    ComputeTarget(workspace, "gpu-cluster").wait_for_completion(
        show_output=True, min_node_count=2, timeout_in_minutes=0.01
    )
    out = capsys.readouterr().out
    assert "Provisioning operation finished" not in out  # this object began no operation
    assert "Wait timeout has been reached" in out and 'current node count is "0"' in out


def test_status_is_as_the_service_tells_it(cluster):
    status = cluster.get_status()
    serialized = status.serialize()
    assert list(serialized) == [
        "currentNodeCount",
        "targetNodeCount",
        "nodeStateCounts",
        "allocationState",
        "allocationStateTransitionTime",
        "errors",
        "creationTime",
        "modifiedTime",
        "provisioningState",
        "provisioningStateTransitionTime",
        "scaleSettings",
        "vmPriority",
        "vmSize",
    ]
    assert serialized["scaleSettings"] == {
        "minNodeCount": 0,
        "maxNodeCount": 4,
        "nodeIdleTimeBeforeScaleDown": "PT120S",
    }
    assert serialized["currentNodeCount"] == status.current_node_count == 0
    assert serialized["nodeStateCounts"]["idleNodeCount"] == status.node_state_counts.idle_node_count == 0
    assert serialized["creationTime"] == status.creation_time.isoformat()
    assert status.scale_settings.idle_seconds_before_scaledown == 120
    assert cluster.list_nodes() == []


def test_the_least_nodes_are_there_and_idle(workspace):
    cluster = ComputeTarget.create(workspace, "warm", configuration(min_nodes=2))
    status = cluster.get_status()
    assert status.current_node_count == status.node_state_counts.idle_node_count == 2
    assert [(node["nodeState"], node["runId"]) for node in cluster.list_nodes()] == [("idle", None)] * 2


def test_nodes_follow_the_runs(workspace, cluster):
    clusters.take_nodes(workspace._folder, "gpu-cluster", "run-1")
    status = cluster.get_status()
    assert (status.current_node_count, status.node_state_counts.running_node_count) == (1, 1)
    assert [(node["nodeState"], node["runId"]) for node in cluster.list_nodes()] == [("running", "run-1")]
    clusters.release_nodes(workspace._folder, "run-1")
    assert cluster.get_status().node_state_counts.idle_node_count == 1


def test_serialized_and_back(workspace, cluster):
    payload = cluster.get()
    again = AmlCompute.deserialize(workspace, payload)
    assert again.serialize() == cluster.serialize()
    assert cluster.serialize()["properties"]["properties"]["vmSize"] == T4
    del payload["properties"]["properties"]["vmSize"]
    with pytest.raises(ComputeTargetException, match="Invalid cluster payload, missing"):
        AmlCompute.deserialize(workspace, payload)


def test_settings_are_kept_and_passwords_are_not(workspace):
    cluster = ComputeTarget.create(
        workspace,
        "full",
        configuration(
            vm_priority="lowpriority",
            tags={"team": "a"},
            description="for the workshop",
            admin_username="me",
            admin_user_password="Secret1!",
            vnet_resourcegroup_name="g",
            vnet_name="n",
            subnet_name="s",
            identity_type="UserAssigned",
            identity_id=["one", "two"],
        ),
    )
    assert (cluster.vm_priority, cluster.tags, cluster.description) == (
        "LowPriority",
        {"team": "a"},
        "for the workshop",
    )
    assert (cluster.vnet_resourcegroup_name, cluster.vnet_name, cluster.subnet_name) == ("g", "n", "s")
    assert (cluster.admin_username, cluster.admin_user_password) == ("me", None)
    assert "Secret1!" not in str(clusters.get(workspace._folder, "full"))
    assert cluster.serialize()["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {"one": {}, "two": {}}}
    cluster.remove_identity(["one"])
    assert cluster.identity_id == {"two": {}}
    cluster.remove_identity()
    with pytest.raises(ComputeTargetException, match="Cannot remove identity"):
        cluster.remove_identity()
    cluster.add_identity("SystemAssigned")
    assert ComputeTarget(workspace, "full").identity_type == "SystemAssigned"


def test_update(workspace, cluster):
    cluster.update(max_nodes=8)
    cluster.update(idle_seconds_before_scaledown=60)
    cluster.update()
    settings = ComputeTarget(workspace, "gpu-cluster").scale_settings
    assert (settings.minimum_node_count, settings.maximum_node_count) == (0, 8)
    assert settings.idle_seconds_before_scaledown == 60
    with pytest.raises(ComputeTargetException, match=f"(?s){REFUSED}.*not 9"):
        cluster.update(min_nodes=9)


def test_creating_it_again_changes_the_scale_and_nothing_else(workspace, cluster):
    again = ComputeTarget.create(workspace, "gpu-cluster", configuration(max_nodes=2))
    assert again.scale_settings.maximum_node_count == 2
    with pytest.raises(ComputeTargetException, match="cannot be changed"):
        ComputeTarget.create(workspace, "gpu-cluster", configuration(vm_size="STANDARD_DS3_V2"))
    assert ComputeTarget(workspace, "gpu-cluster").vm_size == T4


def test_two_that_create_it_at_once_get_one(workspace):
    made = []
    creators = [
        threading.Thread(target=lambda: made.append(ComputeTarget.create(workspace, "shared", configuration())))
        for _ in range(4)
    ]
    for creator in creators:
        creator.start()
    for creator in creators:
        creator.join()
    assert [target.name for target in made] == ["shared"] * 4
    assert len(ComputeTarget.list(workspace)) == 1


def test_delete(workspace, cluster, capsys):
    cluster.delete()
    assert cluster.provisioning_state == "Deleting"
    cluster.wait_for_completion(is_delete_operation=True)
    assert 'operation "Succeeded"' in capsys.readouterr().out
    assert ComputeTarget.list(workspace) == []
    with pytest.raises(ComputeTargetException, match="not found in provided workspace"):
        cluster.refresh_state()
    with pytest.raises(ComputeTargetException, match="no compute 'gpu-cluster'"):
        cluster.list_nodes()
    with pytest.raises(ComputeTargetException, match="Try to use delete instead"):
        cluster.detach()


@pytest.mark.parametrize("vm_size", ["STANDARD_NC6", "Standard_NC12", "STANDARD_NC6S_V3", "Standard_NV6"])
def test_a_retired_size_names_its_successor(workspace, vm_size):
    with pytest.raises(ComputeTargetException) as error:
        ComputeTarget.create(workspace, "gpu-cluster", configuration(vm_size=vm_size))
    assert "retired" in error.value.message and "Standard_NC4as_T4_v3" in error.value.message
    assert ComputeTarget.list(workspace) == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"vm_size": "STANDARD_NC4AS_T4"}, "Did you mean Standard_NC4as_T4_v3"),
        ({"vm_size": ""}, "not known"),
        ({"max_nodes": 0}, "can be 1 to 100, not 0"),
        ({"max_nodes": 10_000}, "can be 1 to 100, not 10000"),
        ({"vm_priority": "spot"}, "vm_priority is 'spot'"),
        ({"idle_seconds_before_scaledown": -1}, "idle time"),
    ],
)
def test_what_the_service_refuses_at_create(workspace, settings, told):
    with pytest.raises(ComputeTargetException, match=f"(?s){REFUSED}.*{told}"):
        ComputeTarget.create(workspace, "gpu-cluster", configuration(**settings))
    assert ComputeTarget.list(workspace) == []


@pytest.mark.parametrize("name", ["", "a", "1cluster", "gpu_cluster", "gpu cluster", "cluster-", "é-cluster", "c" * 25])
def test_names_that_the_service_refuses(workspace, name):
    with pytest.raises(ComputeTargetException, match="between 2 and 24 characters"):
        ComputeTarget.create(workspace, name, configuration())


@pytest.mark.parametrize("name", ["amlcompute", "local", "containerinstance"])
def test_reserved_names(workspace, name):
    with pytest.raises(UserErrorException, match="Please specify a different target name"):
        ComputeTarget.create(workspace, name, configuration())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"max_nodes": None}, "max nodes count is mandatory"),
        ({"max_nodes": -1}, "max nodes count must be greater than or equal to 0"),
        ({"min_nodes": 5}, "max nodes count must be greater than or equal to min nodes count"),
        ({"admin_user_password": "Secret1!"}, "admin username must be provided"),
        ({"admin_username": "me"}, "no password or key information provided"),
        ({"admin_username": "me", "admin_user_password": "weak"}, "Invalid admin user password provided"),
        ({"vnet_name": "net"}, "not all virtual net information provided"),
        ({"identity_type": "Mine"}, "identity_type must be set to"),
        ({"identity_type": "UserAssigned"}, "please pass the identity_id"),
        ({"identity_id": ["id"]}, "identity_id cannot be set"),
        ({"identity_type": "SystemAssigned", "identity_id": ["id"]}, "identity_id cannot be set"),
    ],
)
def test_settings_that_contradict_each_other(settings, told):
    with pytest.raises(ComputeTargetException, match=told):
        configuration(**settings)


def test_sizes_and_usages(workspace):
    sizes = {size["name"]: size for size in AmlCompute.supported_vmsizes(workspace)}
    assert sizes["Standard_NC4as_T4_v3"]["gpus"] == 1
    ComputeTarget.create(workspace, "warm", configuration(min_nodes=2))
    usages = {usage["name"]["value"]: usage for usage in AmlCompute.list_usages(workspace)}
    used = usages["Standard NCASv3_T4 Family"]
    assert (used["currentValue"], used["limit"]) == (2 * sizes["Standard_NC4as_T4_v3"]["vCPUs"], -1)
    assert [quota["limit"] for quota in AmlCompute.list_quotas(workspace)] == [-1] * len(usages)
    with pytest.raises(UnsupportedOfflineError):
        AmlCompute.update_quotas(workspace, "family", 4)


def test_active_runs_are_those_that_have_not_ended(workspace, cluster, tmp_path):
    folder, gate = workspace._folder, tmp_path / "gate"
    wait = "import sys, pathlib, time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)"
    run_id = small_jobs.submit(folder, tmp_path / "source", wait, [str(gate)], target="gpu-cluster")
    small_jobs.wait_for(folder, run_id, "Running")

    (run,) = cluster.get_active_runs()
    assert (run.run_id, run.status, run.target, run.experiment_name) == (run_id, "Running", "gpu-cluster", "tests")
    assert [node["runId"] for node in cluster.list_nodes()] == [run_id]
    assert list(cluster.get_active_runs(status="Queued")) == []
    assert list(cluster.get_active_runs(tags={"team": "a"})) == []
    assert list(ComputeTarget.create(workspace, "other", configuration()).get_active_runs()) == []

    gate.touch()
    small_jobs.wait_for(folder, run_id)
    assert list(cluster.get_active_runs()) == []
