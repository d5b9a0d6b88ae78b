"""The exercises of lesson 1: the workspace."""

from collections.abc import Mapping
from pathlib import Path

from helpers.checks.looking import counts, read_json, require, text, value, workspace


def exercise_1(variables: Mapping[str, object]) -> str:
    told = value(variables, "identity")
    require(isinstance(told, Mapping), "`identity` has to be a dictionary with three entries.")
    _compare(told, _identity(workspace(variables)), "`identity`")
    return "These three say where the workspace is, and nothing in them says who you are."


def exercise_2(variables: Mapping[str, object]) -> str:
    path = Path(text(variables, "config_file"))
    require(path.is_file(), f"There is no file `{path}`. Look at where `write_config` says that it wrote.")
    require(path.name == "mine.json", f"The file is called `{path.name}`; it should be called `mine.json`.")
    told = read_json(path)
    require(isinstance(told, Mapping), f"`{path}` does not hold an object with entries.")
    if "Scope" in told:  # the workspace's id, which has all three in it
        whole = workspace(variables).get_details()["id"]
        require(told["Scope"] == whole, f"`mine.json` names another workspace: {told['Scope']}.")
    else:
        _compare(told, _identity(workspace(variables)), "`mine.json`")
    return "Whoever has this file and a login with access can open the workspace from any folder."


def exercise_3(variables: Mapping[str, object]) -> str:
    ws = workspace(variables)
    there = {"compute targets": len(ws.compute_targets), "datasets": len(ws.datasets), "models": len(ws.models)}
    return counts(variables, "stock", there)


def _identity(ws) -> dict[str, str]:
    return {
        "subscription_id": ws.subscription_id,
        "resource_group": ws.resource_group,
        "workspace_name": ws.name,
    }


def _compare(told: Mapping, expected: Mapping[str, str], what: str) -> None:
    for key, right in expected.items():
        require(key in told, f"{what} has no entry `{key}`.")
        require(told[key] == right, f"{what} says {told[key]!r} for `{key}`; the workspace says something else.")
