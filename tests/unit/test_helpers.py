"""The helpers that notebooks stand on, apart from pictures and runs."""

import contextlib
import importlib
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from batch.kernels import ThisInterpreter
from nbclient import NotebookClient

import helpers
from helpers import results, training, workspace
from helpers.imports import quick_import

ROOT = Path(__file__).resolve().parents[2]
REGISTER = {"register.py", "register_dependencies.yml"}


def python(code: str, folder: Path, **variables) -> subprocess.CompletedProcess:
    """Run code in a process of its own, whose offline workspace is in `folder`."""
    environment = os.environ | {"AZUREML_OFFLINE_FOLDER": str(folder / "offline")} | variables
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)


# import helpers


def test_importing_helpers_imports_none_of_its_modules(tmp_path):
    result = python("import helpers, sys; print([m for m in sys.modules if m.startswith('helpers.')])", tmp_path)
    assert result.stdout.strip() == "[]", result.stderr


def test_everything_that_helpers_names_is_there():
    for name in helpers.__all__:
        assert getattr(helpers, name) is not None
    assert dir(helpers) == helpers.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        helpers.nothing  # noqa: B018


# use_backend


def test_offline_finds_the_mocked_sdk_and_says_where_the_workspace_is(tmp_path):
    code = "import helpers; helpers.use_backend('offline'); helpers.use_backend('offline'); import azureml.core as a; "
    result = python(code + "import sys; print(a.__file__); print(sys.path.count(sys.path[0]))", tmp_path)
    first, second, file, times = result.stdout.splitlines()
    assert first == second
    assert first.endswith(f"kept in {tmp_path / 'offline'}")
    assert Path(file) == ROOT / "helpers" / "offline" / "sdk_v1" / "azureml" / "core" / "__init__.py"
    assert times == "1"


def test_a_workspace_inside_the_repository_is_told_by_its_relative_path_to_who_is_there(monkeypatch, tmp_path, capsys):
    from helpers.offline.engine.workspace import folder

    monkeypatch.setattr(folder, "REPOSITORY", tmp_path)
    monkeypatch.setenv(folder.VARIABLE, str(tmp_path / ".offline"))
    for place, said in ((tmp_path, ".offline"), (tmp_path.parent, str(tmp_path / ".offline"))):
        monkeypatch.chdir(place)
        helpers.use_backend("offline")
        assert capsys.readouterr().out.splitlines()[0].endswith(f"the workspace is kept in {said}")


def test_azure_finds_the_installed_sdk_also_after_offline(tmp_path):
    code = "import helpers; helpers.use_backend('offline'); helpers.use_backend('azure'); import azureml.core as a; "
    result = python(code + "print(a.__file__)", tmp_path)
    assert result.returncode == 0, result.stderr
    said, file = result.stdout.splitlines()[1:]
    assert re.match(r"Azure: azureml-core 1\.[\d.a-z]+, azure-ai-ml 1\.[\d.]+; ", said)
    assert "site-packages" in file


def test_without_config_json_the_client_of_version_2_says_where_it_is_had(tmp_path):
    result = python("import helpers; helpers.use_backend('azure'); helpers.ml_client()", tmp_path)
    assert "AzureProblem: There is no config.json in this folder or in one above it" in result.stderr


@pytest.mark.parametrize("sdk", ["azureml.core", "azure.ai.ml"])
@pytest.mark.parametrize("first, second", [("offline", "azure"), ("azure", "offline")])
def test_changing_sides_after_the_import_says_to_restart_the_kernel(tmp_path, sdk, first, second):
    code = f"import helpers; helpers.use_backend({first!r}); import {sdk}; helpers.use_backend({second!r})"
    result = python(code, tmp_path)
    assert result.returncode == 1
    told = f"BackendError: {sdk.removesuffix('.core')} was already imported for the backend '{first}'"
    assert told in result.stderr
    assert "Restart the kernel" in result.stderr


def test_credentials_alone_hold_a_kernel_to_the_offline_side(tmp_path):
    code = "import helpers; helpers.use_backend('offline'); import azure.identity; helpers.use_backend('azure')"
    result = python(code, tmp_path)
    assert "BackendError: azure.identity was already imported for the backend 'offline'" in result.stderr


@pytest.mark.parametrize(
    "load",
    [
        "import helpers; helpers.use_backend('offline'); assert 'azure' not in sys.modules; import azure.ai.ml",
        f"sys.path.insert(0, {str(ROOT / 'scripts')!r}); import run_notebooks",
    ],
    ids=["the client of SDK v2", "the batch runner"],
)
def test_no_grammar_is_loaded_that_nobody_uses(tmp_path, load):
    code = (
        f"import sys; sys.modules.pop('rfc3987_syntax'); {load}; "  # the tests' own Pythons do without it
        "print('lark' in sys.modules); import jsonschema; check = jsonschema.FormatChecker().conforms; "
        "print(check('http://a b', 'iri'), check('http://a/b', 'iri'), 'lark' in sys.modules)"
    )
    result = python(code, tmp_path)
    assert result.stdout.splitlines()[-2:] == ["False", "False True True"], result.stderr


def test_a_quick_import_does_without_a_module_that_is_found_again_afterwards(tmp_path, monkeypatch):
    (tmp_path / "left_out.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    twice = quick_import(without=["left_out"]), quick_import(without=["left_out"])  # as in two threads
    with twice[0], twice[1], pytest.raises(ModuleNotFoundError):
        importlib.import_module("left_out")
    assert importlib.import_module("left_out")
    monkeypatch.delitem(sys.modules, "left_out")


def test_what_a_quick_import_has_made_the_garbage_collector_does_not_look_through(tmp_path):
    (tmp_path / "many.py").write_text("kept = [[] for _ in range(1000)]")
    code = (
        "import gc, sys; from helpers.imports import quick_import; gc.unfreeze()\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "with quick_import(): import many\n"
        "new = [[] for _ in range(1000)]\n"
        "looked_through = {id(one) for one in gc.get_objects()}\n"
        "print(*[sum(id(one) in looked_through for one in made) for made in (many.kept, new)], gc.isenabled())"
    )
    assert python(code, tmp_path).stdout.splitlines()[-1] == "0 1000 True"


def test_what_the_client_of_sdk_v2_asks_itself_takes_no_import_and_no_source(tmp_path):
    """Whether this is a notebook; whether it warns of a class that it uses itself; and what it sends by."""
    code = (
        "import helpers, sys; helpers.use_backend('offline'); from azure.ai.ml import MLClient\n"
        "from azure.ai.ml._utils import _experimental; from azure.identity import DefaultAzureCredential\n"
        "def _from_rest_object(): return _experimental._should_skip_warning()\n"
        "MLClient(DefaultAzureCredential(), 's', 'g', 'w')\n"
        "print(_from_rest_object(), _experimental._should_skip_warning(), {'IPython', 'aiohttp'} & set(sys.modules))\n"
        "from azure.core.pipeline.transport import AioHttpTransport"
    )
    result = python(code, tmp_path)
    assert result.stdout.splitlines()[-1] == "True False set()", result.stderr
    assert result.returncode == 0, result.stderr


def test_offline_mlflow_tells_its_makers_nothing(tmp_path, monkeypatch):
    names = ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    for name in names:
        monkeypatch.delenv(name)
    code = f"import helpers, os; helpers.use_backend('offline'); print([os.environ[name] for name in {names}])"
    assert python(code, tmp_path).stdout.splitlines()[-1] == "['true', '1']"


def test_an_unknown_backend_lists_the_two(tmp_path):
    with pytest.raises(helpers.BackendError, match='"offline" or "azure"'):
        helpers.use_backend("cloud")


def test_azure_without_azureml_core_says_how_to_install_it(tmp_path):
    code = (
        "import importlib.metadata as m, helpers\n"
        "def missing(name): raise m.PackageNotFoundError(name)\n"
        "m.version = missing\n"
        "helpers.use_backend('azure')"
    )
    result = python(code, tmp_path)
    assert "BackendError: azureml-core is not installed" in result.stderr
    assert "pip install -r requirements.txt" in result.stderr


def test_an_offline_folder_that_is_something_else_is_told_at_once(tmp_path):
    (tmp_path / "offline").mkdir()
    (tmp_path / "offline" / "thesis.txt").write_text("mine")
    result = python("import helpers; helpers.use_backend('offline')", tmp_path)
    assert result.returncode == 1
    assert "is no offline workspace" in result.stderr
    assert [path.name for path in (tmp_path / "offline").iterdir()] == ["thesis.txt"]


def run_cells(folder: Path, *sources: str, **options) -> nbformat.NotebookNode:
    """A notebook of these cells, run in a kernel; the options are nbclient's."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    resources = {"metadata": {"path": folder}}
    NotebookClient(notebook, kernel_manager_class=ThisInterpreter, resources=resources, **options).execute()
    return notebook


# A proxy between us and the network


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"no_proxy": "corp.example, localhost"}, "corp.example,localhost,127.0.0.1"),
        ({"NO_PROXY": "corp.example"}, "corp.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "*"}, "*,127.0.0.1,localhost"),
    ],
)
def test_what_goes_by_no_proxy_is_kept_and_loopback_added_once(tmp_path, variables, expected):
    code = "import helpers, os; helpers.use_backend('offline'); helpers.use_backend('offline'); "
    result = python(
        code + "print(os.environ['no_proxy']); print(os.environ['NO_PROXY'])",
        tmp_path,
        **{"no_proxy": "", "NO_PROXY": ""} | variables,
    )
    assert result.stdout.splitlines()[-2:] == [expected] * 2, result.stderr


def test_a_dead_proxy_does_not_stand_between_us_and_a_service_of_this_machine(tmp_path):
    code = """if True:
        import http.server, threading, requests, helpers
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
            log_message = lambda *_: None
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/score"
        try:
            print(requests.post(address, json=1).status_code)
        except requests.exceptions.ProxyError:
            print("by the proxy")
        helpers.use_backend("offline")
        print(requests.post(address, json=1).status_code)
        print(len(helpers.scoring.latencies(address, {}, 1, count=2)))
        print(helpers.scoring.load(address, {}, 1, count=4, clients=2).answered)
        """
    result = python(code, tmp_path, http_proxy="http://127.0.0.1:9", no_proxy="", NO_PROXY="")
    said = result.stdout.splitlines()
    assert said[0] == "by the proxy", "the test's proxy stands in nobody's way"
    assert said[2:] == ["200", "2", "4"], result.stderr


# The workspace


def test_connect_returns_the_workspace_and_says_which_it_is(offline_folder, capsys):
    assert helpers.connect().name == "offline"
    assert capsys.readouterr().out == "Workspace offline, resource group offline, location local\n"


def test_what_is_missing_names_the_notebook_that_makes_it(offline_folder):
    from azureml.core import Dataset, Workspace
    from azureml.exceptions import UserErrorException

    with pytest.raises(helpers.NotMadeYet) as raised, helpers.made_by("02_data.ipynb"):
        Dataset.get_by_name(Workspace.from_config(), "digits")
    assert "Run 02_data.ipynb first" in str(raised.value)
    assert 'Cannot find dataset registered with name "digits"' in str(raised.value)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value.__cause__, UserErrorException)


def test_a_refusal_without_words_is_told_by_its_class(offline_folder):
    from azureml.exceptions import UserErrorException

    with pytest.raises(helpers.NotMadeYet, match="answer was: UserErrorException"), helpers.made_by("02_data.ipynb"):
        raise UserErrorException("")


def test_in_a_notebook_it_is_one_line_below_a_link_and_no_traceback(tmp_path):
    source = "from helpers.workspace import NotMadeYet\ntry:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
    source += "    raise NotMadeYet('There is none.', '03_compute.ipynb') from error"
    notebook = run_cells(tmp_path, source, allow_errors=True)
    link, error = notebook.cells[0].outputs
    assert '<a href="03_compute.ipynb">' in link.data["text/html"]
    assert error.traceback == ["NotMadeYet: There is none. Run 03_compute.ipynb first, with the same parameters."]


@pytest.mark.parametrize(
    ("here", "told"),
    [
        ("notebooks", "02_data.ipynb"),
        ("notebooks/v2", "02_data.ipynb"),
        ("exercises", "../notebooks/02_data.ipynb"),
        ("exercises/v2", "../../notebooks/v2/02_data.ipynb"),
        ("solutions/pt", "../../notebooks/pt/02_data.ipynb"),
        ("elsewhere/deeper/still", "02_data.ipynb"),
    ],
)
def test_an_exercise_names_the_lesson_and_not_the_exercise_of_the_same_name(tmp_path, monkeypatch, here, told):
    for series in ("", "v2", "pt"):
        for kind in ("notebooks", "exercises", "solutions"):
            (tmp_path / kind / series).mkdir(parents=True, exist_ok=True)
            (tmp_path / kind / series / "02_data.ipynb").touch()
    (tmp_path / here).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / here)
    assert workspace.lesson("02_data.ipynb") == told
    error = workspace.NotMadeYet("There is none.", "02_data.ipynb")
    assert error.notebook == told
    assert f"Run {told} first" in str(error)


def test_other_errors_pass_as_they_are(offline_folder):
    with pytest.raises(ZeroDivisionError), helpers.made_by("02_data.ipynb"):
        raise ZeroDivisionError


def test_what_is_there_passes_through(offline_folder):
    with workspace.made_by("02_data.ipynb"):
        found = 1
    assert found == 1


# Results


def test_a_result_is_shown_on_a_terminal(capsys):
    helpers.record("Accuracy", 0.5)
    assert capsys.readouterr().out == "Accuracy: 0.5\n"


def test_a_result_in_a_notebook_carries_its_payload(monkeypatch):
    shown = []
    monkeypatch.setattr(results.display, "show", shown.append)
    helpers.record("Accuracy", 0.5)
    assert shown == [{"text/plain": "Accuracy: 0.5", results.RESULT_MIME_TYPE: {"name": "Accuracy", "value": 0.5}}]


@pytest.mark.parametrize("value", [{1, 2}, math.nan, math.inf, {"loss": [math.nan]}])
def test_a_value_that_json_cannot_hold_is_refused(value):
    with pytest.raises(TypeError):
        helpers.record("Accuracy", value)


# The training script's folder


@pytest.mark.parametrize(
    ("edition", "tracking", "more"),
    [
        ("v1", "from azureml.core import Run", set()),
        ("v2", "import mlflow", {"job.yml"}),
        ("pipeline", "import mlflow", {"job.yml", "prepare.py", "prepare.yml", "evaluate.py", *REGISTER}),
    ],
)
def test_the_staged_folder_holds_what_a_run_needs_and_nothing_else(edition, tracking, more):
    folder = training.stage_training_script(edition)
    scripts = {path.name for path in (ROOT / "scripts" / "training").iterdir() if path.is_file()}
    assert {path.name for path in folder.iterdir()} == scripts | {"mnist.py"} | more
    assert {"conda_dependencies.yml", "keras_mnist.py"} <= scripts
    assert (folder / "mnist.py").read_bytes() == (ROOT / "helpers" / "mnist.py").read_bytes()
    assert tracking in (folder / "tracking.py").read_text()
    of_azure = {path.name for path in folder.glob("*.py") if re.search(r"(?:import|from) azureml", path.read_text())}
    assert of_azure == ({"tracking.py"} if edition == "v1" else set())


def test_the_staged_folder_goes_with_the_process(tmp_path):
    code = "import helpers; folder = helpers.stage_training_script(); print(folder, folder.is_dir())"
    folder, was_there = python(code, tmp_path, TMPDIR=str(tmp_path)).stdout.split()
    assert was_there == "True"
    assert not Path(folder).exists()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_process_was_killed_goes_with_the_next_one_and_no_other(tmp_path):
    (tmp_path / "keras-mnist-of-mine").mkdir()
    code = "import helpers; print(helpers.stage_training_script(), flush=True); input()"

    def begun() -> tuple[subprocess.Popen, Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True},
            env=os.environ | {"TMPDIR": str(tmp_path)},
        )
        return process, Path(process.stdout.readline().strip())

    with contextlib.ExitStack() as stack:
        processes, folders = zip(*(begun() for _ in range(2)), strict=True)
        for process in processes:
            stack.enter_context(process)
            stack.callback(process.kill)
        assert all(folder.is_dir() for folder in folders)
        processes[0].kill()
        processes[0].wait(timeout=60)
        assert folders[0].is_dir()
        python("import helpers; helpers.stage_training_script()", tmp_path, TMPDIR=str(tmp_path)).check_returncode()
        assert not folders[0].exists() and folders[1].is_dir()
    assert (tmp_path / "keras-mnist-of-mine").is_dir()


# In a kernel, where there is a page to show things on


def test_what_is_shown_in_a_kernel_is_kept_in_the_cells_output(tmp_path):
    source = (
        "import helpers\nhelpers.record('Accuracy', 0.5)\n"
        "import numpy as np\nhelpers.plots.digits(np.zeros((3, 28, 28)), [1, 2, 3])\n"
        "from helpers import display\nhandle = display.show({'text/plain': 'first'})\n"
        "display.show({'text/plain': 'second'}, handle=handle);"
    )
    notebook = run_cells(tmp_path, source)
    result, picture, text = notebook.cells[0].outputs
    assert result.data == {"text/plain": "Accuracy: 0.5", results.RESULT_MIME_TYPE: {"name": "Accuracy", "value": 0.5}}
    assert 'alt="3 handwritten digits: 1, 2, 3"' in picture.data["text/html"]
    assert picture.data["text/plain"].endswith("\nThe picture in words: 3 handwritten digits: 1, 2, 3")
    assert text.data == {"text/plain": "second"}


def test_of_series_takes_what_carries_the_tag_and_nothing_else():
    tagged = SimpleNamespace(tags={**helpers.SERIES_TAG, "data": "MNIST"})
    others = {"none": SimpleNamespace(tags=None), "empty": SimpleNamespace(tags={})}
    others["other"] = SimpleNamespace(tags={"series": "another"})
    assert helpers.of_series({"ours": tagged, **others}) == {"ours": tagged}
