"""A sweep as a step of a pipeline, which the client writes as YAML has it: as a sweep job has it."""

import re

from helpers.offline.arm.wire import Refused

# What each kind of distribution has, in the order in which a sweep job lists it.
RANGE, BELL = ("min_value", "max_value"), ("mu", "sigma")
PARTS = {"choice": ("values",), "randint": ("upper",)}
PARTS |= {"uniform": RANGE, "loguniform": RANGE, "quniform": (*RANGE, "q"), "qloguniform": (*RANGE, "q")}
PARTS |= {"normal": BELL, "lognormal": BELL, "qnormal": (*BELL, "q"), "qlognormal": (*BELL, "q")}


def asked_of(node: dict, trial: dict) -> dict:
    """What a sweep job of this step would be asked for as, without what goes in and out; `trial` is of its component.

    Raises Refused.
    """
    space = node.get("search_space") or {}
    limits = node.get("limits") or {}
    sampling = node.get("sampling_algorithm") or {}
    sampling = {"type": sampling} if isinstance(sampling, str) else sampling
    kind = sampling.get("sampling_algorithm_type") or sampling.get("type") or "random"
    return {
        "jobType": "Sweep",
        "searchSpace": {name: _distribution(name, given) for name, given in space.items()},
        "samplingAlgorithm": _renamed(sampling) | {"samplingAlgorithmType": kind.capitalize()},
        "objective": _renamed(node.get("objective") or {}),
        "earlyTermination": _renamed(node.get("early_termination") or {}),
        "limits": _renamed(limits) | {_camel(key): _duration(limits.get(key)) for key in ("timeout", "trial_timeout")},
        "trial": trial | {"command": _with_space(trial["command"], space)},
    }


def _distribution(name: str, given: dict) -> list:
    """Raises Refused for one that is not known."""
    kind = given.get("type") or ""
    if kind not in PARTS:
        raise Refused(f"The distribution {kind!r} of {name!r} is none of {', '.join(PARTS)}.")
    return [kind, [given.get(part) for part in PARTS[kind]]]


def _with_space(command: str, space: dict) -> str:
    """The command with its inputs that the search space draws named as such."""
    for name in space:
        command = re.sub(rf"\$\{{\{{\s*inputs\.{re.escape(name)}\s*\}}\}}", f"${{{{search_space.{name}}}}}", command)
    return command


def _duration(seconds: int | str | None) -> str | None:
    return f"PT{seconds}S" if isinstance(seconds, int) else seconds


def _renamed(given: dict) -> dict:
    return {_camel(name): value for name, value in given.items()}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
