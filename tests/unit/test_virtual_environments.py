"""Jobs that ask for an environment of their own: what is built, from what, and what is told where it cannot be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace
from packaging.specifiers import SpecifierSet
from sdk_world import source
from small_jobs import submit, wait_for
from small_packages import THIS_PYTHON, environment, make_wheel

from helpers.offline.engine import environments
from helpers.offline.engine.environments import interpreters, virtual_environments
from helpers.offline.engine.history import logs, run_files
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import Invalid, NotFound

BUILD = {virtual_environments.VARIABLE: "1"}
PREPARING = ["NotStarted", "Preparing", "Finalizing"]


@pytest.fixture
def opened(offline_folder, monkeypatch):
    """A workspace whose builds know no index, whatever this machine's pip is set to."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder.open_folder()


def specification(*dependencies):
    return environments.specification({"name": "e", "python": {"condaDependencies": {"dependencies": dependencies}}})


@pytest.mark.parametrize(
    ("conda", "pip"),
    [
        ("numpy", "numpy"),
        ("numpy=1.26", "numpy==1.26.*"),
        ("numpy=1.26.*", "numpy==1.26.*"),
        ("numpy==1.26.4", "numpy==1.26.4"),
        ("numpy 1.26.4", "numpy==1.26.4"),
        ("numpy=1.26.4=py311_0", "numpy==1.26.4"),
        ("numpy 1.26.4 py311_0", "numpy==1.26.4"),
        ("numpy *", "numpy"),
        ("conda-forge::numpy >=1.20,<2", "numpy>=1.20,<2"),
        ("numpy=1.26,!=1.26.3", "numpy==1.26.*,!=1.26.3"),
    ],
)
def test_a_package_of_condas_is_asked_of_pip(conda, pip):
    assert specification(conda).requirements == [pip]


def test_what_a_specification_asks_of_pip():
    found = specification(
        "python>=3.7,<3.9",
        "pip=20",
        "cudatoolkit=10.0",
        "numpy=1.18",
        {
            "pip": [
                "azureml-defaults~=1.0",
                "azureml-inference-server-http~=1.5",
                "--find-links wheels",
                "h5py<3",
                "AzureML_Core",
                "x[extra]>=1; os_name == 'nt'",
            ]
        },
    )
    server = "azureml-inference-server-http~=1.5"  # what serves an entry script is no part of the mocked SDK
    pip = [server, "--find-links wheels", "h5py<3", "x[extra]>=1; os_name == 'nt'"]
    assert found.requirements == ["numpy==1.18.*", *pip]
    assert found.python == SpecifierSet(">=3.7,<3.9")
    assert any("cudatoolkit=10.0" in note and "not available" in note for note in found.notes)
    assert any("azureml-defaults" in note and "mocked SDK" in note for note in found.notes)


def test_a_specification_of_no_python_takes_any():
    assert specification("numpy").python == SpecifierSet()
    with pytest.raises(Invalid, match="no version of Python"):
        specification("python=new")


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """A machine without interpreters: the folder of its user."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    monkeypatch.delenv("UV_PYTHON_INSTALL_DIR", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    return tmp_path


THIS = Path(sys.executable)
WANTED = SpecifierSet(f"=={THIS_PYTHON}.*")


def test_the_interpreter_that_runs_this_comes_first():
    assert interpreters.find(WANTED).path == interpreters.find(SpecifierSet()).path == THIS


def put(path, text=f'#!/bin/sh\nexec "{THIS}" "$@"\n'):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize(
    "place",
    ["bin", ".pyenv/versions/3.x/bin", ".local/share/uv/python/cpython/bin", "conda/envs/x/bin"],
)
def test_where_an_interpreter_is_found(bare_machine, place):
    put(bare_machine / "bin" / f"python{THIS_PYTHON}", "#!/bin/sh\nexit 127\n")  # as pyenv's do, of no version
    put(bare_machine / place / f"python{THIS_PYTHON}")
    (bare_machine / ".conda").mkdir()
    (bare_machine / ".conda" / "environments.txt").write_text(f"{bare_machine}/gone\n{bare_machine}/conda/envs/x\n")
    assert interpreters.find(WANTED).path == THIS


def test_a_file_of_another_version_than_its_name_is_passed_over(bare_machine):
    put(bare_machine / "bin" / "python3.7")
    with pytest.raises(NotFound, match=r"==3\.7\.\*.*pyenv install 3\.7`"):
        interpreters.find(SpecifierSet("==3.7.*"))


def test_a_python_that_is_too_old_for_a_job_is_told():
    with pytest.raises(NotFound, match=r"Python 3\.7 or later"):
        interpreters.find(SpecifierSet("==3.6.2"))


def test_a_machine_without_any_interpreter(bare_machine):
    with pytest.raises(NotFound, match=r"pyenv install 3\.8`"):
        interpreters.find(SpecifierSet("!=3.7.*,<3.10"))


def test_what_asks_for_a_build():
    job = {"environment": environment(), "environment_variables": BUILD}
    assert virtual_environments.is_wanted(job)
    for variables in ({}, None, {virtual_environments.VARIABLE: "0"}):
        assert not virtual_environments.is_wanted(job | {"environment_variables": variables})
    assert not virtual_environments.is_wanted(job | {"environment": None})
    assert not virtual_environments.is_wanted(job | {"environment": {"python": {"userManagedDependencies": True}}})


def test_a_run_in_an_environment_of_its_own(opened, tmp_path, monkeypatch, capfd):
    """By the SDK's own means, with a second run that finds the environment."""
    wheels = make_wheel(tmp_path / "wheels", "greeting", module="words = 'well met'").parent
    conda_file = tmp_path / "conda.yml"
    conda_file.write_text(
        f"dependencies:\n- python={THIS_PYTHON}\n- pip:\n"
        f"  - azureml-defaults\n  - --find-links {wheels}\n  - greeting==1.0\n"
    )
    made = Environment.from_conda_specification("own", str(conda_file))
    made.environment_variables[virtual_environments.VARIABLE] = "1"
    script = """
import greeting, sys
from azureml.core import Run
print(greeting.words, *(folder for folder in sys.path if "environments" in folder))
Run.get_context().log("x", 3)
try:
    import numpy
except ImportError:
    print("nothing else")
"""
    monkeypatch.chdir(tmp_path)
    config = ScriptRunConfig(**source(tmp_path / "s", script), compute_target="local", environment=made)
    experiment = Experiment(Workspace.from_config(), "tests")
    run = experiment.submit(config)
    run.wait_for_completion(show_output=True)
    assert run.get_metrics() == {"x": 3}
    printed = capfd.readouterr().out
    (place,) = (opened / "environments").iterdir()
    assert f"well met {place}/lib/python{THIS_PYTHON}/site-packages\nnothing else\n" in printed
    assert printed.index("20_image_build_log.txt") < printed.index("Successfully installed greeting-1.0")
    build_log = logs.build_log_path(opened, run.id).read_text()
    assert "azureml-defaults: stands in the mocked SDK" in build_log

    shutil.rmtree(wheels)  # a second build would fail
    made.name = "another"
    config = ScriptRunConfig(
        str(tmp_path / "s"), command=["python", "train.py"], compute_target="local", environment=made
    )
    second = experiment.submit(config)
    second.wait_for_completion()
    assert f"well met {place}" in logs.log_path(opened, second.id).read_text()
    second_log = logs.build_log_path(opened, second.id).read_text()
    assert "was built before" in second_log and "Successfully installed greeting-1.0" in second_log


def failure(opened, run_id):
    """The error of a run that failed while it was prepared, and its build's log."""
    state = wait_for(opened, run_id, "Failed")
    assert [stage["status"] for stage in state["stages"]] == [*PREPARING, "Failed"]
    assert state["error"]["code"] == "UserError"
    assert not list(opened.glob(f"environments/*/{virtual_environments.BUILD_LOG}"))
    assert not list(opened.glob("environments/*/bin"))
    assert run_records.get_run(opened, run_id).error == state["error"]
    name = "azureml-logs/20_image_build_log.txt"
    return state["error"]["message"], run_files.path_of(opened, run_id, name).read_text()


def test_a_package_that_does_not_exist(opened, tmp_path):
    wanted = environment("no-such-package-anywhere")
    run_id = submit(opened, tmp_path / "s", "", environment=wanted, environment_variables=BUILD)
    message, log = failure(opened, run_id)
    assert message.startswith("Image build failed. The environment 'small'")
    assert "No matching distribution found for no-such-package-anywhere" in message
    assert "No matching distribution found for no-such-package-anywhere" in log


def test_requirements_that_contradict_each_other(opened, tmp_path):
    wheels = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "base", version)
        make_wheel(wheels, f"needs{version[0]}", requires=(f"base=={version}",))
    wanted = environment(f"--find-links {wheels}", "needs1", "needs2")
    run_id = submit(opened, tmp_path / "s", "", environment=wanted, environment_variables=BUILD)
    message, log = failure(opened, run_id)
    assert "conflicting dependencies" in message and "needs2 1.0 depends on base==2.0" in message
    assert "Collecting needs1" in log or "Processing" in log


@pytest.mark.parametrize(("python", "words"), [("3.99", "Install it"), ("new", "no version")])
def test_a_python_that_is_not_to_be_had(opened, tmp_path, python, words):
    wanted = environment(python=python)
    run_id = submit(opened, tmp_path / "s", "", environment=wanted, environment_variables=BUILD)
    message, log = failure(opened, run_id)
    assert words in message and message in log


def test_a_run_on_python_3_7(opened, tmp_path):
    try:
        base = interpreters.find(SpecifierSet("==3.7.*"))
    except NotFound:
        pytest.skip("there is no Python 3.7 on this machine")
    wheels = make_wheel(tmp_path / "wheels", "greeting", module="words = 'well met'").parent
    script = """
        import greeting, io, sys
        from azureml.core import Dataset, Experiment, Model, Run, Workspace
        run = Run.get_context()
        run.log("minor", sys.version_info[1])
        run.log_row("row", a=1, b="two")
        run.upload_file("a.txt", io.BytesIO(b"a"))
        run.tag("mood", "good")
        run.flush()
        for call in (lambda: run.experiment, run.get_metrics, run.get_environment, lambda: run.register_model("m")):
            try:
                call()
            except Exception as error:
                print(type(error).__name__, "offline engine" in str(error))
        """
    wanted = environment(f"--find-links {wheels}", "greeting", "azureml-defaults", python="3.7")
    run_id = submit(opened, tmp_path / "s", script, environment=wanted, environment_variables=BUILD)
    wait_for(opened, run_id, "Completed")
    assert logs.log_path(opened, run_id).read_text() == "UserErrorException True\n" * 4
    assert run_records.get_metrics(opened, run_id) == {"minor": 7, "row": {"a": 1, "b": "two"}}
    assert "a.txt" in run_files.files_of(opened, run_id)
    assert run_records.get_run(opened, run_id).tags["mood"] == "good"
    assert base.version in logs.build_log_path(opened, run_id).read_text()


def test_the_mnist_reader_runs_on_python_3_7(tmp_path):
    """With a NumPy that stands in for one, which no test can install: what is looked at is the language."""
    try:
        base = interpreters.find(SpecifierSet("==3.7.*"))
    except NotFound:
        pytest.skip("there is no Python 3.7 on this machine")
    (tmp_path / "numpy.py").write_text("ndarray = object\n")
    reader = Path(__file__).parents[2] / "helpers" / "mnist.py"
    shutil.copy(reader, tmp_path)
    (tmp_path / "damaged.gz").write_bytes(b"\x1f\x8b damaged")
    code = "import mnist\ntry: mnist.read_idx('damaged.gz')\nexcept mnist.IdxError as error: print(error)"
    done = subprocess.run([base.path, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout[:21], done.stderr) == ("damaged.gz is damaged", "")
