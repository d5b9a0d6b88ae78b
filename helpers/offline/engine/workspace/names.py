"""Checks of names that come from outside: of assets, and of files inside a folder."""

import re
from pathlib import Path, PurePosixPath

from helpers.offline.engine.workspace.errors import Invalid, InvalidName

ASSET = r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}"  # what an asset can be called
ASSET_RULE = "use letters, digits, '-', '_' and '.', beginning with a letter or digit, at most 255 of them"


def check_name(kind: str, name: str, pattern: str, rule: str) -> None:
    """Raise InvalidName, telling `rule`, unless the whole of `name` matches `pattern`."""
    if not isinstance(name, str) or not re.fullmatch(pattern, name):
        article = "an" if kind[0] in "aeiou" else "a"
        raise InvalidName(f"{name!r} is no name for {article} {kind}: {rule}.")


def relative_name(name: str) -> str:
    """A file's name inside a folder, as clean posix path. Raises Invalid where it is none or would leave the folder."""
    path = PurePosixPath(name if isinstance(name, str) else "")
    if not name or "\0" in name or path.is_absolute() or ".." in path.parts or path == PurePosixPath("."):
        raise Invalid(
            f"{name!r} is no name for a file here: give a relative path without '..', such as 'outputs/model.keras'."
        )
    return str(path)


def safe_join(root: Path, name: str) -> Path:
    """`root / name`. Raises Invalid where that would lie outside `root`, through '..', a root or a link."""
    path = root / relative_name(name)
    if not path.resolve().is_relative_to(root.resolve()):
        raise Invalid(f"{name!r} leads out of {root} through a link; give a path inside it.")
    return path
