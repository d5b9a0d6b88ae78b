"""What the checks of all lessons look with."""

import json
import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from numbers import Integral, Real
from pathlib import Path

from helpers.looks import FINAL
from helpers.workspace import says_not_found

UNDER_WAY = ("NotStarted", "Starting", "Preparing", "Queued", "Running")  # what of it still costs money


class NotYet(Exception):
    """An exercise is not solved yet; the message says what is missing."""


def require(condition: object, sentence: str) -> None:
    """Raise NotYet with the sentence unless the condition holds."""
    if not condition:
        raise NotYet(sentence)


def value(variables: Mapping[str, object], name: str) -> object:
    """The notebook's variable. Raises NotYet where it is not there, or is still the dots of the task."""
    require(name in variables, f"There is no `{name}` yet: run the cell above first.")
    require(variables[name] is not ..., f"`{name}` is still `...`: put your own code in its place and run the cell.")
    return variables[name]


def given(variables: Mapping[str, object], name: str) -> object:
    """A variable that the notebook's own cells make. Raises NotYet where they were not run."""
    require(name in variables, f"`{name}` is not there: run the notebook's cells from the top down to here.")
    return variables[name]


def entry(of: Mapping, name: str, missing: str):
    """The entry of that name. Raises NotYet with `missing` where there is none."""
    require(name in of, missing)
    return of[name]


def measured(metrics: Mapping, what: str):
    """The accuracy that a run or job of the lessons' script has logged at its end. Raises NotYet."""
    name = "Final test accuracy"
    return entry(metrics, name, f"The {what} has not logged `{name}`: it has to run the script of notebook 4.")


def whole(variables: Mapping[str, object], name: str) -> int:
    """The variable, a whole number. Raises NotYet."""
    found = value(variables, name)
    is_whole = isinstance(found, Integral) and not isinstance(found, bool)
    require(is_whole, f"`{name}` is of type {_type(found)}; a whole number is expected.")
    return int(found)


def number(variables: Mapping[str, object], name: str) -> float:
    """The variable, a number. Raises NotYet."""
    found = value(variables, name)
    is_number = isinstance(found, Real) and not isinstance(found, bool)
    require(is_number, f"`{name}` is of type {_type(found)}; a number is expected.")
    try:
        return float(found)
    except OverflowError:
        return math.inf if found > 0 else -math.inf


def text(variables: Mapping[str, object], name: str) -> str:
    """The variable, a text or a path. Raises NotYet."""
    found = value(variables, name)
    require(isinstance(found, str | Path), f"`{name}` is of type {_type(found)}; a string is expected.")
    return str(found)


def listed(variables: Mapping[str, object], name: str) -> list:
    """The variable, something with several items. Raises NotYet."""
    found = value(variables, name)
    is_list = _can_be_gone_through(found) and not isinstance(found, str | Mapping)
    require(is_list, f"`{name}` is of type {_type(found)}; a list is expected.")
    once = hasattr(found, "__next__")  # such as a generator: a second look would find nothing
    require(not once, f"`{name}` is of type {_type(found)}, which gives its items only once: `list(...)` keeps them.")
    return list(found)


def named(variables: Mapping[str, object], name: str) -> set[str]:
    """The variable, several names. Raises NotYet."""
    found = listed(variables, name)
    for item in found:
        require(isinstance(item, str), f"`{name}` holds something of type {_type(item)}; names are expected.")
    return set(found)


def counts(variables: Mapping[str, object], name: str, there: Mapping[str, int]) -> str:
    """What is told of the variable, a dictionary that says how many there are of each kind. Raises NotYet."""
    told = value(variables, name)
    require(isinstance(told, Mapping), f"`{name}` has to be a dictionary with {len(there)} entries.")
    for kind, count in there.items():
        require(kind in told and told[kind] is not ..., f"`{name}` does not say how many `{kind}` there are.")
        is_number = isinstance(told[kind], Integral)
        require(is_number, f"`{name}` has no number for `{kind}`: `len` counts what a list or a dictionary holds.")
        require(told[kind] == count, f"`{name}` says {told[kind]} for `{kind}`; the workspace lists {count}.")
    found = ", ".join(f"{kind}: {count}" for kind, count in there.items())
    return f"{found}. The workspace is the list of what you made."


def workspace(variables: Mapping[str, object]):
    """The workspace that the notebook is connected to. Raises NotYet."""
    from azureml.core import Workspace

    found = given(variables, "ws")
    require(isinstance(found, Workspace), "`ws` is no longer a workspace: run the notebook's first cells again.")
    return found


def in_workspace(get: Callable[[], object], sentence: str):
    """What `get` finds in the workspace; where the SDK says that it is not there, NotYet with the sentence."""
    from azureml.exceptions import AzureMLException

    try:
        return get()
    except AzureMLException as error:
        if says_not_found(error):
            raise NotYet(sentence) from None
        raise


def ended_run(variables: Mapping[str, object], name: str, status: str):
    """The variable, a run that has ended with the status. Raises NotYet."""
    from azureml.core import Run

    run = value(variables, name)
    require(isinstance(run, Run), f"`{name}` is of type {_type(run)}; a run is expected, as `submit` returns it.")
    now = run.get_status()
    require(now in FINAL, f"The run is {now}. Wait for its end with `helpers.watch({name})`, then check again.")
    require(now == status, f"The run is {now}; it should end as {status}.{_log_hint(now)}")
    return run


def arguments(run) -> dict[str, str]:
    """What a run's script was given on its command line, by the argument's name: `--epochs 1`, or `--epochs=1`."""
    definition = run.get_details().get("runDefinition") or {}  # a run that was not submitted has none
    given = []
    for argument in map(str, definition.get("arguments", ())):
        given += argument.split("=", 1) if argument.startswith("--") else [argument]
    return {name: following for name, following in pairwise(given) if name.startswith("--")}


def reason_in(variables: Mapping[str, object], log: str) -> str:
    """What is told of `reason`, the line of a log that says why the script would not train. Raises NotYet."""
    reason = text(variables, "reason").strip()
    require(len(reason) > 10 and reason in log, "`reason` is not in the log. Copy the line that says it.")
    require("\n" not in reason, "`reason` is more of the log than a line. Copy the one that says it.")
    says = "must be a whole number" in reason
    require(says, "`reason` is in the log, but does not say what was wrong with the arguments.")
    return f"That is what failed, and it is in the log: “{reason}”"


def near(one: float, other: float, tolerance: float = 0.005) -> bool:
    """Whether two figures are the same up to a share of the second."""
    return abs(one - other) <= tolerance * abs(other)


def read_json(path: Path) -> object:
    """What a JSON file holds. Raises NotYet where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise NotYet(f"`{path}` does not hold JSON.") from None


def _can_be_gone_through(found: object) -> bool:
    try:
        iter(found)
    except TypeError:  # also by an array that has no axis
        return False
    return True


def _type(found: object) -> str:
    return f"`{type(found).__name__}`"


def _log_hint(status: str) -> str:
    return " Its log says why: `helpers.watch` shows the last lines." if status == "Failed" else ""
