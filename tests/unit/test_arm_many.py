"""Much at once through SDK v2, offline: nodes, threads, kernels, and files of many megabytes."""

import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.ai.ml import MpiDistribution, PyTorchDistribution, TensorFlowDistribution
from azure.ai.ml.entities import Data, Model
from small_v2 import make_cluster, make_environment, script_job, wait_for

ROOT = Path(__file__).resolve().parents[2]
LARGE = 70 << 20  # bytes; the client sends what is over 64 MB in blocks


@pytest.fixture(scope="module", autouse=True)
def compute_and_environment(ml_client):
    make_cluster(ml_client, most=2)
    make_environment(ml_client)


@pytest.mark.parametrize(
    ("distribution", "told", "ranks"),
    [
        (PyTorchDistribution(process_count_per_instance=2), "RANK,WORLD_SIZE,LOCAL_RANK,NODE_RANK", 4),
        (MpiDistribution(process_count_per_instance=1), "OMPI_COMM_WORLD_RANK,OMPI_COMM_WORLD_SIZE", 2),
        (TensorFlowDistribution(), "TF_CONFIG", 2),
        (TensorFlowDistribution(worker_count=4), "TF_CONFIG", 4),
    ],
)
def test_a_job_on_two_nodes_has_a_log_for_each_process(ml_client, tmp_path, capsys, distribution, told, ranks):
    script = f"import os; print(*[os.environ[name] for name in {told.split(',')}])"
    name = ml_client.jobs.create_or_update(script_job(script, distribution=distribution, instance_count=2)).name
    ml_client.jobs.stream(name)
    assert "Streaming user_logs/std_log_process_00.txt" in capsys.readouterr().out
    ml_client.jobs.download(name, download_path=tmp_path)
    logs = sorted((tmp_path / "artifacts/user_logs").iterdir())
    assert [log.name for log in logs] == [f"std_log_process_{rank:02}.txt" for rank in range(ranks)]
    texts = [log.read_text() for log in logs]
    if told == "TF_CONFIG":
        assert [re.search(r'"index": (\d)', text)[1] for text in texts] == [str(rank) for rank in range(ranks)]
    else:
        assert [text.split()[:2] for text in texts] == [[str(rank), str(ranks)] for rank in range(ranks)]


def test_a_file_over_64_mb_goes_up_and_comes_down_whole(ml_client, tmp_path):
    (tmp_path / "model").mkdir()
    with (tmp_path / "model/weights.bin").open("wb") as weights:
        for number in range(LARGE >> 20):
            weights.write(bytes([number]) * (1 << 20))
    ml_client.models.create_or_update(Model(name="large", version="1", path=tmp_path / "model"))
    ml_client.models.download("large", "1", download_path=tmp_path / "down")
    sent, fetched = tmp_path / "model/weights.bin", tmp_path / "down/large/model/weights.bin"
    assert fetched.stat().st_size == LARGE
    assert hashlib.sha256(fetched.read_bytes()).digest() == hashlib.sha256(sent.read_bytes()).digest()
    world = Path(os.environ["AZUREML_OFFLINE_FOLDER"])
    assert not [path for path in (world / "uploads").rglob("*") if path.is_file()]  # no block is left behind


def test_ten_threads_at_once_lose_nothing(ml_client, tmp_path):
    def work(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "a.txt").write_text(str(number), encoding="utf-8")
        ml_client.data.create_or_update(Data(name=f"of-{number}", path=folder, type="uri_folder"))
        job = script_job(f"print({number})", folder=str(tmp_path / f"code-{number}"), compute="local")
        return ml_client.jobs.create_or_update(job).name

    with ThreadPoolExecutor(10) as pool:
        names = list(pool.map(work, range(10)))
    assert len(set(names)) == 10 and set(names) <= {job.name for job in ml_client.jobs.list()}
    assert {f"of-{number}" for number in range(10)} <= {data.name for data in ml_client.data.list()}
    for number, name in enumerate(names):
        wait_for(ml_client, name, "Completed")
        ml_client.jobs.download(name, download_path=tmp_path / name)
        assert (tmp_path / name / "artifacts/user_logs/std_log.txt").read_text() == f"{number}\n"


KERNEL = """
import sys
import helpers
helpers.use_backend("offline")
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import Data
from azure.identity import DefaultAzureCredential
client = MLClient.from_config(DefaultAzureCredential())
for number in range(3):
    client.data.create_or_update(Data(name="shared", version=f"{sys.argv[1]}-{number}", path=".", type="uri_folder"))
    job = command(command=f"echo {number}", compute="local", environment="small@latest", name=f"{sys.argv[1]}-{number}")
    client.jobs.create_or_update(job)
"""


def test_two_kernels_at_once_lose_nothing(ml_client, tmp_path):
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ['PYTHONPATH']}"}
    kernels = [
        subprocess.Popen([sys.executable, "-W", "ignore", "-c", KERNEL, name], cwd=tmp_path, env=environment)
        for name in ("one", "two")
    ]
    assert [kernel.wait(timeout=300) for kernel in kernels] == [0, 0]
    names = {f"{kernel}-{number}" for kernel in ("one", "two") for number in range(3)}
    assert {data.version for data in ml_client.data.list("shared")} == names
    assert names <= {job.name for job in ml_client.jobs.list()}
    for name in names:
        wait_for(ml_client, name, "Completed")
