"""The notebooks under the real SDK: what they print against a stand-in workspace, beside what they print offline."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from books import PATHS, QUICK, STARTS_SOON, environment
from make_outputs import working_copy
from small_jobs import make_cluster
from stand_in import Azure, computes, needs_the_real_sdk

from helpers.offline.engine import removal
from helpers.offline.engine.workspace import folder

ONE_PROCESS = Path(__file__).with_name("in_one_process.py")

SMALL = {"epochs": 1, **QUICK, "minimum_accuracy": 0.8}
SMALL |= {"max_total_runs": 2, "trial_epochs": 1}

DRAWN = "how the values of the trials are drawn is the service's own"  # so that they may as well be the same

# What may differ, and has to: (notebook or "", cell): (lines that are left out, or None for all, and why)
DIFFERENT = {
    ("", "setup"): (r"(Offline|Azure): .*", "says which backend it is"),
    ("01_setup", "offline-where"): (None, "says where the SDK was imported from"),
    ("01_setup", "strict"): (
        None,
        "shows what the offline backend refuses: a key vault, which a workspace on Azure has",
    ),
    ("07_tune", "accuracy"): (r"on the .* images: +0\.9\d+", DRAWN),
    ("07_tune", "parallel"): (r"The picture in words: .*", DRAWN),
    ("07_tune", "correlation"): (None, DRAWN),
    ("07_tune", "curves"): (r"The picture in words: .*", DRAWN),
    ("08_deploy", "wait"): (r"Tips: .*|Running\.*", "offline the advice names no address; a dot is five seconds"),
    ("08_deploy", "requests"): (r"http://127\.0\.0\.1:\d+/score", "the address is the service's own"),
}
# The real SDK downloads several files at once, and lists them as they come.
NOISE = r"\{'infer_column_types': .*\}"  # the library that reads data prints its own settings
ANY_ORDER = {("02_data", "download")}


@needs_the_real_sdk
@pytest.mark.timeout(1800)
def test_under_the_real_sdk_the_notebooks_print_what_they_print_offline(tmp_path, monkeypatch):
    for name, value in STARTS_SOON.items():
        monkeypatch.setenv(name, value)  # for the stand-in's jobs, too
    offline, real = tmp_path / "mocked", tmp_path / "real"
    with Azure(tmp_path / "azure") as azure:
        real.mkdir()
        azure.write_config(real)
        computes.add(azure.world, "not-ours", "Standard_DS3_v2")
        make_cluster(folder.open_folder(offline / "offline"), "not-ours")
        processes = [start(offline, "offline", {}), start(real, "azure", azure.environment)]
        try:
            for process, world in zip(processes, (offline, real), strict=True):
                assert process.wait() == 0, (world / "log.txt").read_text()[-5000:]
        finally:
            for process in processes:
                process.kill()
                process.wait()
            removal.reset(offline / "offline")
        azure.check()
    printed = [json.loads((world / "printed.json").read_text()) for world in (offline, real)]
    found = differences(*printed)
    assert not found, "\n\n".join(found)
    assert [path.stem for path in PATHS[:5] if printed[0][path.stem]["frameworks"]] == []  # they need no Keras


def start(world: Path, backend: str, variables: dict[str, str]) -> subprocess.Popen:
    """Start all notebooks in `world`; printed.json in it becomes what each cell prints, by notebook and cell id."""
    working_copy(world)
    paths = [str(world / "notebooks" / path.name) for path in PATHS]
    return subprocess.Popen(
        [sys.executable, ONE_PROCESS, world / "printed.json", json.dumps(SMALL | {"backend": backend}), *paths],
        env=environment(world) | variables,
        cwd=world,
        stdout=(world / "log.txt").open("w"),
        stderr=subprocess.STDOUT,
    )


def differences(offline: dict, azure: dict) -> list[str]:
    """What differs between the two and should not, and what should and does not, as text for a message."""
    found = []
    for path in PATHS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type != "code" or "nbval-ignore-output" in cell.metadata.get("tags", []):
                continue
            if cell.id not in azure[path.stem]:
                continue  # the widget
            one, other = offline[path.stem][cell.id], azure[path.stem][cell.id]
            if one.strip() == other.strip():
                continue
            if _compared(path.stem, cell.id, one) != _compared(path.stem, cell.id, other):
                found.append(f"{path.stem}, cell {cell.id}, offline:\n{one}\nunder the real SDK:\n{other}")
    for (notebook, cell), (_, reason) in DIFFERENT.items():
        names = [notebook] if notebook else list(offline)
        if reason != DRAWN and all(offline[name][cell] == azure[name][cell] for name in names):
            found.append(f"{notebook}, cell {cell}: listed as different, and the same:\n{offline[names[0]][cell]}")
    return found


def _compared(notebook: str, cell: str, text: str) -> list[str]:
    pattern = NOISE
    for name in (notebook, ""):
        if (name, cell) in DIFFERENT:
            pattern = DIFFERENT[name, cell][0]
    lines = [] if pattern is None else text.strip().splitlines()
    kept = [line for line in lines if not re.fullmatch(pattern, line)]
    return sorted(kept) if (notebook, cell) in ANY_ORDER else kept
