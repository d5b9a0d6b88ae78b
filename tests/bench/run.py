"""What the project costs in time, as figures of one run on one machine: `make bench`, or parts of it by name.

Machines differ, so a bar is a ratio or a difference within the run wherever it can be. The bars are printed beside the
figures; nothing fails, since a noisy machine is no fault. `run.py NAME…` measures only the parts of these names.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import machine
import scaling
import training
from endpoints import bench_endpoints
from scoring import bench_scoring
from sdk_v2 import bench_v2
from sweeps import bench_sweep

ROOT = Path(__file__).resolve().parents[2]
TEN_METRICS = """
from azureml.core import Run
run = Run.get_context()
for step in range(10):
    run.log("Loss", 1 / (step + 1))
run.flush()
"""


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def python(*arguments: str, **variables: str) -> None:
    """Run the interpreter of the environment, quietly; its failure is ours."""
    environment = os.environ | variables
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arguments} failed:\n{done.stdout}\n{done.stderr}")


def bench_import() -> list[tuple]:
    bare = statistics.median(seconds(lambda: python("-c", "pass")) for _ in range(5))
    helped = statistics.median(seconds(lambda: python("-c", "import helpers")) for _ in range(5))
    return [("import helpers", f"{helped - bare:.3f} s", "0.15 s", helped - bare <= 0.15)]


def bench_submit() -> list[tuple]:
    """Submit to Completed of a script that logs ten metrics, against the same script run bare; the median of five."""
    from azureml.core import Experiment, ScriptRunConfig, Workspace

    source = Path(tempfile.mkdtemp())
    (source / "ten.py").write_text(TEN_METRICS)
    experiment = Experiment(Workspace.from_config(), "bench")
    config = ScriptRunConfig(str(source), "ten.py")

    def submit() -> None:
        run = experiment.submit(config)
        while run.get_status() not in ("Completed", "Failed", "Canceled"):
            time.sleep(0.02)
        assert run.get_status() == "Completed"
        assert len(run.get_metrics()["Loss"]) == 10

    submit()  # MLflow is imported, the store made
    sdk = str(ROOT / "helpers" / "offline" / "sdk_v1")
    pairs = [(seconds(submit), seconds(lambda: python(str(source / "ten.py"), PYTHONPATH=sdk))) for _ in range(5)]
    over = statistics.median(submitted - bare for submitted, bare in pairs)
    return [("submit to Completed, beyond the bare script", f"{over:.2f} s", "2.5 s", over <= 2.5)]


def bench_history() -> list[tuple]:
    """1,000 runs with 20 metrics each."""
    from azureml.core import Experiment, Workspace

    from helpers.offline.engine.jobs import run_records
    from helpers.offline.engine.workspace import folder

    workspace = folder.open_folder()
    few = Experiment(Workspace.from_config(), "few")
    few.start_logging().complete()
    before = statistics.median(seconds(lambda: few.start_logging().complete()) for _ in range(10))
    for _ in range(1000):
        run_id = run_records.create_run(workspace, "many")
        events = [{"kind": "metric", "name": f"m{n}", "value": n, "step": None, "time": 1.0} for n in range(20)]
        run_records.log_metrics(workspace, run_id, events)
    after = statistics.median(seconds(lambda: few.start_logging().complete()) for _ in range(10))
    experiment = Experiment(Workspace.from_config(), "many")
    runs = experiment.get_runs()
    first = seconds(lambda: [next(runs) for _ in range(50)])
    every = seconds(lambda: list(experiment.get_runs()))
    run = next(experiment.get_runs())
    metrics = statistics.median(seconds(run.get_metrics) for _ in range(5))
    return [
        ("the first 50 of 1,000 runs", f"{first:.2f} s", "0.3 s", first <= 0.3),
        ("all 1,000 runs", f"{every:.2f} s", "2 s", every <= 2),
        ("20 metrics of one run", f"{metrics:.3f} s", "0.1 s", metrics <= 0.1),
        ("a new run among 1,000, against among few", f"{after / before:.2f}", "1.5", after / before <= 1.5),
    ]


def bench_notebooks() -> list[tuple]:
    """The six notebooks against the training script by hand, 20 epochs each; turn and turn about, twice."""
    output = Path(tempfile.mkdtemp())
    script = ["scripts/training/keras_mnist.py", "--data-folder", "data/mnist", "--output-folder", str(output / "hand")]
    ratios = []
    for turn in range(2):
        by_hand = seconds(lambda: python(*script))
        runner = ["scripts/run_notebooks.py", "01-06", "--output", str(output / f"run{turn}")]
        world = {"AZUREML_OFFLINE_FOLDER": str(output / f"offline{turn}")}
        series = seconds(lambda runner=runner, world=world: python(*runner, **world))
        ratios.append(series / by_hand)
        print(f"  training by hand {by_hand:.1f} s, six notebooks {series:.1f} s", flush=True)
    shutil.rmtree(output)
    ratio = statistics.median(ratios)
    return [("notebooks 01 to 06, against the script by hand", f"{ratio:.2f}", "2.2", ratio <= 2.2)]


BENCHES: dict[str, Callable[[], list[tuple]]] = {
    "import": bench_import,
    "submit": bench_submit,
    "history": bench_history,
    "scoring": bench_scoring,
    "endpoints": bench_endpoints,
    "training": training.bench_speed,
    "settings": training.bench_settings,
    "repeat": training.bench_repeat,
    "nodes": scaling.bench_nodes,
    "sweep": bench_sweep,
    "v2": bench_v2,
    "notebooks": bench_notebooks,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to measure, by default all: {', '.join(BENCHES)}"
    )
    names = parser.parse_args().names or list(BENCHES)
    if unknown := set(names) - set(BENCHES):
        parser.error(f"there is no bench {', '.join(sorted(unknown))}: give some of {', '.join(BENCHES)}")
    world = tempfile.mkdtemp()
    os.environ["AZUREML_OFFLINE_FOLDER"] = str(Path(world) / "offline")
    import helpers

    helpers.use_backend("offline")
    print(machine.described(), flush=True)
    print(f"{'figure':48} {'measured':>12} {'bar':>8}", flush=True)
    for name in names:
        for figure, measured, bar, within in BENCHES[name]():
            print(f"{figure:48} {measured:>12} {bar:>8}  {'' if within else 'over the bar'}", flush=True)
    shutil.rmtree(world)


if __name__ == "__main__":
    main()
