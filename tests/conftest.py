"""What all tests share: the mocked SDK comes first, each test has a workspace of its own, and no test goes online."""

import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
SDK = TESTS.parent / "helpers" / "offline" / "sdk_v1"
GUARD = TESTS / "network_guard"

# In pytest's process `azureml` is the mocked SDK; the real one is only called in processes of its own.
sys.path.insert(0, str(SDK))

# What processes leave in the temporary folder goes with the tests; xdist's workers inherit it. pytest's own stays.
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if not IS_WORKER:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix="tests-")

# Every process that a test starts inherits these.
os.environ["NETWORK_GUARD_LOG"] = str(Path(tempfile.mkdtemp(prefix="network-guard-")) / "refused.txt")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH")]))
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
# What one training has compiled, the next need not, in whatever test and on whichever of xdist's workers: a third of a
# short one on JAX, a fifth on TensorFlow.
COMPILED = os.environ["JAX_COMPILATION_CACHE_DIR"] if IS_WORKER else tempfile.mkdtemp(prefix="compiled-")
# Tests train for seconds, on all cores at once: there is nothing to gain from more threads, and little from more of a
# compiler's effort. With none at all an epoch takes three times as long.
FRUGAL = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "PJRT_NPROC": "1",
    "OPENBLAS_NUM_THREADS": "1",  # NumPy has one and SciPy another, and their threads turn idle at first
    "XLA_FLAGS": "--xla_backend_optimization_level=1 --xla_cpu_multi_thread_eigen=false",
    "JAX_COMPILATION_CACHE_DIR": COMPILED,
    "JAX_COMPILATION_CACHE_MAX_SIZE": str(100 * 2**20),  # with a limit, it is read and written under a lock
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    "TF_XLA_FLAGS": f"--tf_xla_persistent_cache_directory='{COMPILED}'",
}
os.environ.update(FRUGAL)
TO_JOBS = ("PYTHONPATH", "NETWORK_GUARD_LOG", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND", *FRUGAL)  # and to services
os.environ["AZUREML_OFFLINE_PASS_ON"] = ",".join(TO_JOBS)
os.environ.pop("AZUREML_OFFLINE_FOLDER", None)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with it, each of a thousand processes compiles what it imports
sys.dont_write_bytecode = False
for name in ("MAKEFLAGS", "MFLAGS", "PYTHON", "WHEELHOUSE", "PYTEST_ADDOPTS"):
    os.environ.pop(name, None)  # given to what runs this, they are not for a test's own make and pytest
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
_specification = importlib.util.spec_from_file_location("network_guard", GUARD / "sitecustomize.py")
_specification.loader.exec_module(importlib.util.module_from_spec(_specification))


LONGEST = (  # test files that take longest, the longest first
    *("test_commands", "test_committed_outputs", "test_exercises", "test_execution", "test_real_sdk", "test_twins"),
    *("test_training_together", "test_runner_faults", "test_training_script", "test_build_faults", "test_arm_sweeps"),
    *("test_engine_services", "test_engine_jobs", "test_engine_sweeps", "test_drills", "test_train_sdk_v2"),
)


def pytest_unconfigure() -> None:
    if not IS_WORKER:
        shutil.rmtree(tempfile.tempdir, ignore_errors=True)


def pytest_collection_modifyitems(items) -> None:
    """What takes longest comes first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_xdist_auto_num_workers(config) -> int:
    """One more than there are cores: a test often waits for what a process writes."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def no_connection_outside_loopback():
    log = Path(os.environ["NETWORK_GUARD_LOG"])
    log.write_text("")
    yield
    refused = log.read_text()
    assert not refused, f"a connection outside loopback was tried:\n{refused}"


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory):
    """An empty MLflow store that the engine has opened; each test has a copy."""
    from helpers.offline.engine.history import mlflow_store
    from helpers.offline.engine.workspace import folder

    made = folder.open_folder(tmp_path_factory.mktemp("store") / "offline")
    mlflow_store.make(made)
    return made / "mlflow.db"


@pytest.fixture
def offline_folder(tmp_path, monkeypatch, mlflow_store):
    """The folder of a new offline workspace, which the test's processes find by the environment variable."""
    from helpers.offline.engine import jobs, services
    from helpers.offline.engine.workspace import folder

    path = folder.open_folder(tmp_path / "offline")
    shutil.copyfile(mlflow_store, path / "mlflow.db")
    monkeypatch.setenv(folder.VARIABLE, str(path))
    yield path
    if (path / "assets.db").exists():
        services.end_all(path)  # no process is left behind
        jobs.end_all(path)


@pytest.fixture(scope="module")
def ml_client(tmp_path_factory, mlflow_store):
    """The installed azure-ai-ml's MLClient of a new offline folder; the working directory is beside it."""
    from helpers.offline.arm import client
    from helpers.offline.engine import jobs, services
    from helpers.offline.engine.workspace import folder

    top = tmp_path_factory.mktemp("world")
    (top / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZUREML_OFFLINE_FOLDER", str(top / "offline"))
        patch.chdir(top / "work")
        path = folder.open_folder(top / "offline")
        shutil.copyfile(mlflow_store, path / "mlflow.db")
        client.use()
        from azure.ai.ml import MLClient
        from azure.ai.ml.constants._endpoint import EndpointInvokeFields
        from azure.identity import DefaultAzureCredential

        # The client keeps the headers of one invoke() for the next, of whatever endpoint.
        patch.setattr(EndpointInvokeFields, "DEFAULT_HEADER", dict(EndpointInvokeFields.DEFAULT_HEADER))
        yield MLClient(DefaultAzureCredential(), "a-subscription", "a-group", "a-workspace")
        services.end_all(path)
        jobs.end_all(path)
