"""What the tests of the notebooks share: the notebooks, and a world of their own to run them in."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
NAMES = [path.stem for path in PATHS]


def copy_of_notebooks(world: Path) -> Path:
    """A copy of the notebooks' folder with what they read beside it, so that what they write stays in `world`."""
    for name in ("data", "scripts"):
        (world / name).symlink_to(ROOT / name)
    return Path(shutil.copytree(NOTEBOOKS, world / "notebooks"))


def environment(world: Path) -> dict[str, str]:
    """The environment of a process that works in the offline workspace of `world`."""
    return os.environ | {"AZUREML_OFFLINE_FOLDER": str(world / "offline")}
