"""The exercises of lesson 3: compute."""

from collections.abc import Mapping

import helpers
from helpers import costs
from helpers.checks.looking import in_workspace, near, number, require, text, workspace
from helpers.words import counted

CLUSTER = "exercise-cluster"
SIZE = "Standard_NC4as_T4_v3"
WEEKEND = 60 * 3600  # seconds from Friday, 18:00, to Monday, 06:00


def exercise_1(variables: Mapping[str, object]) -> str:
    told, right = number(variables, "dollars"), costs.bound(SIZE, 4, WEEKEND)
    require(not near(told, right / 4), f"{told:.2f} USD is what one machine costs. Four of them are on.")
    require(not near(told, right / 60), f"{told:.2f} USD is what an hour costs. From Friday, 18:00, to Monday, 06:00?")
    require(near(told, right), f"{told:.2f} USD is not it. Multiply machines, hours and the price of an hour.")
    return (
        f"{right:.2f} USD, for nothing. An idle time of two minutes would have made it {costs.bound(SIZE, 4, 120):.2f}."
    )


def exercise_2(variables: Mapping[str, object]) -> str:
    cluster = _cluster(variables)
    scale = cluster.scale_settings
    size = cluster.vm_size
    require(size.lower() == "standard_ds3_v2", f"Its machines are of the size {size}; it should be Standard_DS3_v2.")
    require(
        scale.minimum_node_count == 0,
        f"It keeps {counted(scale.minimum_node_count, 'machine')} on, day and night; `min_nodes` should be 0.",
    )
    require(
        scale.maximum_node_count == 2,
        f"It has up to {counted(scale.maximum_node_count, 'machine')}; `max_nodes` should be 2.",
    )
    tagged = helpers.SERIES_TAG.items() <= dict(cluster.tags or {}).items()
    require(
        tagged, "It does not carry `helpers.SERIES_TAG`, so notebook 9 would leave it alone. Delete it and start over."
    )
    return f"`{CLUSTER}` is there: two machines at most, none while there is no work."


def exercise_3(variables: Mapping[str, object]) -> str:
    idle = _cluster(variables).scale_settings.idle_seconds_before_scaledown
    require(idle == 60, f"A machine still waits for {idle} seconds before it is switched off; it should be 60.")
    return "60 seconds: changed in place, without deleting what somebody may be using."


def exercise_4(variables: Mapping[str, object]) -> str:
    from azureml.core.compute import AmlCompute

    told = text(variables, "two_gpus")
    sizes = {size["name"].lower(): size for size in AmlCompute.supported_vmsizes(workspace=workspace(variables))}
    require(told.lower() in sizes, f"The workspace lists no VM size {told!r}.")
    gpus = sizes[told.lower()]["gpus"]
    require(gpus == 2, f"{told} has {gpus} GPUs; look for one with two.")
    price = costs.bound(told, 1, 3600)
    hour = f", for {price:.2f} USD an hour" if price else ""
    return f"{told} has two GPUs and {sizes[told.lower()]['vCPUs']} CPU cores{hour}."


def _cluster(variables: Mapping[str, object]):
    from azureml.core.compute import ComputeTarget

    ws = workspace(variables)
    missing = f"The workspace has no compute target `{CLUSTER}` yet. `ComputeTarget.create` makes one."
    return in_workspace(lambda: ComputeTarget(workspace=ws, name=CLUSTER), missing)
