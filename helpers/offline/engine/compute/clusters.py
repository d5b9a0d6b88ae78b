"""Compute clusters: their settings, and the node slots that jobs of every process share.

A node is a row of one table. It is taken and given back inside a transaction, so there are never more than max_nodes;
it goes away by itself: whoever looks drops the nodes that were idle for too long.
"""

import re
import sqlite3
import time
from pathlib import Path

from helpers.offline.engine import assets
from helpers.offline.engine.compute import quotas, vm_sizes
from helpers.offline.engine.workspace import database, faults, outages
from helpers.offline.engine.workspace.errors import AlreadyExists, Invalid, InvalidName

KIND = quotas.KIND
# What jobs run on besides clusters: this machine, and nodes that each has for itself, of which there are always enough.
LOCAL, SERVERLESS = "local", "serverless"
KUBERNETES = "kubernetes cluster"  # the other kind of compute target: see kubernetes
# Microsoft's page on compute clusters says 3 to 24 characters; the service took two, too.
NAME = r"[A-Za-z][A-Za-z0-9-]{0,22}[A-Za-z0-9]"
MAX_NODES = 100  # of one cluster; the service's default limit


def create(folder: Path, name: str, settings: dict) -> dict:
    """A new cluster. Raises AlreadyExists, and InvalidName and Invalid for what the service refuses.

    `settings` has vm_size, min_nodes, max_nodes and idle_seconds, and whatever else is to be kept.
    """
    check_name(name)
    settings = {**settings, "vm_size": vm_sizes.find(settings["vm_size"]).name}
    _check_scale(settings)
    add(folder, KIND, name, settings)
    return get(folder, name)


def add(folder: Path, kind: str, name: str, settings: dict) -> None:
    """Keep a compute target of this kind. Raises AlreadyExists, and Invalid where one of another kind has the name."""
    taken = f"The workspace has a compute target {name!r} already."

    def choose(latest):
        if latest:
            raise AlreadyExists(taken)
        others = [asset for other in {KIND, KUBERNETES} - {kind} for asset in assets.list_latest(folder, other)]
        if name in [asset.name for asset in others]:
            raise Invalid(taken)
        return settings

    assets.add_if(folder, kind, name, choose)


def check_name(name: str) -> None:
    """Raise InvalidName for one that no compute target may have."""
    if not re.fullmatch(NAME, str(name)):
        raise InvalidName(
            f"Compute name {name!r} is invalid. It can include letters, digits and dashes. It must start with a "
            "letter, end with a letter or digit, and be between 2 and 24 characters in length."
        )
    if name == SERVERLESS:
        raise InvalidName(f"Compute name {name!r} is that of what a job runs on which has no compute of its own.")


def is_one(target: str) -> bool:
    """Whether what a job runs on is a cluster."""
    return target not in (LOCAL, SERVERLESS)


def get(folder: Path, name: str) -> dict:
    """The cluster's settings, with its name, id, created and modified. Raises NotFound."""
    return settings_of(assets.get(folder, KIND, name))


def list_all(folder: Path) -> list[dict]:
    return [settings_of(asset) for asset in assets.list_latest(folder, KIND)]


def update(folder: Path, name: str, **changes) -> dict:
    """Change settings, such as min_nodes, max_nodes and idle_seconds. Raises NotFound and Invalid."""

    def change(settings: dict) -> dict:
        changed = settings | changes
        _check_scale(changed)
        return changed

    assets.update(folder, KIND, name, 1, change)
    return get(folder, name)


def delete(folder: Path, name: str) -> None:
    """Remove the cluster and its nodes; what runs on them is not this module's: see removal. Raises NotFound."""
    assets.remove(folder, KIND, name)
    with database.transaction(folder) as connection:
        connection.execute("DELETE FROM nodes WHERE cluster=?", (name,))


def state(folder: Path, name: str) -> dict:
    """How many nodes the cluster has and what each does. Raises NotFound."""
    return state_of(folder, get(folder, name))


def state_of(folder: Path, settings: dict) -> dict:
    """As state(), of a cluster as get() has it, which may have been deleted since."""
    name = settings["name"]
    with database.transaction(folder) as connection:
        if connection.execute("SELECT 1 FROM assets WHERE id=?", (settings["id"],)).fetchone():
            _settle(folder, connection, settings)
        nodes = connection.execute("SELECT * FROM nodes WHERE cluster=? ORDER BY number", (name,)).fetchall()
        query = "SELECT coalesce(sum(nodes), 0) FROM jobs WHERE target=? AND status='Queued'"
        waiting = connection.execute(query, (name,)).fetchone()[0]
        running = sum(node["run_id"] is not None for node in nodes)
        target = min(settings["max_nodes"], max(len(nodes), running + waiting))
        refused = quotas.refusal(folder, connection, settings["vm_size"], target - len(nodes))
    changed = max((node["since"] for node in nodes), default=None)
    return {
        "current": len(nodes),
        "target": target,
        "idle": len(nodes) - running,
        "running": running,
        "preparing": 0,
        "leaving": 0,
        "allocation_state": "Steady" if target == len(nodes) else "Resizing",
        "transition_time": database.iso(changed) if changed else settings["modified"],
        "errors": [{"error": {"code": "ClusterCoreQuotaReached", "message": refused}}] if refused else [],
        "nodes": [
            {
                "id": f"{name}-{node['number']}",
                "state": "running" if node["run_id"] else "idle",
                "run_id": node["run_id"],
                "since": database.iso(node["since"]),
            }
            for node in nodes
        ],
    }


@outages.patiently
def take_nodes(folder: Path, name: str, run_id: str, count: int = 1) -> list[int] | None:
    """Give `count` nodes at once to the run that has waited longest; None while there are not so many for this one.

    A run holds nothing while it waits, and none overtakes it, so that runs never wait for each other in a circle.
    Raises NotFound, and Invalid where the cluster may not have so many.
    """
    settings = get(folder, name)
    check_count(settings, count)
    with database.transaction(folder) as connection:
        first = connection.execute(
            "SELECT run_id FROM jobs WHERE target=? AND status='Queued' ORDER BY rowid LIMIT 1",
            (name,),
        ).fetchone()
        if first and first["run_id"] != run_id:
            return None
        _settle(folder, connection, settings)
        nodes = {
            row["number"]: row["run_id"]
            for row in connection.execute("SELECT number, run_id FROM nodes WHERE cluster=?", (name,))
        }
        busy = {number for number, holder in nodes.items() if holder is not None}
        if len(busy) + count > settings["max_nodes"]:
            return None
        idle = sorted(set(nodes) - busy)
        if quotas.refusal(folder, connection, settings["vm_size"], max(0, count - len(idle))):
            return None
        new = sorted(set(range(settings["max_nodes"])) - set(nodes))  # the cluster scales up where need be
        taken = [*idle, *new][:count]
        for number in taken:
            connection.execute("INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?)", (name, number, run_id, time.time()))
        return taken


def usages(folder: Path) -> dict[str, tuple[int, int]]:
    """The cores of each family of VM sizes that the clusters use, and the most that they may."""
    for settings in list_all(folder):
        state_of(folder, settings)  # drops the nodes that were idle for too long
    with database.transaction(folder) as connection:
        used = quotas.in_use(folder, connection)
    families = dict.fromkeys(size.family for size in vm_sizes.SIZES.values())
    return {family: (used.get(family, 0), quotas.limit(folder, family)) for family in families}


def check_count(settings: dict, count: int) -> None:
    """Refuse more nodes than the cluster may have. Raises Invalid."""
    if count > settings["max_nodes"]:
        raise Invalid(
            f"The run needs {count} nodes at once, but the compute target {settings['name']!r} has at most "
            f"{settings['max_nodes']}. Ask for fewer nodes, or let the compute target have more."
        )


@outages.patiently
def release_nodes(folder: Path, run_id: str) -> None:
    """Give back what the run holds; the nodes are idle from now."""
    with database.transaction(folder) as connection:
        connection.execute("UPDATE nodes SET run_id=NULL, since=? WHERE run_id=?", (time.time(), run_id))


def drop_idle(folder: Path) -> None:
    """Switch off the nodes that have no run, of every cluster; those of min_nodes come back."""
    with database.transaction(folder) as connection:
        connection.execute("DELETE FROM nodes WHERE run_id IS NULL")


def _check_scale(settings: dict) -> None:
    least, most, idle = settings["min_nodes"], settings["max_nodes"], settings["idle_seconds"]
    if not isinstance(most, int) or not 1 <= most <= MAX_NODES:
        raise Invalid(f"The largest number of nodes of a cluster can be 1 to {MAX_NODES}, not {most!r}.")
    if not isinstance(least, int) or not 0 <= least <= most:
        raise Invalid(
            f"A cluster keeps at least 0 nodes, so that it costs nothing while it is idle, or up to as many as it has "
            f"at most, here {most}; not {least!r}."
        )
    if not isinstance(idle, int) or idle < 0:
        raise Invalid(f"The idle time before scaling down is {idle!r}; give a number of seconds, such as 120.")


def _settle(folder: Path, connection: sqlite3.Connection, settings: dict) -> None:
    """Drop the nodes that were idle for too long, and keep min_nodes at least.

    Those that are idle since a time to come are dropped as well: the clock was put back since.
    """
    name, least = settings["name"], settings["min_nodes"]
    idle_seconds = settings["idle_seconds"] / faults.get(folder, "clock", 1)
    numbers = [row["number"] for row in connection.execute("SELECT number FROM nodes WHERE cluster=?", (name,))]
    now = time.time()
    expired = connection.execute(
        "SELECT number FROM nodes "
        "WHERE cluster=? AND run_id IS NULL AND since NOT BETWEEN ? AND ? ORDER BY number DESC",
        (name, now - idle_seconds, now),
    ).fetchall()
    for row in expired[: max(0, len(numbers) - least)]:
        connection.execute("DELETE FROM nodes WHERE cluster=? AND number=?", (name, row["number"]))
        numbers.remove(row["number"])
    for number in sorted(set(range(settings["max_nodes"])) - set(numbers))[: max(0, least - len(numbers))]:
        connection.execute("INSERT INTO nodes VALUES (?, ?, NULL, ?)", (name, number, time.time()))


def settings_of(asset: assets.Asset) -> dict:
    """What is kept of a compute target, with its name, id, created and modified."""
    return {
        **asset.body,
        "name": asset.name,
        "id": asset.id,
        "created": asset.created,
        "modified": asset.modified,
    }
