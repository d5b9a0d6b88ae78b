"""The exercises of lesson 1 in version 2: the client and the workspace."""

from collections.abc import Mapping
from pathlib import Path

from helpers.checks.looking import counts, read_json, require, text, value
from helpers.checks.v2.looking import client


def exercise_1(variables: Mapping[str, object]) -> str:
    _compare(value(variables, "identity"), variables, "`identity`")
    return "These three say where the workspace is, and nothing in them says who you are."


def exercise_2(variables: Mapping[str, object]) -> str:
    path = Path(text(variables, "config_file"))
    require(path.is_file(), f"There is no file `{path}` yet.")
    require(path.name == "mine.json", f"The file is called `{path.name}`; it should be called `mine.json`.")
    _compare(read_json(path), variables, "`mine.json`")
    return "Whoever has this file and a login with access can open the workspace: `MLClient.from_config(path=...)`."


def exercise_3(variables: Mapping[str, object]) -> str:
    ml_client = client(variables)
    there = {kind: len(list(getattr(ml_client, kind).list())) for kind in ("compute", "data", "models")}
    return counts(variables, "stock", there)


def _compare(told: object, variables: Mapping[str, object], what: str) -> None:
    require(isinstance(told, Mapping), f"{what} has to hold three entries, as a dictionary does.")
    ml_client = client(variables)
    expected = {
        "subscription_id": ml_client.subscription_id,
        "resource_group": ml_client.resource_group_name,
        "workspace_name": ml_client.workspace_name,
    }
    for key, right in expected.items():
        require(key in told, f"{what} has no entry `{key}`.")
        require(told[key] == right, f"{what} says {told[key]!r} for `{key}`; the client says something else.")
