"""The exercises of lesson 3 in version 2: compute. The forgotten weekend costs the same as in version 1."""

from collections.abc import Mapping

import helpers
from helpers import costs
from helpers.checks.lesson_03 import exercise_1
from helpers.checks.looking import require, text
from helpers.checks.v2.looking import client, in_workspace

CLUSTER = "exercise-cluster-v2"

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4"]


def exercise_2(variables: Mapping[str, object]) -> str:
    cluster = _cluster(variables)
    size, least, most = cluster.size, cluster.min_instances, cluster.max_instances
    require(size.lower() == "standard_ds3_v2", f"Its machines are of the size {size}; it should be Standard_DS3_v2.")
    require(least == 0, f"It keeps {least} machines on, day and night; `min_instances` should be 0.")
    require(most == 2, f"It has up to {most} machines; `max_instances` should be 2.")
    tagged = helpers.SERIES_TAG.items() <= dict(cluster.tags or {}).items()
    require(tagged, "It does not carry `helpers.SERIES_TAG`, so notebook 9 would leave it alone.")
    return f"`{CLUSTER}` is there: two machines at most, none while there is no work."


def exercise_3(variables: Mapping[str, object]) -> str:
    idle = int(_cluster(variables).idle_time_before_scale_down)
    require(idle == 60, f"A machine still waits for {idle} seconds before it is switched off; it should be 60.")
    return "60 seconds: changed in place, without deleting what somebody may be using."


def exercise_4(variables: Mapping[str, object]) -> str:
    told = text(variables, "two_gpus")
    sizes = {size.name.lower(): size for size in client(variables).compute.list_sizes()}
    require(told.lower() in sizes, f"The workspace lists no VM size `{told}`.")
    gpus = sizes[told.lower()].gpus
    require(gpus == 2, f"`{told}` has {gpus} GPUs; look for one with two.")
    price = costs.bound(told, 1, 3600)
    return f"{told} has two GPUs" + (f", for {price:.2f} USD an hour." if price else ".")


def _cluster(variables: Mapping[str, object]):
    missing = f"The workspace has no compute `{CLUSTER}` yet. `begin_create_or_update` makes one."
    return in_workspace(lambda: client(variables).compute.get(CLUSTER), missing)
