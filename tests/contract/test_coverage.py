"""The coverage table: it is current, wide enough, and what it says is not supported is refused in words."""

import importlib.util
import inspect
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from azureml import _strict

ROOT = Path(__file__).parents[2]
WIDE = ["Workspace", "Experiment", "Run", "ScriptRunConfig", "Environment", "CondaDependencies"]
WIDE += ["Dataset.File", "FileDataset", "AmlCompute", "Model", "HyperDriveConfig", "HyperDriveRun"]
WIDE += ["Webservice", "AciWebservice", "LocalWebservice"]


def load(path):
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


coverage_table = load(ROOT / "scripts" / "coverage_table.py")


@pytest.fixture(scope="module")
def table():
    return coverage_table.table()


def test_page_is_current(table):
    page = ROOT / _strict.COVERAGE
    assert page == coverage_table.PAGE
    assert page.read_text(encoding="utf-8") == coverage_table.page(table), "run `make coverage-table`"


@pytest.mark.parametrize("title", WIDE)
def test_main_classes_are_supported(table, title):
    assert len(table[title]) >= 2
    assert coverage_table.share(table[title]) >= 0.8


def test_unsupported_members_say_so(table):
    unsupported = [(title, member.name) for title in table for member in table[title] if not member.supported]
    assert ("Model", "profile") in unsupported and ("Dataset", "from_sql_query") in unsupported
    for title, name in unsupported:
        with pytest.raises(_strict.UnsupportedOfflineError) as error:
            use(title, name)
        told = title if name == "__init__" else name
        assert told in str(error.value) and _strict.COVERAGE in str(error.value), (title, name)


def test_refused_arguments_say_so(table):
    refused = [
        (title, member.name, argument) for title in table for member in table[title] for argument in member.refused
    ]
    assert ("Run", "child_run", "run_id") in refused and len(refused) > 20
    for title, name, argument in refused:
        with pytest.raises(_strict.UnsupportedOfflineError) as error:
            use(title, name, **{argument: "given"})
        assert argument in str(error.value) and _strict.COVERAGE in str(error.value), (title, name, argument)


def test_submodule_that_fails_is_not_called_unsupported(tmp_path, monkeypatch):
    """An ImportError inside a submodule, such as a missing library, is told as it is."""
    package = tmp_path / "azureml_like"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from azureml._strict import module_getattr\n__getattr__ = module_getattr(__name__, submodules=True)\n"
    )
    (package / "broken.py").write_text("import a_library_that_is_not_installed\n")
    (package / "renamed.py").write_text("from os import a_name_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    import azureml_like

    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_not_installed") as error:
        azureml_like.broken  # noqa: B018
    assert not isinstance(error.value, _strict.UnsupportedModuleError)
    with pytest.raises(ImportError, match="a_name_that_is_not_there"):
        azureml_like.renamed  # noqa: B018
    with pytest.raises(_strict.UnsupportedNameError, match=r"azureml\.core\.no_such_module"):
        importlib.import_module("azureml.core").no_such_module  # noqa: B018


def use(title, name, **arguments):
    """Read or call a member of one of the table's classes; what it needs and is not given is a mock object."""
    cls = coverage_table.mocked_class(coverage_table.CLASSES[title])
    member = inspect.getattr_static(cls, name, None)
    if member is None:
        return getattr(cls, name)
    function = coverage_table.function_of(member)
    needed = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    return function(**{**dict.fromkeys(needed, MagicMock()), **arguments})
