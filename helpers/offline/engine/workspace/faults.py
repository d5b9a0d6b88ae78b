"""Faults that a workspace was given on purpose, so that somebody can practise on them. An ordinary one has none.

They are kept in faults.json, and what they change is looked up where it happens:

    quota       {family: cores}  how many cores of a family the clusters may use; without it there is no limit
    clock       a number         how many times as fast the idle time of nodes passes
    preemption  seconds          nodes of low priority are taken away so long after their run has first written outputs
    model       a dictionary     the path of a model's file that was tampered with, and which byte stood where
    drills      names            the drills that are on
"""

import fcntl
import json
from collections.abc import Callable
from pathlib import Path

from helpers.offline.engine.workspace.files import write_whole

FILE = "faults.json"
DRILLS = "drills"


def get(folder: Path, name: str, default=None):
    """The fault of this name, or the default where the workspace has none."""
    return read(folder).get(name, default)


def read(folder: Path) -> dict:
    """All faults of the workspace, by name."""
    try:
        return json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def change(folder: Path, name: str, value) -> object:
    """Give the workspace a fault, or with None take it away; returns what was there before, None where nothing was."""
    return change_by(folder, name, lambda before: value)


def change_by(folder: Path, name: str, choose: Callable[[object], object]) -> object:
    """As change(), to what `choose` says of what was there before, in one transaction."""
    with (folder / ".faults.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        faults = read(folder)
        before = faults.pop(name, None)
        value = choose(before)
        if value is not None:
            faults[name] = value
        write_whole(json.dumps(faults).encode(), folder / FILE)
        if not faults:
            (folder / FILE).unlink()
    return before
