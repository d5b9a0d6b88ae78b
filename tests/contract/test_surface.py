"""Whatever the mocked SDK has in public, the real one has at the same path, with the same signature."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.backend import MOCKED_SDK

SURFACE = Path(__file__).with_name("surface.py")

# At most ten, each with its reason.
_NOT_INSTALLED = "azureml-opendatasets is none of this project's packages; its reference pages have the signatures"
OPEN_MEMBERS = ("", ".get_file_dataset", ".get_tabular_dataset", ".__init__")
ALLOWED = {
    f"azureml.opendatasets{name}": _NOT_INSTALLED
    for name in ["", *(f".{kind}{member}" for kind in ("MNIST", "Diabetes") for member in OPEN_MEMBERS)]
}


def surface(first, *modules):
    command = [sys.executable, str(SURFACE), str(first), *modules]
    result = subprocess.run(command, capture_output=True, text=True, cwd=SURFACE.parent)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


MOCKED = surface(MOCKED_SDK)


def paths():
    """Every public module, member of a module and member of a class, as (module, member, class member)."""
    for module, members in MOCKED.items():
        yield module, None, None
        for name, member in members.items():
            if name == "error" or not member["here"]:
                continue
            yield module, name, None
            for inner in {**member.get("members", {}), **dict.fromkeys(member.get("attributes", ()))}:
                yield module, name, inner


PATHS = list(paths())


@pytest.fixture(scope="module")
def real():
    return surface("", *MOCKED)


@pytest.mark.parametrize("path", PATHS, ids=[".".join(filter(None, path)) for path in PATHS])
def test_real_sdk_has_it_alike(path, real):
    module, name, inner = path
    full_name = ".".join(filter(None, path))
    if full_name in ALLOWED:
        pytest.skip(ALLOWED[full_name])
    assert "error" not in MOCKED[module], MOCKED[module]["error"]
    assert "error" not in real[module], f"the real SDK has no module {module}"
    if name is None:
        return
    assert name in real[module], f"the real {module} has no {name}"
    mocked_member, real_member = MOCKED[module][name], real[module][name]
    if inner is None:
        assert head(mocked_member) == head(real_member)
        if "._" not in (module := real_member.get("module") or ""):
            assert (mocked_member.get("module") or "") == module
        return
    mocked_inner = mocked_member["members"].get(inner)
    real_inner = real_member["members"].get(inner)
    if inner in real_member["attributes"] and (real_inner is None or mocked_inner is None):
        return  # an attribute of the instances there; here it may as well be a property
    assert real_inner is not None, f"the real {module}.{name} has no {inner}"
    if mocked_inner is not None:
        assert head(mocked_inner) == head(real_inner)


def head(member):
    """The description without what has a test of its own."""
    return {
        key: value for key, value in member.items() if key not in ("members", "attributes", "private", "here", "module")
    }


def test_what_a_module_happens_to_have_is_found_there_too(real):
    """People import a name from whichever module of the real SDK has it, even where that only imports it itself."""
    supported = {name for members in MOCKED.values() for name, member in members.items() if member.get("here")}
    wanted = [
        (module, name)
        for module, members in real.items()
        for name, member in members.items()
        if "error" not in members and member["kind"] in ("class", "function") and name in supported
    ]
    script = (
        "import importlib, json, sys; sys.path.insert(0, sys.argv[1])\n"
        "for module, name in json.load(sys.stdin):\n"
        "    if not hasattr(importlib.import_module(module), name): print(module, name)"
    )
    command = [sys.executable, "-c", script, str(MOCKED_SDK)]
    result = subprocess.run(command, input=json.dumps(wanted), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert len(wanted) > 200 and ["azureml.train.hyperdrive.run", "PrimaryMetricGoal"] in map(list, wanted)
    assert result.stdout == ""


def test_walk_sees_the_sdk():
    """The walk above is not empty by mistake, and sees signatures."""
    assert {"azureml.core.environment", "azureml.core.run", "azureml.exceptions"} <= set(MOCKED)
    create = MOCKED["azureml.core.conda_dependencies"]["CondaDependencies"]["members"]["create"]
    assert create["kind"] == "staticmethod"
    assert "python_version='3.10.18'" in create["parameters"]


def test_allow_list_is_short_and_used():
    assert len(ALLOWED) <= 10
    assert set(ALLOWED) <= {".".join(filter(None, path)) for path in PATHS}
    assert all(ALLOWED.values())
