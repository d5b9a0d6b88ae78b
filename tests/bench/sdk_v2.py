"""What SDK v2 costs offline: its import, a call, a job, and the way to a model beside SDK v1's: see run.py."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FINAL = ("Completed", "Failed", "Canceled")
TEN_LINES = """
import json
import time

import mlflow

began = time.time()
for step in range(10):
    mlflow.log_metric("Loss", 1 / (step + 1), step=step)
print(json.dumps({"seconds": time.time() - began}))
"""
ARGUMENTS = "--epochs 20 --batch-size 50 --learning-rate 0.001"
IMPORT = "import helpers; helpers.use_backend('offline'); from azure.ai.ml import MLClient"
FLOW_V1 = """
import sys
import helpers
helpers.use_backend("offline")
from azureml.core import Dataset, Environment, Experiment, ScriptRunConfig, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
workspace = Workspace.from_config()
sizes = AmlCompute.provisioning_configuration(vm_size="STANDARD_NC4AS_T4_V3", max_nodes=4)
ComputeTarget.create(workspace, "gpu-cluster", sizes).wait_for_completion()
datastore = workspace.get_default_datastore()
datastore.upload("data/mnist", "mnist", show_progress=False)
data = Dataset.File.from_files((datastore, "mnist")).register(workspace, "mnist")
code = helpers.stage_training_script("v1")
config = ScriptRunConfig(
    str(code), "keras_mnist.py", ["--data-folder", data.as_mount(), *sys.argv[1].split()],
    compute_target="gpu-cluster",
    environment=Environment.from_conda_specification("keras", str(code / "conda_dependencies.yml")),
)
run = Experiment(workspace, "bench").submit(config)
run.wait_for_completion(show_output=True)
run.register_model("keras-mnist", "outputs/model")
"""
FLOW_V2 = """
import sys
import helpers
helpers.use_backend("offline")
from azure.ai.ml import Input, MLClient, command
from azure.ai.ml.entities import AmlCompute, Data, Environment, Model
from azure.identity import DefaultAzureCredential
client = MLClient.from_config(DefaultAzureCredential(), show_progress=False)
cluster = AmlCompute(name="gpu-cluster", size="STANDARD_NC4AS_T4_V3", max_instances=4)
client.compute.begin_create_or_update(cluster).result()
client.data.create_or_update(Data(name="mnist", path="data/mnist", type="uri_folder"))
code = helpers.stage_training_script("v2")
job = client.jobs.create_or_update(command(
    code=str(code), command="python keras_mnist.py --data-folder ${{inputs.data}} " + sys.argv[1],
    inputs={"data": Input(type="uri_folder", path="mnist@latest")}, compute="gpu-cluster",
    environment=Environment(image="mcr.microsoft.com/a:1", conda_file=str(code / "conda_dependencies.yml")),
    experiment_name="bench",
))
client.jobs.stream(job.name)
path = f"azureml://jobs/{job.name}/outputs/artifacts/paths/outputs/model/"
client.models.create_or_update(Model(name="keras-mnist", path=path))
"""


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def python(code: str, *arguments: str, **variables: str) -> None:
    """Run Python code in a process of the environment, quietly; its failure is ours."""
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{code} failed:\n{done.stdout}\n{done.stderr}")


def bench_v2() -> list[tuple]:
    """The import in a process of its own, the median of five; calls, a job and whole flows as told below."""
    bare = statistics.median(seconds(lambda: python("pass")) for _ in range(5))
    imported = statistics.median(seconds(lambda: python(IMPORT)) for _ in range(5))
    calls, over = _calls(), _submit()
    ratio = _flows()
    return [
        ("import of MLClient", f"{imported - bare:.2f} s", "3 s", imported - bare <= 3),
        *[(f"{name}, the median of 50", f"{taken * 1000:.1f} ms", "10 ms", taken <= 0.01) for name, taken in calls],
        ("submit to Completed, beyond the bare script", f"{over:.2f} s", "1.5 s", over <= 1.5),
        ("from data to a model, against SDK v1", f"{ratio:.2f}", "1.1", ratio <= 1.1),
    ]


def _client():
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import AmlCompute, Data, Environment
    from azure.identity import DefaultAzureCredential

    client = MLClient.from_config(DefaultAzureCredential(), show_progress=False)
    client.compute.begin_create_or_update(AmlCompute(name="cpu", size="STANDARD_DS3_V2", max_instances=2)).result()
    client.data.create_or_update(Data(name="mnist", version="1", path=str(ROOT / "data/mnist"), type="uri_folder"))
    conda = {"name": "small", "dependencies": ["python=3.11", {"pip": ["mlflow"]}]}
    client.environments.create_or_update(Environment(name="small", image="mcr.microsoft.com/a:1", conda_file=conda))
    return client


def _calls() -> list[tuple[str, float]]:
    """Calls that ask for one thing each; the first of each is left out."""
    client = _client()
    calls = {
        "compute.get": lambda: client.compute.get("cpu"),
        "data.get": lambda: client.data.get("mnist", version="1"),
        "environments.get": lambda: client.environments.get("small", version="1"),
    }
    found = []
    for name, call in calls.items():
        call()
        found.append((name, statistics.median(seconds(call) for _ in range(50))))
    return found


def _submit() -> float:
    """Submit to Completed of a script that logs ten metrics with MLflow, beyond the same script run bare."""
    from azure.ai.ml import command

    client, folder, other = _client(), Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    (folder / "ten.py").write_text(TEN_LINES)

    def submit() -> None:
        job = command(code=str(folder), command="python ten.py", compute="cpu", environment="small@latest")
        name = client.jobs.create_or_update(job).name
        while (status := client.jobs.get(name).status) not in FINAL:
            time.sleep(0.02)
        assert status == "Completed"

    submit()  # MLflow is imported, the code uploaded
    own_store = {"MLFLOW_TRACKING_URI": f"sqlite:///{other}/bare.db"}
    python(TEN_LINES, **own_store)  # the store is made
    pairs = [(seconds(submit), seconds(lambda: python(TEN_LINES, **own_store))) for _ in range(5)]
    return statistics.median(submitted - bare for submitted, bare in pairs)


def _flows() -> float:
    """From data to a registered model, twenty epochs: v2 against v1, turn and turn about, twice each, new worlds."""
    ratios = []
    for turn in range(2):
        taken = []
        for name, code in (("v1", FLOW_V1), ("v2", FLOW_V2)):
            world = {"AZUREML_OFFLINE_FOLDER": str(Path(tempfile.mkdtemp()) / "offline")}
            taken.append(seconds(lambda code=code, world=world: python(code, ARGUMENTS, **world)))
            print(f"  {name}, turn {turn + 1}: {taken[-1]:.1f} s", flush=True)
        ratios.append(taken[1] / taken[0])
    return statistics.median(ratios)
