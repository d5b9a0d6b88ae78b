"""The batch runner: what it selects, what it accepts as parameters, what it runs, tells and skips."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import small_notebooks
from hypothesis import given
from hypothesis import strategies as st
from small_notebooks import executed, manifest, record, run, write_notebook

import notebook_parameters  # isort: skip  (small_notebooks makes these two importable)
import run_notebooks  # isort: skip
from notebook_parameters import UsageError  # isort: skip

PARAMETERS = """
epochs: int = 20  # times that the data is seen; more = slower
learning_rate: float = 1e-3
name: str = "keras-mnist"  # of the model
shuffle: bool = True
layers: list[int] = [
    300,
    100,
]  # neurons
tags: dict[str, str] | None = None
seed = 42
"""


def parameter(annotation: str) -> notebook_parameters.Parameter:
    adapter = notebook_parameters.type_adapter(annotation, "a.ipynb")
    return notebook_parameters.Parameter("x", annotation, adapter, None, "")


# Which notebooks


@pytest.fixture
def series(tmp_path):
    return [write_notebook(tmp_path, name) for name in ("01_setup", "02_data", "04_train", "10_more", "appendix")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["01_setup", "02_data", "04_train", "10_more", "appendix"]),
        (["04_train"], ["04_train"]),
        (["04_train.ipynb"], ["04_train"]),
        (["4", "02"], ["04_train", "02_data"]),
        (["01-04"], ["01_setup", "02_data", "04_train"]),
        (["2-"], ["02_data", "04_train", "10_more"]),
        (["1-2", "02_data", "1"], ["01_setup", "02_data"]),
        (["appendix"], ["appendix"]),
    ],
)
def test_notebooks_are_chosen_by_name_number_and_range(series, words, expected):
    chosen = run_notebooks.select_notebooks(words, series[0].parent)
    assert [path.stem for path in chosen] == expected


def test_a_notebook_is_chosen_by_its_path(series, tmp_path):
    elsewhere = write_notebook(tmp_path / "notebooks", "mine")
    assert run_notebooks.select_notebooks([str(elsewhere)], series[0].parent) == [elsewhere]


@pytest.mark.parametrize("word", ["3", "05-09", "4-1", "train", "04_train.py", "notebooks"])
def test_a_word_that_names_no_notebook_is_an_error_that_lists_them(series, tmp_path, capsys, word):
    assert run(tmp_path, word) == 2
    error = capsys.readouterr().err
    assert repr(word) in error
    assert "01_setup, 02_data, 04_train, 10_more, appendix" in error


def test_two_notebooks_of_one_name_are_refused(series, tmp_path):
    other = write_notebook(tmp_path / "notebooks", "01_setup")
    with pytest.raises(UsageError, match=r"two notebooks are named 01_setup\.ipynb"):
        run_notebooks.select_notebooks(["1", str(other)], series[0].parent)


def test_an_empty_folder_is_refused(tmp_path, capsys):
    (tmp_path / "notebooks").mkdir()
    assert run(tmp_path) == 2
    assert "there is no notebook in" in capsys.readouterr().err


# What a notebook declares


def test_the_parameters_cell_tells_names_types_defaults_and_help(tmp_path):
    declared = notebook_parameters.read_parameters(write_notebook(tmp_path, "01_a", "x = 1", parameters=PARAMETERS))
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
    assert notebook_parameters.read_parameters(write_notebook(tmp_path, "01_a", "epochs = 1")) == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("steps: int = epochs * 10", "which is not a constant"),
        ("folder = str('data')", "which is not a constant"),
        ("a = b = 1", "which is not a constant"),
        ("a: int", "which is not a constant"),
        ("import os", "which is not a constant"),
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
    result = notebook_parameters.read_text(text, parameter(annotation))
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
        notebook_parameters.read_text(text, parameter(annotation))
    assert type(refused.value) is ValueError


@given(st.text())
def test_any_text_stays_as_it_is_for_a_str(text):
    assert notebook_parameters.read_text(text, parameter("str")) == text


@given(st.integers(min_value=-(10**18), max_value=10**18), st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_is_read_as_python_writes_it(whole, real):
    assert notebook_parameters.read_text(str(whole), parameter("int")) == whole
    assert notebook_parameters.read_text(str(real), parameter("float")) == real


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
    assert notebook_parameters.read_value(value, parameter(annotation)) == expected


@pytest.mark.parametrize(
    ("annotation", "value"),
    [("int", 2.0), ("int", True), ("str", 7), ("float", True), ("list[int]", ["a"]), ("str", None)],
)
def test_a_value_of_a_file_of_another_type_is_refused(annotation, value):
    with pytest.raises(ValueError, match="Input should be"):
        notebook_parameters.read_value(value, parameter(annotation))


def test_a_parameter_goes_to_the_notebooks_that_have_it_as_their_type(tmp_path):
    one = write_notebook(tmp_path, "01_a", parameters="version: str = 'x'")
    two = write_notebook(tmp_path, "02_b", parameters="version: int = 1\nepochs: int = 1")
    declared = {path: notebook_parameters.read_parameters(path) for path in (one, two)}
    values = notebook_parameters.assign_values(declared, {"epochs": 2}, [("version", "007")])
    assert values == {one: {"version": "007"}, two: {"version": 7, "epochs": 2}}


def test_the_command_line_wins_over_the_file(tmp_path):
    path = write_notebook(tmp_path, "01_a", parameters="epochs: int = 1\nseed: int = 2")
    declared = {path: notebook_parameters.read_parameters(path)}
    values = notebook_parameters.assign_values(declared, {"epochs": 5, "seed": 5}, [("epochs", "6"), ("epochs", "7")])
    assert values == {path: {"epochs": 7, "seed": 5}}


def test_every_wrong_parameter_is_told_with_the_known_ones_and_nothing_runs(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", parameters=PARAMETERS)
    (tmp_path / "some.yml").write_text("epoch: 3\nshuffle: 7\n")
    arguments = ["-f", str(tmp_path / "some.yml"), "-p", "epochs=many", "-p", "rate=1", "--backend", "azure"]
    assert run(tmp_path, *arguments) == 2
    error = capsys.readouterr().err
    for unknown in ("epoch", "rate", "backend"):
        assert f"no notebook that is to run has a parameter {unknown!r}" in error
    assert "01_a: epochs must be int: 'many'" in error
    assert "01_a: shuffle must be bool: 7" in error
    assert "epochs: int = 20  # times that the data is seen; more = slower  (01_a)" in error
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("content", [None, "[1]", "a: [", "just text", b"\xff\xfe\xfa"])
def test_a_parameters_file_that_holds_no_mapping_is_refused(tmp_path, capsys, content):
    write_notebook(tmp_path, "01_a", parameters=PARAMETERS)
    file = tmp_path / "some.yml"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    assert run(tmp_path, "-f", str(file)) == 2
    assert f"the parameters file {file}" in capsys.readouterr().err


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


# The output folder and the manifest


def test_the_notebooks_own_folder_is_no_output_folder(tmp_path, capsys):
    path = write_notebook(tmp_path, "01_a", "x = 1")
    before = path.read_bytes()
    assert run(tmp_path, "--output", str(path.parent)) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_an_output_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    write_notebook(tmp_path, "01_a", "x = 1")
    (tmp_path / "file").write_text("")
    assert run(tmp_path, "--output", str(tmp_path / "file" / "output")) == 2
    assert "the output folder cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"notebooks": []}', '{"notebooks": {"01_a": 1}}'])
def test_a_damaged_manifest_is_told_and_kept(tmp_path, capsys, content):
    write_notebook(tmp_path, "01_a", "x = 1")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "manifest.json").write_text(content)
    assert run(tmp_path, "--resume") == 2
    assert "is not a manifest of this program" in capsys.readouterr().err
    assert (tmp_path / "output" / "manifest.json").read_text() == content


def test_the_code_hash_sees_names_and_contents_and_no_caches(tmp_path):
    def digest():
        return run_notebooks.hash_folders(tmp_path, ("helpers", "scripts"))

    module = tmp_path / "helpers" / "a.py"
    module.parent.mkdir()
    module.write_text("1")
    first = digest()
    (tmp_path / "helpers" / "__pycache__").mkdir()
    (tmp_path / "helpers" / "__pycache__" / "a.pyc").write_text("x")
    (tmp_path / "helpers" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "helpers" / ".ipynb_checkpoints" / "a.py").write_text("x")
    assert digest() == first
    module.write_text("2")
    changed = digest()
    module.rename(module.with_name("b.py"))
    assert len({first, changed, digest()}) == 3


@pytest.fixture
def three_complete(tmp_path):
    """Three notebooks with the inputs, manifest and outputs of a complete run, without having run them."""
    offline = tmp_path / "offline"
    offline.mkdir()
    paths = [tmp_path / f"0{number}_a.ipynb" for number in (1, 2, 3)]
    inputs = {
        path: {"source_sha256": path.stem, "code_sha256": "c", "parameters": {}, "offline_folder": str(offline)}
        for path in paths
    }
    entries = {
        path.stem: inputs[path] | {"result": "ok", "started": f"2026-11-01T10:00:0{number}"}
        for number, path in enumerate(paths)
    }
    for path in paths:
        (tmp_path / "output").mkdir(exist_ok=True)
        (tmp_path / "output" / path.name).write_text("{}")
    return paths, inputs, entries, tmp_path / "output"


def test_what_is_complete_and_unchanged_is_skipped(three_complete):
    assert run_notebooks.count_complete(*three_complete) == 3


@pytest.mark.parametrize(
    ("changes", "complete"),
    [
        ({"result": "failed"}, 1),
        ({"result": "interrupted"}, 1),
        ({"source_sha256": "other"}, 1),
        ({"code_sha256": "other"}, 1),
        ({"parameters": {"epochs": 2}}, 1),
        ({"offline_folder": "/elsewhere"}, 1),
        ({"started": "2026-11-01T10:00:09"}, 2),  # run again after the third, which so saw an older state
    ],
)
def test_what_changed_runs_again_with_all_after_it(three_complete, changes, complete):
    paths, inputs, entries, output = three_complete
    entries["02_a"] |= changes
    assert run_notebooks.count_complete(paths, inputs, entries, output) == complete


def test_everything_runs_again_when_what_it_made_was_removed_and_something_has_to_run(three_complete):
    paths, inputs, entries, output = three_complete
    entries["09_clean_up"] = {"result": "ok", "removes": True, "started": "2026-11-01T10:00:08"}
    assert run_notebooks.count_complete(paths, inputs, entries, output) == 3
    entries["02_a"] |= {"parameters": {"epochs": 2}}
    assert run_notebooks.count_complete(paths, inputs, entries, output) == 0
    entries["09_clean_up"] |= {"started": "2026-11-01T09:00:00"}
    assert run_notebooks.count_complete(paths, inputs, entries, output) == 1


def test_what_lost_its_executed_notebook_runs_again(three_complete):
    paths, inputs, entries, output = three_complete
    (output / "03_a.ipynb").unlink()
    assert run_notebooks.count_complete(paths, inputs, entries, output) == 2


def test_everything_runs_again_when_the_offline_workspace_is_gone(three_complete):
    paths, inputs, entries, output = three_complete
    Path(inputs[paths[0]]["offline_folder"]).rmdir()
    assert run_notebooks.count_complete(paths, inputs, entries, output) == 0


@pytest.mark.parametrize(("backend", "kept"), [("offline", True), ("azure", False)])
def test_the_offline_folder_counts_for_the_offline_backend_only(tmp_path, monkeypatch, backend, kept):
    monkeypatch.setenv("AZUREML_OFFLINE_FOLDER", str(tmp_path / "world"))
    path = write_notebook(tmp_path, "01_a", parameters="backend: str = 'offline'")
    declared = notebook_parameters.read_parameters(path)
    inputs = run_notebooks.describe_inputs(path, "", declared, {"backend": backend})
    assert inputs["offline_folder"] == (str(tmp_path / "world") if kept else None)


# Runs


def test_a_batch_runs_tells_and_records(tmp_path, capsys, monkeypatch):
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    (foreign / "kernel.json").write_text(
        json.dumps({"argv": ["/nowhere/python", "{connection_file}"], "display_name": "other", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    odd = "007 \"quoted\" 'single' \\n {braces} $HOME é\n#"
    write_notebook(
        tmp_path,
        "01_a",
        "import os, sys",
        record("where", "[os.getcwd(), sys.executable]"),
        record("given", "[name, epochs, layers, tags]"),
        parameters=PARAMETERS,
    )
    write_notebook(tmp_path, "02_b", "x = 1", record("test_accuracy", "0.9786"))
    arguments = ["-p", f"name={odd}", "-p", "epochs=007", "-p", "layers=[50]", "-p", "tags={a: 'b'}"]
    assert run(tmp_path, *arguments) == 0

    entries = manifest(tmp_path)
    assert entries["01_a"]["results"] == {
        "where": [str(tmp_path / "notebooks"), sys.executable],
        "given": [odd, 7, [50], {"a": "b"}],
    }
    assert entries["01_a"]["parameters"] == {"name": odd, "epochs": 7, "layers": [50], "tags": {"a": "b"}}
    assert entries["02_b"]["parameters"] == {}
    assert entries["02_b"]["result"] == "ok"
    assert entries["02_b"]["cells"] == [2, 2]
    assert entries["02_b"]["seconds"] > 0
    assert entries["02_b"]["versions"]["python"].startswith("3.")
    assert entries["02_b"]["versions"]["papermill"]
    assert "injected-parameters" not in [tag for cell in executed(tmp_path, "02_b").cells for tag in cell.metadata.tags]

    told = capsys.readouterr()
    lines = [line.split() for line in told.out.splitlines()]
    assert ["notebook", "cells", "seconds", "result"] in lines
    assert [[line[0], line[1], line[3]] for line in lines if line[1:2] in (["5/5"], ["2/2"])] == [
        ["01_a", "5/5", "ok"],
        ["02_b", "2/2", "ok"],
    ]
    assert "  test_accuracy = 0.9786" in told.out
    assert told.out.rstrip().endswith(f"Executed notebooks: {tmp_path / 'output'}")
    assert told.err.splitlines()[0] == "[1/2] 01_a …"
    assert told.err.splitlines()[-1].startswith("[2/2] 02_b: ok after ")


def test_resume_skips_what_is_unchanged_and_runs_what_follows_a_change(tmp_path, capsys):
    for name in ("01_a", "02_b", "03_c"):
        write_notebook(tmp_path, name, record("name", repr(name)))
    assert run(tmp_path) == 0
    first = manifest(tmp_path)

    assert run(tmp_path, "--resume") == 0
    assert manifest(tmp_path) == first
    assert capsys.readouterr().out.count("ok (earlier run)") == 3

    write_notebook(tmp_path, "02_b", record("name", "'changed'"))
    assert run(tmp_path, "--resume") == 0
    second = manifest(tmp_path)
    assert second["01_a"] == first["01_a"]
    assert second["02_b"]["results"] == {"name": "changed"}
    assert second["03_c"]["started"] > first["03_c"]["started"]
    table = capsys.readouterr().out
    assert table.count("ok (earlier run)") == 1
    assert '  name = "01_a"' in table


def test_an_expected_exception_is_no_failure(tmp_path):
    write_notebook(tmp_path, "01_a", "1 / 0", "x = 1", tags={0: "raises-exception"})
    assert run(tmp_path) == 0
    assert manifest(tmp_path)["01_a"]["cells"] == [2, 2]
    assert "encountered an exception" not in str(executed(tmp_path, "01_a"))


def test_braces_in_a_path_are_just_braces(tmp_path):
    project = tmp_path / "{x}"
    project.mkdir()
    write_notebook(project, "01_{epochs}", "x = 1")
    assert run(project) == 0
    assert (project / "output" / "01_{epochs}.ipynb").is_file()


def test_the_runner_itself_imports_neither_sdk_nor_framework(tmp_path):
    write_notebook(tmp_path, "01_a", "x = 1")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import run_notebooks; code = run_notebooks.main(sys.argv[2:]); "
        "print(code, sorted({'azureml', 'tensorflow', 'keras', 'mlflow'} & set(sys.modules)))"
    )
    arguments = [str(small_notebooks.SCRIPTS), "--notebooks", str(tmp_path / "notebooks")]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
