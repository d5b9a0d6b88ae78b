"""Environments, conda specifications and run configurations come out alike from the mocked and the real SDK."""

import itertools
import json

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stand_in import needs_the_real_sdk

CONDA = """\
name: keras-env
channels:
- conda-forge
dependencies:
- python=3.11
- pip:
  - azureml-defaults
  - keras>=3.15
  - tensorflow[and-cuda]
"""

NAME = st.from_regex(r"[a-z][a-z0-9_-]{1,9}(\[[a-z]{1,4}\])?", fullmatch=True)
REQUIREMENT = st.builds(lambda name, rest: name + rest, NAME, st.sampled_from(["", "==1.0", ">=2", "~=3.1.4", "<4"]))
OPTION = st.sampled_from(["--pre", "--index-url here", "--index-url there", "-r more.txt"])
VERSION = st.sampled_from(["3.8", "3.10", "3.11.4"])
CHANGE = st.one_of(
    st.tuples(st.sampled_from(["add_pip_package", "remove_pip_package"]), st.tuples(REQUIREMENT | OPTION)),
    st.tuples(st.sampled_from(["add_conda_package", "remove_conda_package"]), st.tuples(REQUIREMENT)),
    st.tuples(st.just("add_conda_package"), st.tuples(VERSION.map("python={}".format))),
    st.tuples(st.just("remove_conda_package"), st.tuples(VERSION.map("python={}".format))),
    st.tuples(st.sampled_from(["set_pip_option", "remove_pip_option"]), st.tuples(OPTION | REQUIREMENT)),
    st.tuples(st.just("set_pip_index_url"), st.tuples(OPTION)),
    st.tuples(st.just("set_pip_requirements"), st.tuples(st.lists(REQUIREMENT | OPTION, max_size=3))),
    st.tuples(st.just("set_python_version"), st.tuples(VERSION)),
    st.tuples(st.sampled_from(["add_channel", "remove_channel"]), st.tuples(NAME)),
    st.tuples(st.just("add_cntk_package"), st.tuples(st.sampled_from(["cpu", "gpu", "tpu"]))),
    st.tuples(
        st.sampled_from(["add_tensorflow_pip_package", "add_tensorflow_conda_package"]),
        st.tuples(st.sampled_from(["cpu", "gpu", "tpu"]), st.none() | VERSION),
    ),
)
STRUCTURES = [
    None,
    {"name": "x"},
    {"dependencies": ["numpy=1.2"]},
    {"dependencies": ["python", "pip"]},
    {"channels": ["a", "b"], "dependencies": ["python=3.6.2", {"pip": ["keras<=2.3.1", "--pre", "matplotlib"]}]},
    {"dependencies": [{"pip": ["tensorflow-gpu==2.0", "a-1.0-py3-none-any.whl"]}, "python>=3.8", "tensorflow=1"]},
]


@given(structure=st.sampled_from(STRUCTURES), changes=st.lists(CHANGE, max_size=8))
@settings(max_examples=150, deadline=None)
@example(structure=None, changes=[("set_pip_requirements", (["a0", "b", "a0"],)), ("add_pip_package", ("a0",))])
def test_conda_changes(both, structure, changes):
    both.same("conda_changes", structure, changes)


@given(
    arguments=st.fixed_dictionaries(
        {},
        optional={
            "pip_indexurl": st.just("https://example.org/wheels"),
            "pip_packages": st.lists(REQUIREMENT, max_size=4),
            "conda_packages": st.lists(REQUIREMENT, max_size=4),
            "python_version": VERSION,
            "pin_sdk_version": st.booleans(),
        },
    )
)
@settings(max_examples=60, deadline=None)
def test_conda_create(both, arguments):
    both.same("conda_create", arguments)


@given(st.lists(st.builds(lambda name, rest: name + rest, st.sampled_from("ab"), st.sampled_from(["", ">1", "[x]<2"]))))
@settings(max_examples=40, deadline=None)
def test_conda_merge_requirements(both, requirements):
    both.same("conda_merge", requirements)


def test_conda_defaults(both):
    both.same("conda_defaults")


@pytest.mark.parametrize("text", [CONDA, "name: x\n", "dependencies:\n- python=3.6.2\n", "dependencies: []\n"])
def test_conda_file(both, tmp_path, text):
    path = tmp_path / "conda.yml"
    path.write_text(text)
    assert both.same("conda_file", str(path))["value"]["dict"] == yaml.safe_load(text)


@pytest.mark.parametrize("text", ["hello", "- a\n- b\n", "", "dependency: []\n"])
def test_conda_file_that_is_no_specification(both, tmp_path, text):
    path = tmp_path / "conda.yml"
    path.write_text(text)
    assert both.same_error("conda_file", str(path))["error"] == "UserErrorException"


@pytest.mark.parametrize(
    "text", ["a: b: c\n", "\t- a\n", "name: a\nname: b\n", "dependencies: null\n", "dependencies:\n- pip: 1\n"]
)
def test_conda_file_on_which_the_real_one_trips(both, tmp_path, text):
    """There it is an error of the YAML reader or a TypeError; here it is one of the SDK's own."""
    path = tmp_path / "conda.yml"
    path.write_text(text)
    assert "error" in both.real.call("conda_file", str(path))
    mocked = both.mocked.call("conda_file", str(path))
    assert mocked["error"] == "UserErrorException"
    assert mocked["message"].startswith("Environment error: ")


def test_conda_file_that_is_missing(both, tmp_path):
    both.same("conda_file", str(tmp_path / "no.yml"))


def test_conda_text(both):
    both.same("conda_text", yaml.safe_load(CONDA))


def test_conda_save(both, tmp_path):
    assert both.same("conda_save", str(tmp_path / "saved.yml"))["value"] == str(tmp_path / "saved.yml")
    both.same_error("conda_save", str(tmp_path))
    both.same_error("conda_save", str(tmp_path / "no folder" / "saved.yml"))
    both.same_error("conda_save_without_python", str(tmp_path / "saved.yml"))


def test_conda_save_to_file(both, tmp_path):
    both.same_error("conda_save_to_file", str(tmp_path), None)  # there is no .azureml folder
    (tmp_path / ".azureml").mkdir()
    written = both.same("conda_save_to_file", str(tmp_path), None)["value"]
    assert written[0] == ".azureml/auto_conda_dependencies.yml"
    both.same("conda_save_to_file", str(tmp_path), "other.yml")
    (tmp_path / "aml_config").mkdir()
    both.same("conda_save_to_file", str(tmp_path), None)


@pytest.mark.parametrize("name", ["keras-env", None, "", 5])
def test_environment_new(both, name):
    both.same("environment_new", name)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "conda.yml").write_text(CONDA)
    (tmp_path / "no_python.yml").write_text("dependencies:\n- pip:\n  - keras\n")
    (tmp_path / "requirements.txt").write_text("keras>=3\n# a comment\nmatplotlib\n")
    (tmp_path / "Dockerfile").write_text("FROM ubuntu:22.04\nRUN true\n")
    return {path.name: str(path) for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("maker", "arguments"),
    [
        ("from_conda_specification", {"file_path": "conda.yml"}),
        ("from_conda_specification", {"file_path": "no_python.yml"}),
        ("from_pip_requirements", {"file_path": "requirements.txt"}),
        ("from_pip_requirements", {"file_path": "requirements.txt", "pip_version": "23.1"}),
        ("from_dockerfile", {"dockerfile": "Dockerfile"}),
        ("from_dockerfile", {"dockerfile": "FROM ubuntu", "conda_specification": "conda.yml"}),
        ("from_docker_image", {"image": "ubuntu:22.04", "pip_requirements": "requirements.txt"}),
        ("from_docker_image", {"image": "ubuntu:22.04"}),
        ("from_docker_build_context", {"docker_build_context": None}),
    ],
)
def test_environment_from(both, files, maker, arguments):
    arguments = {key: files.get(value, value) for key, value in arguments.items()}
    assert "value" in both.same("environment_from", maker, {"name": "made", **arguments})


def test_environment_from_refused(both, files, tmp_path):
    both.same("environment_from", "from_conda_specification", {"name": "x", "file_path": str(tmp_path / "no.yml")})
    both.same("environment_from", "from_pip_requirements", {"name": "x", "file_path": str(tmp_path / "no.txt")})
    two = {"conda_specification": files["conda.yml"], "pip_requirements": files["requirements.txt"]}
    both.same_error("environment_from", "from_docker_image", {"name": "x", "image": "y", **two})


BASES = [("base_image", "a"), ("base_dockerfile", "FROM b"), ("base_image", None), ("base_dockerfile", None)]
OTHERS = [("enabled", True), ("shm_size", "4g"), ("arguments", ["--x"]), ("shared_volumes", False), ("gpu_support", 1)]


@pytest.mark.parametrize("changes", [*itertools.permutations(BASES, 2), *([other] for other in OTHERS)])
def test_environment_docker(both, changes):
    both.same("environment_docker", changes)


@pytest.mark.parametrize("attribute", ["name", "version", "environment_variables"])
def test_environment_takes_an_attribute(both, attribute):
    assert "value" in both.same("environment_set", attribute)


@pytest.mark.parametrize("attribute", ["base_image", "condaDependencies"])
def test_environment_takes_no_misspelt_attribute(both, attribute):
    assert both.same_error("environment_set", attribute)["error"] == "AttributeError"


def test_environment_clone(both):
    both.same("environment_clone", "second")
    both.same("environment_clone", "")


@pytest.mark.parametrize("dockerfile", [None, "FROM ubuntu:22.04\nRUN true\n"])
@pytest.mark.parametrize(("writer", "reader"), [("mocked", "real"), ("real", "mocked")])
def test_environment_directory_of_one_is_read_by_the_other(both, files, tmp_path, writer, reader, dockerfile):
    folder = str(tmp_path / "definition")
    written = getattr(both, writer).call("environment_save", files["conda.yml"], dockerfile, folder)
    assert "azureml_environment.json" in written["value"]
    read = getattr(both, reader).call("environment_load", folder)["value"]
    assert read == getattr(both, writer).call("environment_load", folder)["value"]
    assert read["docker"]["baseDockerfile"] == dockerfile
    assert read["python"]["condaDependencies"] == yaml.safe_load(CONDA)


def test_environment_directory_that_is_missing(both, tmp_path):
    both.same("environment_load", str(tmp_path / "no folder"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"target": "gpu-cluster", "node_count": 2, "environment_variables": {"A": "b"}},
        {"target": 5},
        {"target": ["cpu"]},
    ],
)
def test_run_configuration(both, changes):
    assert "value" in both.same("run_configuration", changes)


def test_run_configuration_takes_no_misspelt_attribute(both):
    assert both.same_error("run_configuration", {"nodes": 1})["error"] == "AttributeError"


@needs_the_real_sdk
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize(("writer", "reader"), [("mocked", "real"), ("real", "mocked")])
def test_run_configuration_file_of_one_is_read_by_the_other(both, tmp_path, writer, reader, separate):
    (tmp_path / ".azureml").mkdir()
    changes = {"script": "a.py", "arguments": ["--x", 1], "target": "cpu", "environment_variables": {"MY_VAR": "b"}}
    written = getattr(both, writer).call("run_configuration_save", str(tmp_path), "mine", separate, changes)
    assert ".azureml/mine" in written["value"]
    assert (".azureml/environment.yml" in written["value"]) is separate
    read = getattr(both, reader).call("run_configuration_load", str(tmp_path), "mine")
    assert read == getattr(both, writer).call("run_configuration_load", str(tmp_path), "mine")
    assert "keras" in json.dumps(read["value"]["environment"]["python"]["condaDependencies"])
    assert read["value"]["environmentVariables"] == {"MY_VAR": "b"}
    both.same("run_configuration_load", str(tmp_path / ".azureml" / "other"), None)


def test_run_configuration_in_snake_case(both, tmp_path):
    path = tmp_path / "mine.runconfig"
    path.write_text("script: a.py\nnode_count: 2\nenvironment:\n  docker:\n    base_image: ubuntu\nhistory: {}\n")
    read = both.same("run_configuration_load", str(path), None)["value"]
    assert (read["nodeCount"], read["environment"]["docker"]["baseImage"]) == (2, "ubuntu")
    both.same("run_configuration_load", str(tmp_path), "mine")


DATA = """environment: {}
dataReferences: {given: {dataStoreName: store, pathOnDataStore: a, mode: download}}
outputData: {made: {outputLocation: {dataPath: {datastoreName: store, relativePath: b}}, mechanism: upload}}
"""


def test_run_configuration_with_data(both, tmp_path):
    path = tmp_path / "mine.runconfig"
    path.write_text(DATA)
    assert both.same("run_configuration_data", str(path))["value"] == ["download", "a", "upload", "store", "b"]


@pytest.mark.parametrize("place", [".azureml/mine", ".azureml/mine.runconfig", "mine.runconfig"])
def test_run_configuration_that_was_read_is_written_where_it_was(both, tmp_path, place):
    folders = []
    for side in (both.mocked, both.real):
        folders.append(tmp_path / str(len(folders)))
        (folders[-1] / ".azureml").mkdir(parents=True)
        (folders[-1] / place).write_text("environment: {python: {condaDependencies: {dependencies: [python=3.11]}}}")
        assert side.call("run_configuration_saved_again", str(folders[-1]), "mine") == {"value": None}
    mocked, real = ({path.relative_to(folder) for path in folder.rglob("*")} for folder in folders)
    assert mocked == real


def test_run_configuration_errors(both, tmp_path):
    both.same_error("run_configuration_save", str(tmp_path), None, False, {})
    both.same_error("run_configuration_save", str(tmp_path / "no folder"), "x", False, {})
    both.same("run_configuration_load", str(tmp_path), "missing")
    both.same_error("run_configuration_delete", str(tmp_path), "missing")


def test_run_configuration_delete(both, tmp_path):
    for side in (both.mocked, both.real):
        path = tmp_path / ".azureml" / "mine.runconfig"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        assert side.call("run_configuration_delete", str(tmp_path), "mine")["value"] == [".azureml"]
        assert not path.exists()


SCALAR = st.text(max_size=8) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
ARGUMENTS = st.none() | st.lists(
    st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=6
)
SCRIPT = st.none() | st.sampled_from(["train.py", "src/train.py"])
COMMAND = st.none() | st.sampled_from(["ls -l", ["python", "train.py", "--x", 1]])
LIMITS = {"compute_target": st.sampled_from(["gpu-cluster", "local"]), "max_run_duration_seconds": st.integers(1, 99)}


@given(
    arguments=st.fixed_dictionaries(
        {"source_directory": st.sampled_from([".", "no such folder"])},
        optional={"script": SCRIPT, "arguments": ARGUMENTS, "command": COMMAND, **LIMITS},
    ),
    run_config=st.none()
    | st.fixed_dictionaries({}, optional={"script": SCRIPT, "arguments": ARGUMENTS, "command": COMMAND}),
)
@settings(max_examples=150, deadline=None)
def test_script_run_config(both, arguments, run_config):
    """What a ScriptRunConfig submits; a missing directory or script is no error yet."""
    assert "value" in both.same("script_run", arguments, run_config)


@pytest.mark.parametrize(
    "distributed",
    [
        ["mpi", {"process_count_per_node": 2, "node_count": 3}],
        ["pytorch", {"communication_backend": "Gloo", "process_count": 4, "node_count": 2}],
        ["pytorch", {"communication_backend": "mpi"}],
        ["tensorflow", {"worker_count": 2, "parameter_server_count": 1}],
        ["none of these", {"node_count": 2}],
    ],
)
def test_script_run_config_distributed(both, distributed):
    both.same("script_run", {"source_directory": ".", "script": "a.py"}, None, distributed)


@pytest.mark.parametrize("arguments", [None, ["--epochs", 3]])
@pytest.mark.parametrize("path", ["ExperimentRun/dcid.some_run/outputs", None])
def test_script_run_config_resumed(both, arguments, path):
    both.same("script_run_resumed", arguments, path)


@pytest.mark.parametrize("docker", [None, {"use_docker": True, "shm_size": "8g"}, "docker"])
@pytest.mark.parametrize("environment", [None, "keras-env"])
def test_script_run_config_docker(both, docker, environment):
    both.same("script_run", {"source_directory": ".", "script": "a.py"}, None, None, docker, environment)


def test_script_run_config_is_not_changed_by_what_is_submitted(both):
    assert both.same("script_run_leaves_its_configuration_alone")["value"] == [["--a", 1], None]


@pytest.mark.parametrize("script", ["no.py", "folder", "./folder/../no.py"])
def test_missing_script_is_an_error_of_submit(both, tmp_path, script):
    (tmp_path / "folder").mkdir()
    error = both.same_error("submit", str(tmp_path), {"script": script})
    assert error["error"] == "ExperimentExecutionException"


def test_missing_directory_is_an_error_of_submit(both, tmp_path):
    error = both.same_error("submit", str(tmp_path / "no folder"), {"script": "train.py"})
    assert error["error"] == "FileNotFoundError"


DATASET = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["mnist", "test_data"]),
        "mode": st.sampled_from(["mount", "download", "direct", "Mount"]),
        "path": st.none() | st.just("/mnt/data"),
    }
)


@given(st.lists(st.text(max_size=5) | st.integers() | st.floats(allow_nan=False) | DATASET, max_size=6))
@settings(max_examples=100, deadline=None)
def test_dataset_arguments(both, arguments):
    assert "value" in both.same("dataset_arguments", arguments)


@pytest.mark.parametrize(("name", "mode"), [("mnist", "link"), ("1mnist", "mount"), ("a b", "mount")])
def test_dataset_argument_refused(both, name, mode):
    both.same_error("dataset_arguments", [{"name": name, "mode": mode, "path": None}])


# Without line breaks: one at the end passes there, since `$` matches before it, and is refused here.
NAMES = st.one_of(
    st.none(),
    st.text(st.characters(exclude_characters="\n"), max_size=4),
    st.from_regex(r"[\w -]{1,36}", fullmatch=True),
)


@given(kind=st.sampled_from(["experiment", "workspace"]), name=NAMES)
@settings(max_examples=150, deadline=None)
def test_names(both, kind, name):
    both.same("check_name", kind, name)
