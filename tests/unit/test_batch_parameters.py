"""What notebooks declare as parameters, and which values the batch runner accepts for them."""

import functools
import os
import typing

import pytest
from batch import parameters
from hypothesis import given
from hypothesis import strategies as st
from small_jobs import make_cluster
from small_notebooks import PARAMETERS, manifest, record, run, write_notebook


def parameter(annotation: str) -> parameters.Parameter:
    evaluate = functools.partial(parameters.type_adapter, annotation, vars(typing), "a.ipynb")
    return parameters.Parameter("x", annotation, evaluate, None, "")


# What a notebook declares


def test_the_parameters_cell_tells_names_types_defaults_and_help(tmp_path):
    declared = parameters.read_parameters(write_notebook(tmp_path, "01_a", "x = 1", parameters=PARAMETERS))
    assert [(p.name, p.annotation, p.default, p.help) for p in declared.values()] == [
        ("epochs", "int", 20, "times that the data is seen; more = slower"),
        ("learning_rate", "float", 1e-3, ""),
        ("name", "str", "keras-mnist", "of the model"),
        ("shuffle", "bool", True, ""),
        ("layers", "list[int]", [300, 100], "neurons"),
        ("tags", "dict[str, str] | None", None, ""),
        ("seed", "int", 42, ""),
    ]


def test_a_notebook_without_a_parameters_cell_has_none(tmp_path):
    assert parameters.read_parameters(write_notebook(tmp_path, "01_a", "epochs = 1")) == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("steps: int = epochs * 10", "which is neither a constant nor"),
        ("folder = str('data')", "which is neither a constant nor"),
        ("a = b = 1", "which is neither a constant nor"),
        ("a: int", "which is neither a constant nor"),
        ("import os", "which is neither a constant nor"),
        ("from os import path", "which is neither a constant nor"),
        ("from helpers.parameters import Speed", "which is neither a constant nor"),
        ("a: Path = 'x'", "a type that cannot be checked, 'Path'"),
        ("a: int = (", "is not Python"),
    ],
)
def test_a_parameters_cell_holds_constants_only(tmp_path, capsys, line, said):
    write_notebook(tmp_path, "01_a", parameters=f"epochs: int = 1\n{line}")
    assert run(tmp_path) == 2
    error = capsys.readouterr().err
    assert "01_a.ipynb" in error
    assert said in error
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("content", ["", "not json", "[]", "{}", '{"cells": 1, "nbformat": 4, "nbformat_minor": 5}'])
def test_what_is_not_a_notebook_is_told_before_anything_runs(tmp_path, capsys, content):
    path = write_notebook(tmp_path, "01_a")
    path.write_text(content)
    assert run(tmp_path) == 2
    assert f"{path} cannot be read as a notebook" in capsys.readouterr().err


# Values and types


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("str", "007", "007"),
        ("str", "None", "None"),
        ("str", "", ""),
        ("str", "[1]", "[1]"),
        ("str", "a=b", "a=b"),
        ("int", "007", 7),
        ("int", "-3", -3),
        ("float", "1e-3", 0.001),
        ("float", "2", 2.0),
        ("bool", "true", True),
        ("bool", "False", False),
        ("int | None", "None", None),
        ("int | None", "5", 5),
        ("Optional[str]", "null", None),
        ("list", "[1, a]", [1, "a"]),
        ("list[int]", "[300, 100]", [300, 100]),
        ("dict", "{a: 1}", {"a": 1}),
        ("Literal['offline', 'azure']", "azure", "azure"),
        ("Any", "5", "5"),
    ],
)
def test_text_is_read_as_the_declared_type(annotation, text, value):
    result = parameters.read_text(text, parameter(annotation))
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ("int", "2.5"),
        ("int", "many"),
        ("int", ""),
        ("int", "None"),
        ("float", "fast"),
        ("float", "nan"),
        ("float", "inf"),
        ("bool", "perhaps"),
        ("bool", "2"),
        ("list", "1, 2"),
        ("list[int]", "[1, a]"),
        ("list", "[1, 2"),
        ("list", "[2026-01-01]"),
        ("dict", "[1]"),
        ("dict", "{1: a}"),
        ("Literal['offline', 'azure']", "aws"),
    ],
)
def test_text_of_another_type_is_refused(annotation, text):
    with pytest.raises(ValueError, match=r".") as refused:
        parameters.read_text(text, parameter(annotation))
    assert type(refused.value) is ValueError


@given(st.text())
def test_any_text_stays_as_it_is_for_a_str(text):
    assert parameters.read_text(text, parameter("str")) == text


@given(st.integers(min_value=-(10**18), max_value=10**18), st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_read_as_python_writes_it(whole, real):
    assert parameters.read_text(str(whole), parameter("int")) == whole
    assert parameters.read_text(str(real), parameter("float")) == real


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        ("int", 3, 3),
        ("float", 1, 1.0),
        ("float", "1e-3", 0.001),
        ("list[str]", ["a"], ["a"]),
        ("str | None", None, None),
    ],
)
def test_a_value_of_a_file_has_the_declared_type(annotation, value, expected):
    assert parameters.read_value(value, parameter(annotation)) == expected


@pytest.mark.parametrize(
    ("annotation", "value"),
    [("int", 2.0), ("int", True), ("str", 7), ("float", True), ("list[int]", ["a"]), ("str", None)],
)
def test_a_value_of_a_file_of_another_type_is_refused(annotation, value):
    with pytest.raises(ValueError, match="Input should be"):
        parameters.read_value(value, parameter(annotation))


def test_a_parameter_goes_to_the_notebooks_that_have_it_as_their_type(tmp_path):
    one = write_notebook(tmp_path, "01_a", parameters="version: str = 'x'")
    two = write_notebook(tmp_path, "02_b", parameters="version: int = 1\nepochs: int = 1")
    declared = {path: parameters.read_parameters(path) for path in (one, two)}
    values = parameters.assign_values(declared, {"epochs": 2}, [("version", "007")], declared)
    assert values == {one: {"version": "007"}, two: {"version": 7, "epochs": 2}}


def test_the_command_line_wins_over_the_file(tmp_path):
    path = write_notebook(tmp_path, "01_a", parameters="epochs: int = 1\nseed: int = 2")
    declared = {path: parameters.read_parameters(path)}
    values = parameters.assign_values(declared, {"epochs": 5, "seed": 5}, [("epochs", "6"), ("epochs", "7")], declared)
    assert values == {path: {"epochs": 7, "seed": 5}}


def test_every_wrong_parameter_is_told_with_those_of_like_names_and_nothing_runs(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", parameters=PARAMETERS)
    (tmp_path / "some.yml").write_text("epoch: 3\nshuffle: 7\n")
    arguments = ["-f", str(tmp_path / "some.yml"), "-p", "epochs=many", "-p", "rate=1", "--backend", "azure"]
    assert run(tmp_path, *arguments) == 2
    error = capsys.readouterr().err
    for unknown in ("epoch", "rate", "backend"):
        assert f"no notebook has a parameter {unknown!r}" in error
    assert "01_a: epochs must be int: 'many'" in error
    assert "01_a: shuffle must be bool: 7" in error
    assert "'epoch'. Did you mean\n  epochs: int = 20  # times that the data is seen; more = slower  (01_a)" in error
    assert "layers" not in error
    assert not (tmp_path / "output").exists()


def test_a_parameter_of_another_notebook_of_the_folder_is_no_error(tmp_path):
    write_notebook(tmp_path, "01_a", record("epochs", "epochs"), parameters="epochs: int = 1")
    write_notebook(tmp_path, "02_b", parameters="trials: int = 1")
    (tmp_path / "some.yml").write_text("epochs: 3\ntrials: 2\n")
    assert run(tmp_path, "1", "-f", str(tmp_path / "some.yml")) == 0
    assert manifest(tmp_path)["01_a"]["parameters"] == {"epochs": 3}
    assert list(manifest(tmp_path)) == ["01_a"]


def test_a_value_of_a_wrong_type_is_told_once_for_all_notebooks_that_have_it(tmp_path, capsys):
    cell = "from helpers.parameters import Backend\n\nbackend: Backend = 'offline'"
    for name in ("01_a", "02_b", "03_c"):
        write_notebook(tmp_path, name, parameters=cell)
    assert run(tmp_path, "-p", "backend=aws") == 2
    error = capsys.readouterr().err
    assert "01_a, 02_b, 03_c: backend must be Backend: 'aws': Input should be 'offline' or 'azure'" in error


def test_a_damaged_notebook_that_is_not_to_run_is_in_nobodys_way(tmp_path):
    write_notebook(tmp_path, "01_a", "x = 1")
    write_notebook(tmp_path, "02_b").write_text("not json")
    assert run(tmp_path, "1") == 0


@pytest.mark.parametrize("annotation", ["Nonsense", "exit(5)"])
def test_an_annotation_of_what_is_not_to_run_is_not_evaluated(tmp_path, offline_folder, capsys, annotation):
    make_cluster(offline_folder, "there")
    cell = "epochs: {} = 1\ncluster_name: {} = 'not-there'"
    write_notebook(tmp_path, "03_compute", parameters=cell.format(annotation, annotation))
    made = {"03_compute": {"compute": "cluster_name"}}
    write_notebook(tmp_path, "04_train", record("e", "epochs"), parameters=cell.format("int", "str"), needs=made)
    given = ["4", "-p", "epochs=2", "-p", "cluster_name=there"]
    assert run(tmp_path, *given) == 0
    assert manifest(tmp_path)["04_train"]["results"] == {"e": 2}
    assert run(tmp_path, "--help-parameters") == 0
    assert f"epochs: {annotation} = 1  (03_compute)" in capsys.readouterr().out


def test_an_annotation_of_what_is_added_is_told(tmp_path, offline_folder, capsys):
    write_notebook(tmp_path, "03_compute", parameters="cluster_name: Nonsense = 'gpu'")
    made = {"03_compute": {"compute": "cluster_name"}}
    write_notebook(tmp_path, "04_train", parameters="cluster_name: str = 'gpu'", needs=made)
    assert run(tmp_path, "4", "--with-needed") == 2
    assert "03_compute.ipynb: the parameters cell has a type that cannot be checked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "good", "wrong"),
    [
        ("PositiveInt", "1", ["0", "-1", "1.5"]),
        ("NonNegativeInt", "0", ["-1"]),
        ("PositiveFloat", "1e-6", ["0", "-0.1", "inf"]),
        ("Share", "0", ["-0.1", "1"]),
        ("Accuracy", "1", ["-0.1", "97"]),
        ("Seed", "4294967295", ["-1", "4294967296"]),
        ("ClusterName", "gpu-cluster", ["g", "1-gpu", "gpu_cluster", "gpu-", "a-name-of-25-characters-xx"]),
        ("ServiceName", "keras-mnist-service", ["ab", "Keras", "keras-", "k" * 33]),
    ],
)
def test_the_notebooks_types_say_which_values_are_right(name, good, wrong):
    source = f"from helpers.parameters import {name}\n\nx: {name} = 1"
    (declared,) = parameters.parse_parameters(source, "a.ipynb")
    assert str(parameters.read_text(good, declared)) in (good, str(float(good)) if good[0].isdigit() else good)
    for text in wrong:
        with pytest.raises(ValueError, match=r".") as refused:
            parameters.read_text(text, declared)
        assert "pattern" not in str(refused.value), "a rule is told in words"


@pytest.mark.parametrize("content", [None, "[1]", "a: [", "just text", b"\xff\xfe\xfa", "on: 3", "1: 3", "null: 3"])
def test_a_parameters_file_that_holds_no_mapping_is_refused(tmp_path, capsys, content):
    write_notebook(tmp_path, "01_a", parameters=PARAMETERS)
    file = tmp_path / "some.yml"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    assert run(tmp_path, "-f", str(file)) == 2
    assert f"the parameters file {file}" in capsys.readouterr().err


def test_a_text_that_no_notebook_can_hold_is_refused(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", parameters=PARAMETERS)
    assert run(tmp_path, "-p", os.fsdecode(b"name=a\xff")) == 2
    assert "name must be str: 'a\\udcff' is not made of text" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["-p", "epochs"],
        ["-p", "=1"],
        ["-p", "a b=1"],
        ["--backend", "aws"],
        ["--execution-timeout", "0"],
        ["--nonsense"],
    ],
)
def test_a_wrong_command_line_is_refused(tmp_path, arguments):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, *arguments)
    assert ended.value.code == 2


def test_the_parameters_are_listed_and_nothing_runs(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", parameters="backend: str = 'offline'  # offline or azure")
    write_notebook(tmp_path, "02_b", parameters="backend: str = 'offline'  # offline or azure\nepochs: int = 20")
    assert run(tmp_path, "--help-parameters") == 0
    assert capsys.readouterr().out.splitlines() == [
        "  backend: str = 'offline'  # offline or azure  (01_a, 02_b)",
        "  epochs: int = 20  (02_b)",
    ]
    assert not (tmp_path / "output").exists()
