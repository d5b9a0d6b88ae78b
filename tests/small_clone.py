"""A clone with a small lock, for tests of what runs outside .venv: the set-up, the wheelhouse, the doctor."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_packages import THIS_PYTHON, make_wheel

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("set_up", "endings", "in_venv", "wheelhouse", "doctor", "check_packages")
LOCK = "requirements.txt"
UV = Path(sys.executable).parent / "uv"
BASE = Path(sys._base_executable)

# The project's own build, which waits where it is told to; nothing has to be installed for it.
BACKEND = """
import pathlib, shutil, time
HERE = pathlib.Path(__file__).parent
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    (HERE / "building").touch()
    while (HERE / "hold").exists():
        time.sleep(0.02)
    wheel, = (HERE / "own").glob("*.whl")
    return shutil.copy(wheel, wheel_directory) and wheel.name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "own"
version = "1.0"
"""
# As the project's own, of what a small lock has.
FIRST_IMPORTS = """
import importlib.util, sys
sys.dont_write_bytecode = False
if importlib.util.find_spec("tiny"):
    import tiny
"""


@pytest.fixture
def index(tmp_path):
    for name in ("tiny", "other"):
        make_wheel(tmp_path / "index", name, module=f"NAME = {name!r}")
    return tmp_path / "index"


@pytest.fixture
def clone(tmp_path, index, monkeypatch):
    """A clone with a small lock, in a folder with a space and a letter that is not ASCII; uv and one Python on PATH."""
    folder = tmp_path / "mein Ordner für Keras"
    (folder / "scripts").mkdir(parents=True)
    for name in ("Makefile", "CHANGELOG.md", *(f"scripts/{program}.py" for program in PROGRAMS)):
        shutil.copy(ROOT / name, folder / name)
    (folder / "scripts" / "first_imports.py").write_text(FIRST_IMPORTS)
    (folder / LOCK).write_text("tiny==1.0\n")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    make_wheel(folder / "own", "own")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "uv").symlink_to(UV)
    (programs / f"python{THIS_PYTHON}").symlink_to(BASE)
    (programs / "make").symlink_to(shutil.which("make"))
    (tmp_path / "uv.toml").write_text(f"no-index = true\nfind-links = ['{index}']\n")
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "PATH": str(programs),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_CONFIG_FILE": str(tmp_path / "uv.toml"),
        "HTTPS_PROXY": "http://127.0.0.1:9",  # where nobody answers
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PYTHONPATH")  # the guard's sitecustomize would stand before that of a Python that has one
    return folder


def start(clone, *command):
    """The set-up, or another command, in a process group of its own."""
    words = command or (sys.executable, "scripts/set_up.py")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(words, cwd=clone, start_new_session=True, **pipes)


def end(process):
    """The exit code, and all that was printed."""
    told = process.communicate(timeout=120)[0]
    return process.returncode, told
