"""Runs on several nodes and runs that go on from another's files, as the SDK starts them."""

import shutil

import pytest
import sdk_world
from azureml.core import Datastore, Experiment, ScriptRunConfig
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.dataset import Dataset
from azureml.core.runconfig import MpiConfiguration, PyTorchConfiguration, RunConfiguration, TensorflowConfiguration
from azureml.data.datapath import DataPath
from azureml.exceptions import ExperimentExecutionException, UserErrorException
from small_jobs import wait_until
from test_training_script import SCRIPT, write_digits

from helpers import mnist, runs

TELL = """
import os
print("I am", os.environ.get("RANK") or os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ["TF_CONFIG"])
"""


@pytest.fixture(scope="module")
def cluster(workspace):
    settings = AmlCompute.provisioning_configuration(vm_size="Standard_DS3_v2", max_nodes=2)
    return ComputeTarget.create(workspace, "cpu-cluster", settings)


def submit(workspace, folder, script, **settings):
    config = ScriptRunConfig(**sdk_world.source(folder, script), **settings)
    return Experiment(workspace, "several").submit(config)


@pytest.mark.parametrize(
    ("distributed", "count", "second"),
    [
        (PyTorchConfiguration(node_count=2), 2, "I am 1"),
        (PyTorchConfiguration("Gloo", process_count=4, node_count=2), 4, "I am 1"),
        (MpiConfiguration(process_count_per_node=2), 2, "I am 1"),
        (TensorflowConfiguration(worker_count=2, parameter_server_count=0), 2, '"index": 1'),
    ],
)
def test_each_process_has_its_log(workspace, cluster, tmp_path, distributed, count, second):
    run = submit(workspace, tmp_path, TELL, compute_target=cluster, distributed_job_config=distributed)
    details = run.wait_for_completion()
    assert details["runDefinition"]["nodeCount"] == getattr(distributed, "node_count", 2)
    logs = [name for name in run.get_file_names() if name.startswith("user_logs/")]
    assert logs == [f"user_logs/std_log_process_0{rank}.txt" for rank in range(count)]
    assert second in run.get_details_with_logs()["logFiles"][logs[1]]


def test_the_log_of_the_first_process_is_streamed(workspace, cluster, tmp_path, capsys):
    run = submit(
        workspace, tmp_path, TELL, compute_target=cluster, distributed_job_config=PyTorchConfiguration(node_count=2)
    )
    run.wait_for_completion(show_output=True)
    streamed = capsys.readouterr().out
    assert "Streaming user_logs/std_log_process_00.txt" in streamed
    assert "I am 0" in streamed and "I am 1" not in streamed
    runs.watch(run)
    watched = capsys.readouterr().out
    assert "I am 0" in watched and "I am 1" not in watched


@pytest.mark.parametrize(
    ("distributed", "words"),
    [
        (
            PyTorchConfiguration(node_count=3),
            "needs 3 nodes at once, but .* 'cpu-cluster' has at most 2",
        ),
        (PyTorchConfiguration(process_count=3, node_count=2), "3 processes cannot be shared out evenly among 2 nodes"),
        (MpiConfiguration(process_count_per_node=0), "The number of processes is 0"),
    ],
)
def test_counts_that_do_not_go_together_are_refused(workspace, cluster, tmp_path, distributed, words):
    with pytest.raises(ExperimentExecutionException, match=words):
        submit(workspace, tmp_path, TELL, compute_target=cluster, distributed_job_config=distributed)


def test_parameter_servers_are_not_supported(workspace, cluster, tmp_path):
    with pytest.raises(NotImplementedError, match="parameter_server_count=0"):
        submit(workspace, tmp_path, TELL, compute_target=cluster, distributed_job_config=TensorflowConfiguration(2, 1))


def test_several_nodes_need_to_be_told_how_they_communicate(workspace, tmp_path):
    run_config = RunConfiguration()
    run_config.node_count = 2
    with pytest.raises(NotImplementedError, match="without a distributed_job_config"):
        submit(workspace, tmp_path, TELL, run_config=run_config)


def training_folder(folder):
    folder.mkdir()
    for module in [*SCRIPT.parent.glob("*.py"), mnist.__file__]:
        shutil.copy(module, folder)
    return folder


def test_the_training_script_on_two_nodes_and_resumed_on_one(workspace, cluster, tmp_path):
    """Two processes train together, one logs; another run, of one process, goes on from what they left."""
    write_digits(tmp_path / "digits", 120, 60)
    store = workspace.get_default_datastore()
    dataset = Dataset.File.upload_directory(str(tmp_path / "digits"), (store, "small-digits"), show_progress=False)

    def train(epochs, **settings):
        config = ScriptRunConfig(
            str(training_folder(tmp_path / f"source{epochs}")),
            "keras_mnist.py",
            ["--data-folder", dataset.as_mount(), "--epochs", epochs, "--batch-size", 20],
            compute_target=cluster,
            **settings,
        )
        run = Experiment(workspace, "trained").submit(config)
        run.wait_for_completion()
        return run

    together = train(2, distributed_job_config=PyTorchConfiguration(node_count=2))
    metrics = together.get_metrics()
    assert len(metrics["Loss"]) == 2  # logged by one of them
    assert isinstance(metrics["Final test accuracy"], float)
    logs = together.get_details_with_logs()["logFiles"]
    ends = [logs[f"user_logs/std_log_process_0{rank}.txt"].split("ends with the weights ")[1][:16] for rank in (0, 1)]
    assert ends[0] == ends[1]

    kept = Datastore.get(workspace, "workspaceartifactstore")
    checkpoints = DataPath(kept, f"ExperimentRun/dcid.{together.id}/outputs/checkpoints")
    resumed = train(3, resume_from=checkpoints)
    log = resumed.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert "Resumed after epoch 2" in log and "Epoch  3/3" in log and "Epoch  2/3" not in log
    assert resumed.get_details()["runDefinition"]["arguments"][-2:] == [
        "--resume-from",
        "$AZUREML_DATAREFERENCE_MODEL_LOCATION",
    ]
    assert len(resumed.get_details()["inputDatasets"]) == 1  # the images; a data reference is no dataset


def test_resume_from_gives_the_script_what_a_canceled_run_had_written(workspace, tmp_path):
    script = """
import os, sys
print(sys.argv[1:-1], os.listdir(sys.argv[-1]), os.environ["AZUREML_DATAREFERENCE_MODEL_LOCATION"] == sys.argv[-1])
"""
    wait = "import time\nopen('outputs/state', 'w').write('s')\nprint('written', flush=True)\ntime.sleep(600)"
    first = submit(workspace, tmp_path / "first", wait)
    wait_until(lambda: "written" in first.get_details_with_logs()["logFiles"].get("user_logs/std_log.txt", ""))
    first.cancel()
    wait_until(lambda: first.get_status() == "Canceled")
    store = Datastore.get(workspace, "workspaceartifactstore")
    arguments = ["--a", 1]
    run = submit(
        workspace,
        tmp_path / "second",
        script,
        arguments=arguments,
        resume_from=DataPath(store, f"ExperimentRun/dcid.{first.id}/outputs"),
    )
    run.wait_for_completion()
    log = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert log.strip() == "['--a', '1', '--resume-from'] ['state'] True"
    assert arguments == ["--a", 1]


def test_resume_from_files_that_are_not_there_is_refused(workspace, tmp_path):
    path = DataPath(Datastore.get(workspace, "workspaceartifactstore"), "ExperimentRun/dcid.no-such-run/outputs")
    with pytest.raises(ExperimentExecutionException, match="no-such-run"):
        submit(workspace, tmp_path, TELL, resume_from=path)


def test_resume_from_a_run_itself_is_refused():
    with pytest.raises(UserErrorException, match="resume_from parameter should be of type DataPath"):
        ScriptRunConfig(".", "train.py", resume_from="outputs")


def test_nothing_is_uploaded_into_the_files_of_runs(workspace, tmp_path):
    (tmp_path / "file").write_text("f")
    store = Datastore.get(workspace, "workspaceartifactstore")
    with pytest.raises(UserErrorException, match="keeps the files of runs"):
        Dataset.File.upload_directory(str(tmp_path), (store, "x"), show_progress=False)
