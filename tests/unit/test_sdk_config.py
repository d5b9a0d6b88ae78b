"""The mocked SDK's configuration side: what it loads, refuses and keeps."""

import ast
import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
from azureml import _engine, _strict, exceptions
from azureml.core import Environment, RunConfiguration, Workspace
from azureml.core.authentication import (
    AzureCliAuthentication,
    InteractiveLoginAuthentication,
    MsiAuthentication,
    ServicePrincipalAuthentication,
)
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.environment import EnvironmentReference
from azureml.core.runconfig import DockerConfiguration, PyTorchConfiguration
from azureml.exceptions import UserErrorException

from helpers.offline.engine.environments import check

SDK = Path(_strict.__file__).parent.parent


def run_python(code):
    environment = {**os.environ, "PYTHONPATH": str(SDK)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


# What is loaded


def test_core_loads_nothing_until_it_is_used():
    code = (
        "import sys; before = set(sys.modules); import azureml.core, azureml.exceptions;"
        "print(*sorted(set(sys.modules) - before - set(sys.stdlib_module_names)))"
    )
    loaded = [name for name in run_python(code).split() if name.split(".")[0] not in sys.stdlib_module_names]
    assert loaded == ["azureml", "azureml._elsewhere", "azureml._strict", "azureml.core", "azureml.exceptions"]


def test_core_loads_a_submodule_that_is_mentioned():
    code = "import azureml.core; print(azureml.core.conda_dependencies.CondaDependencies.__name__)"
    assert run_python(code) == "CondaDependencies\n"


def test_a_job_loads_the_standard_library_only_and_what_is_valid_on_python_3_7():
    code = (
        "import sys, json; before = set(sys.modules); from azureml.core import Run;"
        "after = {name: getattr(sys.modules[name], '__file__', None) for name in set(sys.modules) - before};"
        "print(json.dumps(after))"
    )
    loaded = json.loads(run_python(code))
    own = {name: file for name, file in loaded.items() if name.split(".")[0] == "azureml"}
    assert {"azureml.core.run", "azureml._spool", "azureml._strict"} <= set(own)
    for file in own.values():
        ast.parse(Path(file).read_text(encoding="utf-8"), feature_version=(3, 7))
    assert [name for name in loaded if name.split(".")[0] not in {"azureml", *sys.stdlib_module_names}] == []


def test_names_are_listed():
    import azureml.core

    assert {"Workspace", "Environment", "VERSION"} <= set(dir(azureml.core))


# What is refused


def assert_says_where_to_look(error):
    assert "not supported by the offline backend" in str(error.value)
    assert _strict.COVERAGE in str(error.value)


def test_module_that_is_not_there():
    with pytest.raises(ModuleNotFoundError, match=r"azureml\.pipeline") as error:
        import azureml.pipeline.core  # noqa: F401
    assert_says_where_to_look(error)


def test_name_that_is_not_there_in_a_from_import():
    with pytest.raises(ImportError, match=r"azureml\.core\.Keyvault") as error:
        from azureml.core import Keyvault  # noqa: F401
    assert_says_where_to_look(error)
    with pytest.raises(ImportError, match=r"azureml\.core\.environment\.RSection") as error:
        from azureml.core.environment import RSection  # noqa: F401
    assert_says_where_to_look(error)


def test_name_that_is_not_there_as_an_attribute():
    import azureml.core

    assert not hasattr(azureml.core, "Keyvault")
    assert getattr(azureml.core, "Keyvault", None) is None
    with pytest.raises(AttributeError) as error:
        azureml.core.Keyvault  # noqa: B018
    assert_says_where_to_look(error)


def test_broken_module_is_not_called_unsupported(tmp_path, monkeypatch):
    """Only what is missing below azureml is; another missing import keeps its own words."""
    (tmp_path / "needs_more.py").write_text("import no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    module_getattr = _strict.module_getattr(__name__, {"thing": "needs_more"})
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'no_such_package'$"):
        module_getattr("thing")


@pytest.mark.parametrize(
    "call",
    [
        lambda: Environment.from_existing_conda_environment("a", "b"),
        lambda: Environment("a").build(None),
        lambda: Environment("a", colour="red"),
        lambda: MsiAuthentication(colour="red"),
        lambda: UserErrorException("a", colour="red"),
        lambda: ServicePrincipalAuthentication("a", "b", "c").get_authentication_header(),
    ],
)
def test_unsupported_call(call):
    with pytest.raises(NotImplementedError) as error:
        call()
    assert_says_where_to_look(error)


def test_credentials_are_accepted_and_never_shown():
    secret = ServicePrincipalAuthentication("tenant", "id", "pass-w0rd")
    for credential in (secret, InteractiveLoginAuthentication(), AzureCliAuthentication(), MsiAuthentication()):
        assert "pass-w0rd" not in repr(credential) + str(credential) + str(vars(credential))


# Engine errors


def test_engine_error_becomes_the_sdk_class_that_is_named():
    with (
        pytest.raises(exceptions.ComputeTargetException, match="no such cluster") as error,
        _engine.translated(NotFound=exceptions.ComputeTargetException),
    ):
        raise _engine.errors.NotFound("no such cluster")
    assert isinstance(error.value.__cause__, _engine.errors.NotFound)


def test_engine_error_that_is_not_named_becomes_a_user_error():
    with pytest.raises(UserErrorException, match="too much"), _engine.translated(NotFound=ValueError):
        raise _engine.errors.TooLarge("too much")


def test_engine_error_class_covers_its_subclasses():
    with pytest.raises(KeyError), _engine.translated(EngineError=KeyError):
        raise _engine.errors.TooLarge("too much")


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), _engine.translated():
        raise ZeroDivisionError


def test_engine_that_is_missing_is_told(monkeypatch):
    monkeypatch.setattr(_engine, "ENGINE", "no_such_package.engine")
    with pytest.raises(UserErrorException, match="needs the offline engine"):
        _engine.run_records  # noqa: B018


# Registered environments


@pytest.fixture
def workspace(offline_folder):
    return Workspace.from_config()


def keras_environment(*pip_packages):
    environment = Environment("keras-env")
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=list(pip_packages))
    environment.docker.base_image = "some/image:1"
    return environment


def test_environment_is_registered_and_found_again(workspace):
    registered = keras_environment("keras").register(workspace)
    assert (registered.name, registered.version) == ("keras-env", "1")
    found = Environment.get(workspace, "keras-env")
    assert repr(found) == repr(registered)
    assert list(found.python.conda_dependencies.pip_packages) == ["keras"]
    assert found.docker.base_image == "some/image:1"


def test_environment_gets_a_version_only_when_it_changes(workspace):
    first = keras_environment("keras").register(workspace)
    assert keras_environment("keras").register(workspace).version == "1"
    first.version = None
    first.python.conda_dependencies.add_pip_package("matplotlib")
    assert first.register(workspace).version == "2"
    assert list(Environment.get(workspace, "keras-env", version="1").python.conda_dependencies.pip_packages) == [
        "keras"
    ]
    assert Environment.get(workspace, "keras-env", label="Latest").version == "2"
    assert EnvironmentReference("keras-env", "1").get_environment(workspace).version == "1"


def test_environment_version_of_ones_own(workspace):
    environment = keras_environment("keras")
    environment.version = "1"
    assert environment.register(workspace).version == "1"
    assert environment.register(workspace).version == "1"
    environment.python.conda_dependencies.add_pip_package("matplotlib")
    with pytest.raises(Exception, match=r"^Error registering the environment definition\. Code: "):
        environment.register(workspace)
    environment.version = "2"
    assert environment.register(workspace).version == "2"


def test_environments_are_listed(workspace):
    assert own(workspace) == {}
    keras_environment("keras").register(workspace)
    keras_environment("keras", "more").register(workspace)
    Environment("other").register(workspace)
    assert own(workspace) == {"keras-env": "2", "other": "1"}


def own(workspace):
    """The versions of the environments that are none of Microsoft's, by name."""
    listed = Environment.list(workspace).items()
    return {name: found.version for name, found in listed if not name.startswith("AzureML-")}


def test_microsofts_environments_are_what_is_known_of_them(workspace, tmp_path):
    found = Environment.get(workspace, "AzureML-sklearn-1.5")
    assert repr(found) == repr(Environment.list(workspace)["AzureML-sklearn-1.5"])
    packages = found.python.conda_dependencies
    assert packages.get_python_version() == "3.10" and "scikit-learn~=1.5.0" in packages.pip_packages
    assert found.docker.base_image == "mcr.microsoft.com/azureml/curated/sklearn-1.5"
    assert Environment.get(workspace, found.name, version="36").version == "36"
    found.save_to_directory(tmp_path / "saved")
    assert "scipy~=1.10.0" in (tmp_path / "saved/conda_dependencies.yml").read_text()
    for name in Environment.list(workspace):
        _, missing = check(Environment.get(workspace, name)._serialize_to_dict())
        assert missing == [], name
    copy = found.clone("mine")  # which Azure would build
    _, missing = check(copy._serialize_to_dict())
    assert any("py-spy==0.3.12 is not installed" in sentence for sentence in missing)
    found.python.conda_dependencies.add_pip_package("no-such-package")
    assert check(found._serialize_to_dict())[1], "a changed one is none of Microsoft's"
    with pytest.raises(Exception, match=r"Nothing is known offline .*AzureML-sklearn-1\.5, "):
        Environment.get(workspace, "AzureML-Designer")


@pytest.mark.parametrize("name", ["no-such", "AzureML-no-such"])
@pytest.mark.parametrize("version", [None, "7", "first"])
def test_environment_that_is_unknown(workspace, name, version):
    with pytest.raises(Exception, match=r"^Error retrieving the environment definition\. Code: 404") as error:
        Environment.get(workspace, name, version)
    assert name in str(error.value)


@pytest.mark.parametrize("name", ["", "two words", "../up", "ä", "AzureML-mine", "Microsoft", None, "x" * 256])
def test_environment_name_that_is_refused(workspace, name):
    with pytest.raises(Exception, match=r"^Error registering the environment definition\. Code: 400"):
        Environment(name).register(workspace)
    assert own(workspace) == {}


def test_environment_version_and_label_exclude_each_other(workspace):
    with pytest.raises(UserErrorException, match="Only one of version or label"):
        Environment.get(workspace, "a", version="1", label="Latest")


def test_environment_labels(workspace):
    first = keras_environment("keras").register(workspace)
    second = keras_environment("keras", "numpy").register(workspace)
    Environment.label(workspace, first.name, first.version, ["stable", "old"])
    Environment.label(workspace, first.name, "2", ["stable"])
    versions = {label: Environment.get(workspace, first.name, label=label).version for label in ("stable", "old")}
    assert versions == {"stable": second.version, "old": first.version}
    assert Environment.get(workspace, first.name, label="Latest").version == "2"
    with pytest.raises(Exception, match="with the label 'new'"):
        Environment.get(workspace, first.name, label="new")
    with pytest.raises(Exception, match="Error retrieving"):
        Environment.label(workspace, first.name, "3", ["new"])
    assert list(own(workspace)) == [first.name]


def _register(folder, number, barrier):
    os.environ["AZUREML_OFFLINE_FOLDER"] = str(folder)
    environment = keras_environment(f"package{number}")
    barrier.wait(timeout=60)
    environment.register(Workspace.from_config())


def test_two_processes_register_at_once(workspace, offline_folder):
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(2)
    processes = [spawn.Process(target=_register, args=(offline_folder, number, barrier)) for number in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0, 0]
    packages = {
        next(Environment.get(workspace, "keras-env", str(version)).python.conda_dependencies.pip_packages)
        for version in (1, 2)
    }
    assert packages == {"package0", "package1"}


# Configurations


def test_conda_file_keeps_what_it_says(tmp_path):
    path = tmp_path / "conda.yml"
    path.write_text("channels: [conda-forge]\ndependencies:\n- python=3.11\n- pip:\n  - größe==1\n", encoding="utf-8")
    conda = CondaDependencies(path)
    conda.save(tmp_path / "copy.yml")
    assert CondaDependencies(tmp_path / "copy.yml").as_dict() == conda.as_dict()
    assert list(conda.pip_packages) == ["größe==1"]


def test_conda_package_without_a_version_of_python():
    with pytest.raises(UserErrorException, match="invalid version number 'python'"):
        CondaDependencies().add_conda_package("python")


def test_conda_file_that_is_binary(tmp_path):
    path = tmp_path / "conda.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserErrorException, match=r"(?s)Environment error: not a valid YAML structure.*conda\.yml"):
        CondaDependencies(path)


def test_run_configuration_file_that_is_none(tmp_path):
    for content in ("a: b: c", "- 1"):
        (tmp_path / "bad.runconfig").write_text(content)
        with pytest.raises(exceptions.RunConfigurationException, match=r"bad\.runconfig"):
            RunConfiguration.load(tmp_path / "bad.runconfig")
    (tmp_path / "old.runconfig").write_text("ArgumentVector: [a.py]")
    with pytest.raises(NotImplementedError):
        RunConfiguration.load(tmp_path / "old.runconfig")


def test_run_configuration_keeps_a_dataset_name_as_it_is(tmp_path):
    data = {"my_data": {"dataLocation": {"dataset": {"id": "1"}}, "mechanism": "Mount"}}
    (tmp_path / "mine.runconfig").write_text(json.dumps({"environment": {"name": "env"}, "data": data}))
    read = RunConfiguration.load(tmp_path, "mine")
    assert read.data["my_data"].data_location.dataset.id == "1"
    assert isinstance(read.environment, EnvironmentReference)


def test_a_target_that_is_no_name_and_no_compute_target_is_left_as_the_sdk_leaves_it(caplog):
    configuration = RunConfiguration()
    configuration.target = "gpu-cluster"
    for ignored in (5, ["cpu"], None):
        configuration.target = ignored
        assert configuration.target == "gpu-cluster"
    assert "stays 'gpu-cluster': 5" in caplog.text


def test_docker_configurations_share_no_list():
    DockerConfiguration().arguments.append("--gpus")
    assert DockerConfiguration().arguments == []


def test_element_takes_no_misspelt_setting():
    with pytest.raises(AttributeError, match="node_cuont"):
        PyTorchConfiguration().node_cuont = 2
