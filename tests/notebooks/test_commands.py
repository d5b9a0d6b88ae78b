"""Every command that README and docs show works as it stands, in the order in which they stand."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from books import NAMES, ROOT, STARTS_SOON, environment
from small_jobs import make_cluster, wait_until

from helpers.offline.engine import removal
from helpers.offline.engine.workspace import folder

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`((?:make|python3?|\.venv/bin/\S+|conda|az|pip|uv) [^`]+)`(?!`)")
LAB = r"http://127\.0\.0\.1:\d+/lab\S*"
SERVERS = {"make lab": LAB, r"make workshop( [A-Z]+=\w+)*$": LAB, r"make (-C \S+ )?studio": r"http://127\.0\.0\.1:\d+"}

# What is not run here, as a regular expression of its beginning, and why.
NOT_RUN = {
    "make test$": "runs this",
    r"\.venv/bin/python -m pytest (tests/|--lf)": "runs tests that run anyway",
    r"make (.*PYTHON|.*WHEELHOUSE|wheelhouse)": "sets up another environment: test_set_up.py does, offline",
    "make (legacy|lock)": "asks a package index",
    "conda ": "asks a package index",
    r"\.venv/bin/pre-commit": "changes the git repository",
    r"(make bench|\.venv/bin/python tests/bench/run\.py)": "measures for minutes, alone on its machine",
    r"(make soak|\.venv/bin/python tests/soak/run\.py)": "kills and locks for minutes",
    "(make run-v2|.*--series v2)": "takes as long again; test_committed_outputs.py runs this series",
    r"\.venv/bin/python scripts/train_sdk_v2\.py": "test_train_sdk_v2.py runs it",
    "make (coverage-table|pictures|v1-to-v2|portuguese)": "tests compare what it makes with what is committed",
    "make outputs": "takes minutes; the outputs are compared by test_committed_outputs.py",
    r"(\w+=\$\()?az ": "needs a subscription",
    r".*--backend azure": "needs a workspace on Azure",
    "python -I": "is no command but an option that is spoken of",
}

# The defaults that make the runs small.
SMALL = {
    "notebooks/04_train.ipynb": {"PositiveInt = 20 ": "PositiveInt = 1 ", "= 300 ": "= 32 ", "= 100 ": "= 16 "},
    "notebooks/06_download_validate.ipynb": {"Accuracy = 0.97 ": "Accuracy = 0.8 "},
    "notebooks/07_tune.ipynb": {"PositiveInt = 6 ": "PositiveInt = 2 ", "PositiveInt = 3 ": "PositiveInt = 1 "},
    "scripts/training/arguments.py": {"default=20": "default=1"},
}
SET_UP = {"lock": "requirements.txt", "project": "pyproject.toml"}  # what .venv follows from
TEXT = {"capture_output": True, "text": True}


def shown() -> list[str]:
    """The commands of all pages, each where it stands first."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in sorted([*BLOCK.finditer(text), *INLINE.finditer(text)], key=lambda match: match.start()):
            lines = match[1].replace("\\\n", " ").splitlines()
            found += [re.sub(r"\s+# .*|^# .*", "", line).strip() for line in lines]
    return [command for command in dict.fromkeys(found) if command]


@pytest.fixture
def repository(tmp_path):
    """A copy of this repository with its environment and small defaults, in which nothing is left running."""
    copy = tmp_path / "repository"
    left_out = shutil.ignore_patterns(".git", ".venv", ".offline", "output", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=left_out)
    for name, changes in SMALL.items():
        text = (copy / name).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert text.count(old) == 1, f"{name}: {old}"
            text = text.replace(old, new)
        (copy / name).write_text(text, encoding="utf-8")
    (copy / ".venv").mkdir()
    for part in ("bin", "lib", "share", "pyvenv.cfg"):
        (copy / ".venv" / part).symlink_to(Path(sys.prefix, part))
    digests = {name: hashlib.sha256((copy / file).read_bytes()).hexdigest() for name, file in SET_UP.items()}
    (copy / ".venv" / "ready").write_text(json.dumps(digests | {"folder": str(copy)}))
    (copy / ".venv" / "turn").touch()
    done = subprocess.run(
        [sys.executable, "-c", "import set_up; print(set_up.is_done(''))"], cwd=copy / "scripts", **TEXT
    )
    assert done.stdout == "True\n", f"make would set it up anew: {done}"
    yield copy
    removal.reset(copy / ".offline")


@pytest.mark.timeout(1800)
def test_every_command_works_where_it_stands(repository):
    make_cluster(folder.open_folder(repository / ".offline"), "not-ours")
    (repository.parent / "temporary").mkdir()
    variables = environment(repository) | STARTS_SOON
    variables |= {"BROWSER": "true", "TMPDIR": str(repository.parent / "temporary")}
    del variables["AZUREML_OFFLINE_FOLDER"]
    for command in shown():
        if any(re.match(beginning, command) for beginning in NOT_RUN):
            continue
        if address := next((address for form, address in SERVERS.items() if re.match(form, command)), None):
            assert_serves(command, address, repository, variables)
            continue
        done = subprocess.run(["bash", "-c", command], cwd=repository, env=variables, **TEXT)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        if command == "make run":
            assert_all_ran(repository, done)


def assert_all_ran(repository: Path, done: subprocess.CompletedProcess) -> None:
    """What a run of the whole series leaves and prints."""
    assert f"All {len(NAMES)} notebooks ran to the end: " in done.stdout
    progress = [line for line in done.stderr.splitlines() if line]
    assert [line.split()[:3] for line in progress] == [
        [f"[{number}/{len(NAMES)}]", name, "…"] for number, name in enumerate(NAMES, start=1)
    ], "nothing else is on stderr"
    manifest = json.loads((repository / "output" / "manifest.json").read_text())
    recorded = {name: entry["results"] for name, entry in manifest["notebooks"].items()}
    assert sorted(recorded) == NAMES
    accuracy = recorded["06_download_validate"]["Test accuracy of the downloaded model"]
    assert 0.8 <= accuracy <= 1
    assert recorded["04_train"] == {"Test accuracy in the run": accuracy}
    assert recorded["07_tune"]["Model of the sweep"] == "keras-mnist-tuned, version 1"
    assert 0.8 <= recorded["07_tune"]["Test accuracy of the sweep's best"] <= 1
    assert recorded["08_deploy"] == {"Service": "keras-mnist-service with keras-mnist version 1"}
    assert recorded["09_clean_up"] == {"Resources left that cost money": 0}
    executed = (repository / "output" / "09_clean_up.ipynb").read_text()
    assert "The cluster not-ours does not carry the tag: it is left alone." in executed


def assert_serves(command: str, address: str, repository: Path, variables: dict[str, str]) -> None:
    """The command says an address and answers there; then it is ended with all that it has started."""
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    with subprocess.Popen(command.split(), cwd=repository, env=variables, **output) as server:
        try:
            said, found = "", None
            for line in server.stdout:
                said += line
                if found := re.search(address, line):
                    break
            assert found, f"{command} has ended\n{said}"
            wait_until(lambda: server.poll() is not None or status(found[0]) == 200)
            assert server.poll() is None, command
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.communicate()


def status(address: str) -> int | None:
    """The status of an answer from there; None while nobody answers."""
    with requests.Session() as session:
        session.trust_env = False  # it is this machine: no proxy
        try:
            return session.get(address, timeout=60).status_code
        except requests.ConnectionError:
            return None


def test_what_is_not_run_has_its_reason_and_is_shown():
    commands = shown()
    assert len(commands) > 20
    for beginning, reason in NOT_RUN.items():
        assert reason
        assert any(re.match(beginning, command) for command in commands), f"{beginning} is shown no more"
    for form in SERVERS:
        assert any(re.match(form, command) for command in commands), form
