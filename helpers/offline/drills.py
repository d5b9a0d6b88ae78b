"""What a drill does to the offline workspace; helpers.drills is what a notebook calls."""

from pathlib import Path

from helpers.offline.engine.assets import models
from helpers.offline.engine.compute import clusters, vm_sizes
from helpers.offline.engine.workspace import faults
from helpers.offline.engine.workspace import folder as folders


def on() -> list[str]:
    """The drills that are on in the workspace, in the order of their start."""
    return faults.get(folders.open_folder(), faults.DRILLS, [])


def switch(name: str, is_on: bool) -> bool:
    """Note that a drill is on, or off; False where it was already. Whoever else switches one at once loses nothing."""

    def choose(before: list[str] | None) -> list[str] | None:
        noted = before or []
        if (name in noted) == is_on:
            return before
        return [*noted, name] if is_on else [other for other in noted if other != name] or None

    before = faults.change_by(folders.open_folder(), faults.DRILLS, choose)
    return (name in (before or [])) != is_on


def put(name: str, value) -> None:
    """Give the workspace a fault (see the engine's faults), or with None take it away."""
    faults.change(folders.open_folder(), name, value)


def take_gpu_quota() -> None:
    """Have no core of any family with a GPU, as a new subscription often has; idle nodes go."""
    put("quota", {size.family: 0 for size in vm_sizes.SIZES.values() if size.gpus})
    clusters.drop_idle(folders.open_folder())


def tamper(model: str, file: str) -> None:
    """Change a byte in the middle of a file of the model's latest version. Raises NotFound."""
    record = models.get(folders.open_folder(), model)
    path = next(path for path in sorted([record.path, *record.path.rglob("*")]) if path.name == file)
    content = path.read_bytes()
    at = len(content) // 2
    put("model", {"path": str(path), "at": at, "byte": content[at]})
    _put_byte(path, at, content[at] ^ 255)


def repair() -> None:
    """Take back what `tamper` did, if the file is still there."""
    fault = faults.change(folders.open_folder(), "model", None)
    path = folders.open_folder() / fault["path"] if fault else None
    if path and path.is_file():
        _put_byte(path, fault["at"], fault["byte"])


def _put_byte(path: Path, at: int, byte: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes([byte]))
