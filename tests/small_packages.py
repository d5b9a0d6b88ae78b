"""Small packages for tests that build an environment for real, without an index."""

import base64
import hashlib
import platform
import textwrap
import zipfile
from pathlib import Path

THIS_PYTHON = ".".join(platform.python_version_tuple()[:2])

# A build backend of its own, so that pip needs nothing else: it notes that it was called, and waits to be let go.
SLOW_BACKEND = """
import os, pathlib, shutil, time
HERE = pathlib.Path(__file__).parent
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open(HERE / "calls", "a") as calls:
        calls.write("%d\\n" % os.getpid())
    while not (HERE / "go").exists():
        time.sleep(0.02)
    wheel, = HERE.glob("*.whl")
    return shutil.copy(wheel, wheel_directory) and wheel.name
"""


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    module: str = "",
    requires: tuple[str, ...] = (),
    python: str = ">=3.7",
) -> Path:
    """A wheel of one module."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    needs = f"Requires-Python: {python}\n" + "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{name}.py": textwrap.dedent(module),
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        record = []
        for file, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record.append(f"{file},sha256={digest},{len(text.encode())}\n")
            wheel.writestr(file, text)
        wheel.writestr(f"{about}/RECORD", "".join([*record, f"{about}/RECORD,,\n"]))
    return path


class SlowPackage:
    """A package in source form whose build waits until it is let go."""

    def __init__(self, folder: Path, name: str = "slow"):
        self.folder = folder
        make_wheel(folder, name)
        (folder / "backend.py").write_text(SLOW_BACKEND)
        (folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )

    def builders(self) -> list[int]:
        """The process id of each build that was begun."""
        calls = self.folder / "calls"
        return [int(line) for line in calls.read_text().split()] if calls.exists() else []

    def let_go(self) -> None:
        (self.folder / "go").touch()


def environment(*pip: str, python: str = THIS_PYTHON, name: str = "small") -> dict:
    """A serialised environment."""
    return {"name": name, "python": {"condaDependencies": {"dependencies": [f"python={python}", {"pip": list(pip)}]}}}
