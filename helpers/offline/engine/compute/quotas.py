"""How many cores of a family of VM sizes the clusters may use together. There is no limit unless a drill sets one."""

import sqlite3
from pathlib import Path

from helpers.offline.engine import assets
from helpers.offline.engine.compute import vm_sizes
from helpers.offline.engine.workspace import faults

UNLIMITED = -1  # as the service says it
KIND = "compute"  # of the assets that are clusters


def limit(folder: Path, family: str) -> int:
    """The most cores of this family, or UNLIMITED."""
    return faults.get(folder, "quota", {}).get(family, UNLIMITED)


def refusal(folder: Path, connection: sqlite3.Connection, vm_size: str, nodes: int) -> str | None:
    """Why there cannot be so many new nodes of this size now, in the service's words; None where there can."""
    size = vm_sizes.find(vm_size)
    most = limit(folder, size.family)
    if most == UNLIMITED or nodes == 0:
        return None
    used, needed = in_use(folder, connection).get(size.family, 0), nodes * size.vcpus
    if used + needed <= most:
        return None
    return (
        f"Operation results in exceeding quota limits of Core. Maximum allowed: {most}, Current in use: {used}, "
        f"Additional requested: {needed}."
    )


def in_use(folder: Path, connection: sqlite3.Connection) -> dict[str, int]:
    """The cores of each family that the nodes have which are there now."""
    counted = connection.execute("SELECT cluster, count(*) AS nodes FROM nodes GROUP BY cluster").fetchall()
    sizes = {asset.name: vm_sizes.find(asset.body["vm_size"]) for asset in assets.list_latest(folder, KIND)}
    cores: dict[str, int] = {}
    for row in counted:
        size = sizes.get(row["cluster"])
        if size is None:  # being deleted, which takes two steps
            continue
        cores[size.family] = cores.get(size.family, 0) + row["nodes"] * size.vcpus
    return cores
