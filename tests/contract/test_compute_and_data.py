"""Clusters and datasets: the same calls on the mocked and on the real SDK give the same objects and errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SDK = Path(__file__).resolve().parents[2] / "helpers" / "offline" / "sdk_v1"
OPENING = 40  # characters of a message that are held to the real one's

SCRIPT = """
import contextlib, json, logging, re, sys, warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
with contextlib.redirect_stdout(sys.stderr):
    from azureml.core import Dataset
    from azureml.core.compute import AmlCompute
    from azureml.core.compute.amlcompute import AmlComputeStatus, ScaleSettings
    from azureml.data.data_reference import DataReference
    from azureml.data.datapath import DataPath, DataPathComputeBinding
    from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

class Store:
    name = "store"

class Registered:
    id = "0a1b2c3d-4e5f"

def provisioning(settings):
    config = AmlCompute.provisioning_configuration(**settings)
    values = {**vars(config), "_compute_type": config._compute_type.__name__}
    return values | {"scale_settings": [vars(config.scale_settings), config.scale_settings.serialize()]}

def scale(*settings):
    return ScaleSettings(*settings).serialize()

def scale_back(payload):
    return vars(ScaleSettings.deserialize(payload))

def status(payload):
    return AmlComputeStatus.deserialize(payload).serialize()

def consumption(name, mode, path):
    config = DatasetConsumptionConfig(name, Registered(), mode, path)
    return [
        [each.name, each.mode, each.path_on_compute, each.arg_val]
        for each in (config, config.as_mount("m"), config.as_download("d"), config.as_hdfs())
    ]

def from_files(path):
    return type(Dataset.File.from_files(path)).__name__

def reference(name, path, below, mode):
    one = DataReference(Store(), name, path, mode).path(below)
    path = DataPath.create_from_data_reference(one)
    again = path.create_data_reference("again", DataPathComputeBinding.create_from_data_reference(one))
    texts = [re.sub("[0-9a-f]{32}", "random", str(one)), str(again)]
    return [*texts, one.path_on_datastore, one.mode, again.mode]

answers = []
for name, arguments in json.load(sys.stdin):
    try:
        with contextlib.redirect_stdout(sys.stderr):
            answers.append({"value": globals()[name](*arguments)})
    except Exception as error:
        answers.append({"error": type(error).__name__, "message": getattr(error, "message", str(error))})
json.dump(answers, sys.stdout, default=str)
"""

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


def answers(folder, *first):
    search = os.pathsep.join([*map(str, first), os.environ["PYTHONPATH"]])
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(CALLS),
        env={**os.environ, "PYTHONPATH": search, "AZUREML_OFFLINE_FOLDER": str(folder / "workspace")},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    return answers(tmp_path_factory.mktemp("mocked"), SDK), answers(tmp_path_factory.mktemp("real"))


@pytest.mark.parametrize("number", range(len(CALLS)), ids=lambda number: f"{number}-{CALLS[number][0]}")
def test_same_answer(sides, number):
    mocked, real = (side[number] for side in sides)
    assert mocked.get("value") == real.get("value"), CALLS[number]
    assert mocked.get("error") == real.get("error"), (CALLS[number], mocked, real)
    if "error" in real:
        assert mocked["message"][:OPENING] == real["message"][:OPENING], CALLS[number]
