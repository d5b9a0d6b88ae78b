"""What is asked for in a deployment comes out alike from the mocked and the real SDK, and is refused alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@given(
    arguments=st.fixed_dictionaries(
        {},
        optional={
            "cpu_cores": st.sampled_from([None, -1, 0, 0.1, 2]),
            "memory_gb": st.sampled_from([None, -0.5, 0, 0.5, 1]),
            "tags": st.none() | st.just({"a": "b"}),
            "properties": st.none() | st.just({"a": "b"}),
            "description": st.none() | st.just("digits"),
            "location": st.none() | st.just("westeurope"),
            "auth_enabled": st.none() | st.booleans(),
            "primary_key": st.none() | st.just("one"),
            "secondary_key": st.none() | st.just("two"),
        },
    )
)
@settings(max_examples=60, deadline=None)
def test_aci_configuration(both, arguments):
    both.same("aci_configuration", arguments)


NUMBERS = ["cpu_cores", "cpu_cores_limit", "memory_gb", "memory_gb_limit", "gpu_cores", "scoring_timeout_ms"]
NUMBERS += ["replica_max_concurrent_requests", "max_request_wait_time", "num_replicas", "period_seconds"]
NUMBERS += ["initial_delay_seconds", "timeout_seconds", "success_threshold", "failure_threshold"]
NUMBERS += [f"autoscale_{name}" for name in ("min_replicas", "max_replicas", "refresh_seconds", "target_utilization")]


@given(
    arguments=st.fixed_dictionaries(
        {},
        optional={
            **{name: st.sampled_from([None, -1, 0, 1, 2]) for name in NUMBERS},
            "autoscale_enabled": st.none() | st.booleans(),
            "auth_enabled": st.none() | st.booleans(),
            "namespace": st.sampled_from([None, "own", "Own", "-own", "a" * 64]),
            "tags": st.none() | st.just({"a": "b"}),
            "compute_target_name": st.none() | st.just("kube"),
        },
    )
)
@settings(max_examples=80, deadline=None)
def test_aks_configuration(both, arguments):
    both.same("aks_configuration", arguments)


ID = "/subscriptions/s/resourcegroups/g/providers/{}/managedClusters/c"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"resource_group": "g"},
        {"cluster_name": "c"},
        {"resource_group": "g", "cluster_name": "c", "cluster_purpose": "DevTest"},
        {"resource_id": ID.format("Microsoft.ContainerService")},
        {"resource_id": ID.format("Microsoft.Compute")},
        {"resource_id": "a/b"},
        {"resource_id": ID.format("Microsoft.ContainerService"), "cluster_name": "c"},
        {"resource_group": "g", "cluster_name": "c", "load_balancer_type": "InternalLoadBalancer"},
        {"resource_group": "g", "cluster_name": "c", "load_balancer_type": "None"},
        {"resource_group": "g", "cluster_name": "c", "load_balancer_type": "PublicIp", "load_balancer_subnet": "s"},
        {"resource_group": "g", "cluster_name": "c", "load_balancer_subnet": "s"},
    ],
)
def test_aks_attach_configuration(both, arguments):
    both.same("aks_attach_configuration", arguments)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("AutoScaler", {"autoscaleEnabled": 1, "minReplicas": 2, "maxReplicas": 3, "refreshPeriodInSeconds": 4}),
        ("ContainerResourceRequirements", {"cpu": 1, "cpuLimit": 2, "memoryInGB": 3, "memoryInGBLimit": 4, "gpu": 5}),
        ("LivenessProbeRequirements", {"periodSeconds": 1, "initialDelaySeconds": 2, "timeoutSeconds": 3}),
    ],
)
def test_aks_parts(both, name, payload):
    more = {"targetUtilization": 6, "failureThreshold": 4, "successThreshold": 5}
    both.same("aks_part", name, payload | more)
    both.same("aks_part", name, {})


@pytest.mark.parametrize("port", [None, 0, 1, 6789, 65535, 65536, -1, "6789"])
def test_local_configuration(both, port):
    both.same("local_configuration", port)


@pytest.mark.parametrize(
    "name, content",
    [
        ("score.py", "def init(): pass\n"),
        ("score.py", "def init(:\n"),
        ("", None),
        ("missing.py", None),
        ("score.txt", ""),
        ("1score.py", ""),
        ("class.py", ""),
    ],
)
def test_inference_config(both, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_text(content)
    arguments = {"entry_script": name}
    if "error" in both.real.call("inference_config", str(tmp_path), arguments):
        both.same_error("inference_config", str(tmp_path), arguments)
    else:
        (config, environment), warnings = both.mocked.call("inference_config", str(tmp_path), arguments)["value"]
        (real, *_), real_warnings = both.real.call("inference_config", str(tmp_path), arguments)["value"]
        assert (config.partition("base_image_registry")[0], environment) == (
            real.partition("base_image_registry")[0],
            "scoring",
        )
        assert warnings == real_warnings


def test_inference_config_without_its_folder(both, tmp_path):
    both.same_error("inference_config", str(tmp_path / "missing"), {"entry_script": "score.py"})


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        ({}, None),
        ({"image": "ubuntu:22.04", "cpu_cores": 1}, {"A": "1"}),
        ({"cpu_cores": 0.5, "memory_gb": 1}, {"A": "1", "B": "2"}),
    ],
)
def test_what_a_deployment_is_made_of(both, tmp_path, settings, variables):
    (tmp_path / "score.py").touch()
    told = both.same("deployment_told", str(tmp_path), settings, variables)["value"]
    assert told[0] == f"Entry script: {tmp_path.name}/score.py"


@pytest.mark.parametrize("payload", [{"cpu": 1, "memoryInGB": 2}, {"cpu": 1}, {}])
def test_container_requirements(both, payload):
    both.same("container_requirements", payload)


@pytest.mark.parametrize("name", ["ab", "a" * 33, "Digits", "1digits", "digits-", "-digits", "dig_its", "dig its"])
def test_service_names(both, name):
    both.same_error("service_name", name)


@pytest.mark.parametrize("key", [None, "", "third"])
def test_keys(both, key):
    both.same("service_key", key)
