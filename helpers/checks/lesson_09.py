"""The exercises of lesson 9: cleaning up."""

from collections.abc import Mapping

import helpers
from helpers import costs
from helpers.checks.looking import given, named, near, number, require, workspace

MONTH = 30 * 24 * 3600
NOTE = "exercise-note"


def exercise_1(variables: Mapping[str, object]) -> str:
    told, right = number(variables, "dollars"), costs.service(1, 1, MONTH)
    require(not near(told, right / 30), f"{told:.2f} USD is what a day costs.")
    require(near(told, right), f"{told:.2f} USD is not it. `helpers.costs.service` takes cores, gigabytes and seconds.")
    return f"{right:.2f} USD a month for a service that nobody uses, and just as much for one in use all day."


def exercise_2(variables: Mapping[str, object]) -> str:
    told = named(variables, "untagged")
    targets = workspace(variables).compute_targets
    right = set(targets) - set(helpers.of_series(targets))
    unknown, missing = sorted(told - set(targets)), sorted(right - told)
    require(not unknown, f"The workspace has no compute target {', '.join(unknown)}.")
    require(not told - right, f"Of `untagged`, these do carry the tag: {', '.join(sorted(told - right))}.")
    require(
        not missing, f"{len(missing)} without the tag {'is' if len(missing) == 1 else 'are'} missing in `untagged`."
    )
    require(told, "No compute target is without the tag: run the cell that makes `forgotten` again.")
    return f"{', '.join(sorted(told))}: not of the series, so whose it is has to be found out before it is deleted."


def exercise_3(variables: Mapping[str, object]) -> str:
    name, targets = given(variables, "forgotten").name, workspace(variables).compute_targets
    require(name not in targets, f"`{name}` is still there, and the next run that names it starts its machines.")
    return f"`{name}` is gone. (You knew whose it was: yours.)"


def exercise_4(variables: Mapping[str, object]) -> str:
    from azureml.core import Model

    latest, ws = given(variables, "latest_note").version, workspace(variables)
    left = sorted(model.version for model in Model.list(ws, name=NOTE))
    require(left, f"`{NOTE}` has no version left; its latest, {latest}, was to be kept. Run the cell above again.")
    require(latest in left, f"Version {latest}, the latest, was deleted. Run the cell above again.")
    older = [str(version) for version in left if version != latest]
    require(not older, f"`{NOTE}` still has the older version{'s' * (len(older) > 1)} {', '.join(older)}.")
    return f"Version {latest} is left, and the next one will be {latest + 1}: what is deleted does not come back."
