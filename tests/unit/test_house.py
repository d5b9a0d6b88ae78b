"""Who may import whom (the contracts of pyproject.toml), and how long a module may be."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LONGEST = 400  # lines of a module
ENGINE, SDK = "helpers/offline/engine", "helpers/offline/sdk_v1/azureml"

# A line against each contract, and the module that it is added to.
AGAINST = {
    "A room of the engine uses only rooms below it": (
        f"{ENGINE}/history/spool.py",
        "from helpers.offline.engine.jobs import finish",
    ),
    "The engine knows nothing of the SDKs": (f"{ENGINE}/jobs/ranks.py", "from azureml.core import Run"),
    "What a notebook imports reaches the offline backend only through helpers.backend": (
        "helpers/runs.py",
        "from helpers.offline.engine import jobs",
    ),
    "The mocked SDK v1 and the routes for SDK v2 do not know each other": (
        "helpers/offline/arm/jobs.py",
        "def f():\n    import azureml.core",
    ),
    "A job's side imports no engine": (f"{SDK}/_spool.py", "from helpers.offline.engine.history import spool"),
}


def verdicts(repository):
    """KEPT or BROKEN, by the contract's name."""
    program = [sys.executable, "-c", "import sys, importlinter.cli; sys.exit(importlinter.cli.lint_imports_command())"]
    environment = {**os.environ, "PYTHONPATH": f"{repository}{os.pathsep}{repository / SDK}/..", "COLUMNS": "300"}
    done = subprocess.run(
        [*program, "--no-cache"], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    found = dict(re.findall(r"^(.+?)\s*(KEPT|BROKEN)\b.*$", done.stdout, re.MULTILINE))
    assert done.returncode == ("BROKEN" in found.values()), done.stdout + done.stderr
    return found


def contracts():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return {contract["name"] for contract in settings["contracts"]}


def test_the_contracts_are_kept():
    assert verdicts(REPOSITORY) == dict.fromkeys(contracts(), "KEPT")


def test_one_line_against_it_breaks_each_contract(tmp_path):
    assert set(AGAINST) == contracts()
    shutil.copytree(REPOSITORY / "helpers", tmp_path / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for module, line in AGAINST.values():
        with (tmp_path / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    assert verdicts(tmp_path) == dict.fromkeys(contracts(), "BROKEN")


def test_no_module_is_too_long():
    modules = [path for part in ("helpers", "scripts") for path in sorted((REPOSITORY / part).rglob("*.py"))]
    assert len(modules) > 150
    lines = {str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8").count("\n") for path in modules}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def test_a_folder_that_a_training_by_hand_leaves_is_not_taken_for_a_module(tmp_path):
    shutil.copytree(REPOSITORY / "scripts" / "training", tmp_path / "scripts" / "training")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    (tmp_path / "outputs").mkdir()
    ruff = [Path(sys.executable).with_name("ruff"), "check", "--no-cache", "."]
    done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
