"""The Python interpreters of this machine that a virtual environment can be made with."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import SpecifierSet

from helpers.offline.engine.processes import run_python
from helpers.offline.engine.workspace.errors import NotFound

OLDEST = "3.7"  # a job logs with modules that are written for it
RELEASES = range(60)  # more than any minor version of Python has had
QUESTION = "import ensurepip, sys, venv; print('%d.%d.%d' % sys.version_info[:3], sys.executable)"


class Interpreter(NamedTuple):
    """`version` is the full one, such as 3.7.16."""

    version: str
    path: Path


def find(wanted: SpecifierSet) -> Interpreter:
    """An interpreter of a version that `wanted` admits: the one that runs this if it fits, otherwise the newest.

    It is looked for on PATH and among those that pyenv, uv and conda keep. Raises NotFound, which says what to install.
    """
    admitted = wanted & SpecifierSet(f">={OLDEST}")
    minors = _minors(admitted)
    if not minors:
        raise NotFound(f"Python {wanted} is asked for, and a job runs on Python {OLDEST} or later.")
    for path in [run_python.own(), *_candidates(minors)]:
        found = _ask(path)
        if found and admitted.contains(found.version):
            return found
    lacking = f"3.{min(minors)}"
    raise NotFound(
        f"Python {admitted} is asked for, and this machine has none that makes virtual environments, neither on PATH "
        f"nor among those of pyenv, uv and conda. Install it, e.g. by `pyenv install {lacking}` or "
        f"`conda create --name python-{lacking} python={lacking}`, and submit again."
    )


def _candidates(minors: set[int]) -> list[Path]:
    """Files that may be an interpreter of one of these minor versions, the newest first."""
    found = []
    for path in _files():
        name = re.fullmatch(r"python3\.(\d+)", path.name)
        if name and int(name[1]) in minors:
            found.append((int(name[1]), path))
    return [path for _, path in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _minors(admitted: SpecifierSet) -> set[int]:
    """The minor versions of Python 3 of which a release is admitted: a file's name tells no more than those."""
    return {minor for minor in range(100) if any(admitted.contains(f"3.{minor}.{release}") for release in RELEASES)}


def _files() -> Iterator[Path]:
    for folder in os.get_exec_path():
        yield from sorted(Path(folder).glob("python3.*"))
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local" / "share" / "uv" / "python")
    for kept in (pyenv / "versions", uv):
        yield from sorted(kept.glob("*/bin/python3.*"))
    conda = home / ".conda" / "environments.txt"  # where conda and mamba note each environment that they make
    for folder in conda.read_text().splitlines() if conda.is_file() else ():
        yield from sorted(Path(folder).glob("bin/python3.*"))


def _ask(path: Path) -> Interpreter | None:
    """What runs there; None where nothing does (pyenv leaves such files), or it makes no virtual environments."""
    try:
        answer = subprocess.run([path, "-c", QUESTION], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode:
        return None
    version, _, executable = answer.stdout.strip().partition(" ")
    return Interpreter(version, Path(executable))
