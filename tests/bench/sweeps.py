"""What a sweep costs, and what it gains from trials that run at once: see run.py."""

import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRIALS = 8
FINAL = ("Completed", "Failed", "Canceled")


def bench_sweep() -> list[tuple]:
    """Eight trainings of one epoch, one at a time and two at a time, through the same path."""
    alone, overhead = timed_sweep(1)
    together, _ = timed_sweep(2)
    print(f"  {TRIALS} trials one at a time {alone:.1f} s, two at a time {together:.1f} s", flush=True)
    ratio = together / alone
    return [
        (f"a sweep of {TRIALS} trials, two at once against one", f"{ratio:.2f}", "0.75", ratio <= 0.75),
        ("the controller, for each trial", f"{overhead:.2f} s", "1 s", overhead <= 1),
    ]


def timed_sweep(at_once: int) -> tuple[float, float]:
    """Seconds from the submission of a sweep to its end, and how many of them for each trial were not the trials'."""
    from azureml.core import Dataset, Experiment, ScriptRunConfig, Workspace
    from azureml.core.compute import AmlCompute, ComputeTarget
    from azureml.train.hyperdrive import GridParameterSampling, HyperDriveConfig, PrimaryMetricGoal, choice

    import helpers

    workspace = Workspace.from_config()
    if "sweeps" not in workspace.compute_targets:
        ComputeTarget.create(workspace, "sweeps", AmlCompute.provisioning_configuration("Standard_DS3_v2", max_nodes=2))
    data = workspace.get_default_datastore()
    data.upload(str(ROOT / "data" / "mnist"), "mnist", overwrite=True, show_progress=False)
    dataset = Dataset.File.from_files((data, "mnist"))
    arguments = ["--data-folder", dataset.as_named_input("mnist").as_mount(), "--epochs", 1]
    script = ScriptRunConfig(str(helpers.stage_training_script()), "keras_mnist.py", arguments, compute_target="sweeps")
    config = HyperDriveConfig(
        GridParameterSampling({"--seed": choice(range(TRIALS))}),
        "Accuracy",
        PrimaryMetricGoal.MAXIMIZE,
        max_total_runs=TRIALS,
        max_concurrent_runs=at_once,
        run_config=script,
    )
    began = time.perf_counter()
    sweep = Experiment(workspace, "bench-sweep").submit(config)
    while sweep.get_status() not in FINAL:
        time.sleep(0.1)
    seconds = time.perf_counter() - began
    trials = [trial.get_details() for trial in sweep.get_children()]
    assert [trial["status"] for trial in trials] == ["Completed"] * TRIALS
    return seconds, (seconds - sum(map(own_seconds, sweep.get_children()))) / TRIALS


def own_seconds(trial) -> float:
    """Seconds from a trial's submission to its end."""
    from helpers.offline.engine import jobs
    from helpers.offline.engine.workspace import folder

    stages = jobs.details(folder.open_folder(), trial.id)["stages"]
    first, last = (datetime.fromisoformat(stages[place]["time"]) for place in (0, -1))
    return (last - first).total_seconds()
