"""Wherever the project is set up, it is on the same Python and the same lock."""

import json
import re
import shlex
from pathlib import Path

import set_up
import yaml

ROOT = Path(__file__).resolve().parents[2]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def what_conda_installs(name):
    """The Python of a conda environment, and the files that its pip part names, resolved as pip does."""
    dependencies = yaml.safe_load(read(name))["dependencies"]
    (python,) = [found[1] for found in (re.fullmatch(r"python=(.+)", str(one)) for one in dependencies) if found]
    (pip,) = [one["pip"] for one in dependencies if isinstance(one, dict)]
    folder = (ROOT / name).parent
    return python, {option: (folder / path).resolve() for option, path in map(shlex.split, pip)}


def test_conda_and_binder_install_the_lock_on_the_first_python_that_the_set_up_looks_for():
    for name in ("environment.yml", ".binder/environment.yml"):
        assert what_conda_installs(name) == (
            set_up.RELEASES[0],
            {"--requirement": ROOT / "requirements.txt", "--editable": ROOT},
        )


def test_the_dev_container_sets_up_as_make_does():
    container = json.loads(read(".devcontainer/devcontainer.json"))
    assert container["image"].endswith(f":{set_up.RELEASES[0]}")
    assert container["postCreateCommand"] == "make setup"
    assert container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"].endswith(
        "/.venv/bin/python"
    )


def test_the_lock_is_compiled_for_the_oldest_python_that_the_set_up_takes():
    oldest = set_up.RELEASES[0]
    assert f"--python-version {oldest}" in read("Makefile") and f"--python-version {oldest}" in read("requirements.txt")
    assert f'requires-python = ">={oldest}"' in read("pyproject.toml")
    assert f'target-version = "py{oldest.replace(".", "")}"' in read("pyproject.toml")


def test_before_a_commit_only_what_is_in_venv_runs():
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"  # so that nothing is fetched
    for hook in repository["hooks"]:
        words = hook["entry"].split()
        assert hook["language"] == "system" and any(word.startswith(".venv/bin/") for word in words)
        assert all((ROOT / word).exists() for word in words if word.endswith(".py"))
