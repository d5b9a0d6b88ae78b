"""Kubernetes clusters, and the services that are deployed to them."""

import json

import pytest
from azureml.core import Environment, Model, Webservice
from azureml.core.compute import AksCompute, AmlCompute, ComputeTarget
from azureml.core.model import InferenceConfig
from azureml.core.webservice import AciWebservice, AksWebservice
from azureml.exceptions import ComputeTargetException, WebserviceException
from small_services import ECHO


@pytest.fixture(scope="module")
def cluster(workspace):
    config = AksCompute.attach_configuration("a-group", "a-cluster", cluster_purpose=AksCompute.ClusterPurpose.DEV_TEST)
    made = ComputeTarget.attach(workspace, "kube", config)
    made.wait_for_completion()
    return made


def scoring(folder):
    folder.mkdir(exist_ok=True)
    (folder / "score.py").write_text(ECHO)
    return InferenceConfig("score.py", source_directory=str(folder), environment=Environment("score-env"))


def test_a_cluster_is_attached_and_found_again(workspace, cluster):
    for found in (ComputeTarget(workspace, "kube"), AksCompute(workspace, "kube"), workspace.compute_targets["kube"]):
        assert type(found) is AksCompute and found.serialize() == cluster.serialize()
    assert (found.type, found.is_attached, found.cluster_purpose) == ("AKS", True, "DevTest")
    assert found.cluster_resource_id.endswith("/a-group/providers/Microsoft.ContainerService/managedClusters/a-cluster")
    with pytest.raises(ComputeTargetException, match="has a compute target 'kube' already"):
        ComputeTarget.attach(workspace, "kube", AksCompute.attach_configuration("a-group", "a-cluster"))
    with pytest.raises(ComputeTargetException, match="has a compute target 'kube' already"):
        ComputeTarget.create(
            workspace, "kube", AmlCompute.provisioning_configuration(vm_size="STANDARD_DS3_V2", max_nodes=1)
        )
    with pytest.raises(ComputeTargetException, match=r"was attached, not created.*detach\(\)"):
        found.delete()
    with pytest.raises(ComputeTargetException, match="This method is DEPRECATED"):
        AksCompute.attach(workspace, "kube", "id")


def test_a_cluster_is_created_and_removed(workspace):
    ComputeTarget.create(
        workspace, "other", AmlCompute.provisioning_configuration(vm_size="STANDARD_DS3_V2", max_nodes=1)
    )
    with pytest.raises(ComputeTargetException, match="has a compute target 'other' already"):
        ComputeTarget.create(workspace, "other", AksCompute.provisioning_configuration())
    made = ComputeTarget.create(workspace, "made", AksCompute.provisioning_configuration(vm_size="Standard_DS3_v2"))
    made.wait_for_completion(show_output=True)
    assert (made.agent_count, made.agent_vm_size, made.is_attached) == (3, "Standard_DS3_v2", False)
    assert {"made", "other"} <= set(workspace.compute_targets)
    made.delete()
    with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
        AksCompute(workspace, "made")
    for wrong in ({}, {"resource_group": "a"}, {"resource_id": "a/b"}, {"load_balancer_subnet": "s"}):
        with pytest.raises(ComputeTargetException):
            AksCompute.attach_configuration(**wrong)


def test_a_service_on_a_cluster_asks_for_a_key_and_is_changed(workspace, cluster, tmp_path):
    settings = AksWebservice.deploy_configuration(cpu_cores=1, num_replicas=2, namespace="own", tags={"a": "b"})
    service = Model.deploy(workspace, "on-kube", [], scoring(tmp_path / "score"), settings, cluster)
    service.wait_for_deployment()
    assert type(service) is AksWebservice and (service.state, service.compute_type) == ("Healthy", "AKS")
    assert (service.auth_enabled, service.compute_name, service.namespace) == (True, "kube", "own")
    assert (service.num_replicas, service.autoscaler.autoscale_enabled, service.scoring_timeout_ms) == (2, False, 60000)
    assert service.container_resource_requirements.serialize()["memoryInGB"] == 0.5
    assert service.run(json.dumps([1])) == {"got": [1]}
    key = service.get_keys()[0]
    service.regen_key("Primary")
    assert service.get_keys()[0] != key
    service.update(memory_gb=2, autoscale_enabled=True, autoscale_max_replicas=4, description="changed")
    service.add_tags({"c": "d"})
    known = Webservice(workspace, "on-kube")
    service.update(scoring_timeout_ms=70, properties={"p": 1})
    known.update(gpu_cores=1, properties={"q": "r"})  # which does not undo what this object does not know of
    found = Webservice(workspace, "on-kube")
    assert (found.tags, found.description) == ({"a": "b", "c": "d"}, "changed")
    assert found.properties == {"p": "1", "q": "r"}
    assert found.autoscaler.serialize()["maxReplicas"] == 4
    required = found.container_resource_requirements
    assert (required.cpu, required.memory_in_gb, required.gpu, found.scoring_timeout_ms) == (1, 2, 1, 70)
    json.dumps(found.serialize())
    assert AksWebservice.deserialize(workspace, found.serialize()).name == "on-kube"
    assert [one.name for one in Webservice.list(workspace, compute_type="AKS")] == ["on-kube"]
    with pytest.raises(WebserviceException, match="is of the type AKS, and is not overwritten by one of ACI"):
        Model.deploy(workspace, "on-kube", [], scoring(tmp_path / "score"), overwrite=True)
    with pytest.raises(WebserviceException, match="same name already exists"):
        Model.deploy(workspace, "on-kube", [], scoring(tmp_path / "score"), AciWebservice.deploy_configuration())
    with pytest.raises(WebserviceException, match="Error, cpu_cores must be greater than zero"):
        service.update(cpu_cores=-1)
    with pytest.raises(WebserviceException, match="No parameters provided to update"):
        service.update(description="")
    with pytest.raises(NotImplementedError, match="get_access_token"):
        service.get_access_token()
    service.delete()
    assert "on-kube" not in workspace.webservices


def test_a_service_needs_its_cluster(workspace, tmp_path):
    config = scoring(tmp_path / "score")
    with pytest.raises(WebserviceException, match="Must have a deployment target for an AKS web service"):
        Model.deploy(workspace, "none", [], config, AksWebservice.deploy_configuration())
    with pytest.raises(ComputeTargetException, match="name gone not found"):
        Model.deploy(workspace, "none", [], config, AksWebservice.deploy_configuration(compute_target_name="gone"))
    with pytest.raises(WebserviceException, match="A deployment_target is an AksCompute, not a str"):
        Model.deploy(workspace, "none", [], config, deployment_target="kube")
    with pytest.raises(NotImplementedError, match="token_auth_enabled"):
        AksWebservice.deploy_configuration(token_auth_enabled=True)
