"""The exercises of lesson 9 in version 2: cleaning up."""

from collections.abc import Mapping

import helpers
from helpers import costs
from helpers.checks.lesson_09 import MONTH
from helpers.checks.looking import given, named, near, number, require
from helpers.checks.v2.looking import client, versions

NOTE = "exercise-note-v2"
SIZE = "Standard_F2s_v2"


def exercise_1(variables: Mapping[str, object]) -> str:
    told, right = number(variables, "dollars"), costs.bound(SIZE, 2, MONTH)
    require(not near(told, right / 2), f"`dollars` is {told:.2f}: that is what one machine costs. Two of them are on.")
    require(not near(told, right / 30), f"`dollars` is {told:.2f}: that is what a day costs.")
    require(near(told, right), f"`dollars` is {told:.2f}. `helpers.costs.bound` takes a size, machines and seconds.")
    return f"{right:.2f} USD a month for a deployment that nobody uses, and just as much for one in use all day."


def exercise_2(variables: Mapping[str, object]) -> str:
    told = named(variables, "untagged")
    computes = {compute.name: compute for compute in client(variables).compute.list()}
    tagged = helpers.of_series(computes)
    unknown, carrying = sorted(told - set(computes)), sorted(told & set(tagged))
    require(not unknown, f"The workspace has no compute `{', '.join(unknown)}`.")
    require(not carrying, f"Of `untagged`, these do carry the tag: {', '.join(carrying)}.")
    missing = len(set(computes) - set(tagged) - told)
    require(not missing, f"Of those without the tag, {missing} more should be in `untagged`.")
    require(told, "No compute is without the tag: run the cell that makes `forgotten` again.")
    return f"{', '.join(sorted(told))}: not of the series, so whose it is has to be found out before it is deleted."


def exercise_3(variables: Mapping[str, object]) -> str:
    name = given(variables, "forgotten").name
    there = [compute.name for compute in client(variables).compute.list()]
    require(name not in there, f"`{name}` is still there, and the next job that names it starts its machines.")
    return f"`{name}` is gone. (You knew whose it was: yours.)"


def exercise_4(variables: Mapping[str, object]) -> str:
    latest = given(variables, "latest_note").version
    gone = f"No version of `{NOTE}` is listed; its latest, {latest}, was to be kept. Run the cell above again."
    left = [model.version for model in versions(client(variables), "models", NOTE, gone)]
    require(latest in left, f"Version {latest} of `{NOTE}`, the latest, was archived. Run the cell above again.")
    older = [version for version in left if version != latest]
    require(not older, f"Of `{NOTE}`, still listed beside the latest: {', '.join(older)}.")
    return f"Version {latest} is left in sight, and the others come back with `restore` if somebody misses them."
