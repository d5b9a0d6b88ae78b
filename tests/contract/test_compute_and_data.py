"""Clusters and datasets: the same calls on the mocked and on the real SDK give the same objects and errors."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

OPENING = 40  # characters of a message that are held to the real one's

CLUSTER = {"vm_size": "STANDARD_NC4AS_T4_V3", "max_nodes": 4}
NETWORK = {"vnet_name": "n", "vnet_resourcegroup_name": "g", "subnet_name": "s"}
STATUS = {
    "createdOn": "2026-01-02T03:04:05.678901+00:00",
    "modifiedOn": "2026-01-02T03:04:05+00:00",
    "provisioningState": "Succeeded",
    "properties": {
        "allocationState": "Steady",
        "allocationStateTransitionTime": "2026-01-02T03:04:05+00:00",
        "currentNodeCount": 1,
        "targetNodeCount": 2,
        "nodeStateCounts": {"idleNodeCount": 1, "runningNodeCount": 0},
        "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT2M"},
        "vmPriority": "Dedicated",
        "vmSize": "STANDARD_NC4AS_T4_V3",
    },
}
CALLS = [
    *(
        ("provisioning", [settings])
        for settings in (
            CLUSTER,
            {"max_nodes": 0},
            {},
            CLUSTER | {"min_nodes": None, "idle_seconds_before_scaledown": 120, "vm_priority": "lowpriority"},
            CLUSTER | {"idle_seconds_before_scaledown": 0},
            CLUSTER | {"idle_seconds_before_scaledown": -1},
            CLUSTER | {"idle_seconds_before_scaledown": "soon"},
            CLUSTER | {"min_nodes": 5},
            CLUSTER | {"max_nodes": -1},
            CLUSTER | NETWORK | {"tags": {"a": "b"}, "description": "d", "location": "westeurope"},
            CLUSTER | {"vnet_name": "n"},
            CLUSTER | {"admin_username": "me"},
            CLUSTER | {"admin_user_ssh_key": "key"},
            CLUSTER | {"admin_username": "me", "admin_user_ssh_key": "key"},
            *(
                CLUSTER | {"admin_username": "me", "admin_user_password": password}
                for password in ("secret", "Secret", "Secret1", "secret1!", "SECRET 1", "é1A")
            ),
            CLUSTER | {"identity_type": "SystemAssigned"},
            CLUSTER | {"identity_type": "UserAssigned", "identity_id": ["x"]},
            CLUSTER | {"identity_type": "UserAssigned", "identity_id": "x"},
            CLUSTER | {"identity_type": "SystemAssigned", "identity_id": ["x"]},
            CLUSTER | {"identity_type": "Mine"},
            CLUSTER | {"identity_id": ["x"]},
        )
    ),
    ("scale", [0, 4, 120]),
    ("scale", [0, 4, None]),
    *(
        ("scale_back", [{"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": duration}])
        for duration in ("PT120S", "PT2M", "PT1H30M", "P1DT1S", "PT1.5S", "", " ", "soon")
    ),
    ("scale_back", [{"minNodeCount": 0}]),
    ("status", [STATUS]),
    ("status", [{"properties": {}}]),
    *(
        ("consumption", [name, "mount", None])
        for name in ("mnist", "_a1", None, "", "a-b", "1a", "a b", "é", "HOME", "a" * 300)
    ),
    *(("consumption", ["mnist", mode, "/data"]) for mode in ("MOUNT", "download", "direct", "hdfs", "upload", "")),
    *(
        ("from_files", [path])
        for path in (
            "http://host/file",
            ["https://host/a", "http://host/b"],
            "HTTP://host/file",
            "https://account.blob.core.windows.net/container/file",
            "https://account.blob.core.windows.net/container/file?sv=1&sig=2",
            "ftp://host/file",
            "file.csv",
            "",
            [],
            None,
            3,
            {},
            ["http://host/file", 3],
        )
    ),
    *(
        ("reference", [name, path, below, mode])
        for name in (None, "input")
        for path in (None, "/", "a")
        for below in (None, ".", "b/c")
        for mode in ("mount", "download", "link")
    ),
]


@pytest.mark.parametrize("number", range(len(CALLS)), ids=lambda number: f"{number}-{CALLS[number][0]}")
def test_same_answer(both, number):
    scenario, arguments = CALLS[number]
    check_alike(both, scenario, *arguments)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "vm_size": st.sampled_from(["", "STANDARD_NC6", "Standard_NC4as_T4_v3", None]),
            "vm_priority": st.sampled_from(["dedicated", "lowpriority", "low", "", None]),
            "min_nodes": st.none() | st.integers(-1, 3),
            "max_nodes": st.none() | st.integers(-1, 3),
            "idle_seconds_before_scaledown": st.none() | st.integers(0, 200),
            "admin_username": st.none() | st.just("me"),
            "admin_user_password": st.none() | st.just("secret"),
            "vnet_resourcegroup_name": st.none() | st.just("group"),
            "vnet_name": st.none() | st.just("net"),
            "subnet_name": st.none() | st.just("subnet"),
            "tags": st.none() | st.just({"a": "b"}),
            "location": st.none() | st.just("westeurope"),
        },
    )
)
@settings(max_examples=150, deadline=None)
def test_provisioning(both, arguments):
    check_alike(both, "provisioning", arguments)


def check_alike(both, scenario, *arguments):
    mocked, real = both.mocked.call(scenario, *arguments), both.real.call(scenario, *arguments)
    assert mocked.get("value") == real.get("value"), (mocked, real)
    assert mocked.get("error") == real.get("error"), (mocked, real)
    if "error" in real:
        assert mocked["message"][:OPENING] == real["message"][:OPENING]
