"""The programs in programs/, one a subject, print the same under the mocked and under the real SDK.

The real SDK talks to a stand-in workspace. What is the service's to decide and not the SDK's (the text of a refusal,
which logs a run has, the ids of trials, how a sweep draws its values) is not printed, or only as far as both agree.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from stand_in import Azure, needs_the_real_sdk

from helpers.backend import MOCKED_SDK
from helpers.offline.engine import removal

STAGE = Path(__file__).with_name("stage.py")
pytestmark = needs_the_real_sdk
PROGRAMS = sorted(path.stem for path in STAGE.with_name("programs").glob("*.py"))


def play(folder: Path, sdk: str, environment: dict[str, str]) -> subprocess.Popen:
    """Start the programs on an SDK, in a folder of their own."""
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, str(STAGE), str(folder / "printed.json"), sdk, *PROGRAMS],
        cwd=folder,
        env=os.environ | environment,
        stdout=(folder / "log.txt").open("w"),
        stderr=subprocess.STDOUT,
    )


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What each program printed under the mocked SDK, and under the real one."""
    top = tmp_path_factory.mktemp("twins")
    offline = top / "offline"
    with Azure(top / "azure") as azure:
        azure.write_config(top)
        sides = {
            "mocked": play(top / "mocked", str(MOCKED_SDK), {"AZUREML_OFFLINE_FOLDER": str(offline)}),
            "real": play(top / "real", "", azure.environment),
        }
        try:
            for name, process in sides.items():
                assert process.wait() == 0, f"{name}: {(top / name / 'log.txt').read_text()[-5000:]}"
        finally:
            for process in sides.values():
                process.kill()
                process.wait()
            removal.reset(offline)
        azure.check()
    return tuple(json.loads((top / name / "printed.json").read_text()) for name in sides)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("program", PROGRAMS)
def test_both_print_the_same(printed, program):
    mocked, real = (side[program].splitlines() for side in printed)
    assert "Traceback (most recent call last):" not in real
    assert len(real) > 5
    assert mocked == real
