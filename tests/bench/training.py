"""How fast the training script trains, and where its time goes.

Three ways, turn and turn about, each turn with a seed of its own: our script; the plain way of writing it; and the
bare matrix products of one epoch, below which there is nothing to save. A figure is a median over the turns, and a
ratio the median of the turns' ratios, since what else the machine does changes from turn to turn.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tests" / "bench"
DATA = ROOT / "data" / "mnist"
SCRIPT = ROOT / "scripts" / "training" / "keras_mnist.py"
EPOCHS, TURNS = 20, 3


class Training(NamedTuple):
    """A training as seen from outside: seconds of an epoch (the median after the first) and of all, and accuracy."""

    epoch: float
    whole: float
    accuracy: float


def lines_of(*command: object, **variables: str) -> list[tuple[float, str]]:
    """Run a Python program; each line that it prints, and the seconds since its start. Its failure is ours."""
    began, lines = time.perf_counter(), []
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=os.environ | {"KERAS_BACKEND": "tensorflow"} | variables,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        lines = [(time.perf_counter() - began, line.rstrip()) for line in process.stdout]
        if process.wait():
            errors.seek(0)
            sys.exit(f"{command} failed:\n{errors.read()}")
    return [*lines, (time.perf_counter() - began, "")]


def train(*command: object, **variables: str) -> Training:
    lines = lines_of(*command, **variables)
    ends = [when for when, line in lines if line.startswith("Epoch")]
    epochs = [end - start for start, end in itertools.pairwise(ends)]
    accuracy = next(float(line.rpartition(" ")[2]) for _, line in lines if line.startswith("Final test loss"))
    return Training(statistics.median(epochs), lines[-1][0], accuracy)


def bench_speed() -> list[tuple]:
    """Our script against the plain way and the floor. A row for each figure: name, measured, bar, whether within."""
    show_phases()
    ours, jax, plain, floor = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, TURNS + 1):
            arguments = ["--data-folder", DATA, "--validation-split", 0, "--epochs", EPOCHS, "--seed", seed]
            ours.append(train(SCRIPT, *arguments, "--output-folder", Path(folder, "ours")))
            plain.append(train(BENCH / "plain.py", DATA, Path(folder, "plain"), EPOCHS, seed))
            floor.append(statistics.median(float(line) for _, line in lines_of(BENCH / "floor.py", 5)[:-1]))
            jax.append(train(SCRIPT, *arguments, "--output-folder", Path(folder, "jax"), KERAS_BACKEND="jax"))
            tell(f"turn {seed}", ours[-1:], jax[-1:], plain[-1:], floor[-1:])
    tell("medians", ours, jax, plain, floor)
    epoch = statistics.median(a.epoch / b.epoch for a, b in zip(ours, plain, strict=True))
    whole = statistics.median(a.whole / b.whole for a, b in zip(ours, plain, strict=True))
    above = statistics.median(a.epoch / b for a, b in zip(ours, floor, strict=True))
    on_jax = statistics.median(a.epoch / b.epoch for a, b in zip(jax, plain, strict=True))
    lost = 100 * (statistics.mean(run.accuracy for run in plain) - statistics.mean(run.accuracy for run in ours))
    return [
        ("an epoch, against the plain way", f"{epoch:.2f}", "0.45", epoch <= 0.45),
        ("the whole script, against the plain way", f"{whole:.2f}", "0.6", whole <= 0.6),
        ("an epoch, against its matrix products", f"{above:.2f}", "2.5", above <= 2.5),
        ("points of test accuracy lost to the plain way", f"{lost:+.2f}", "0.2", lost <= 0.2),
        ("an epoch on JAX, against the plain way", f"{on_jax:.2f}", "", True),
    ]


def tell(what: str, ours: list[Training], jax: list[Training], plain: list[Training], floor: list[float]) -> None:
    """Print the medians of some turns."""
    epoch, whole = (
        [statistics.median(getattr(run, part) for run in way) for way in (ours, jax, plain)]
        for part in ("epoch", "whole")
    )
    print(
        f"  {what}: an epoch takes {epoch[0]:.2f} s, on JAX {epoch[1]:.2f} s, the plain way {epoch[2]:.2f} s, "
        f"its matrix products {statistics.median(floor):.2f} s; the whole takes {whole[0]:.1f} s, on JAX "
        f"{whole[1]:.1f} s, the plain way {whole[2]:.1f} s",
        flush=True,
    )


SETTINGS: dict[str, tuple[tuple, dict[str, str]]] = {  # arguments of setting.py, environment variables
    "nothing set": (("arrays", 1, "auto"), {}),
    "jit_compile=True": (("arrays", 1, "true"), {}),
    "steps_per_execution=100": (("arrays", 100, "auto"), {}),
    "both": (("arrays", 100, "true"), {}),
    "both, images of our own order": (("batches", 100, "true"), {}),
    "a loop over an epoch's batches compiled": (("loop", 1, "true"), {}),
    "the same, tf.data tuning itself": (("tuned", 1, "true"), {}),
    "the same, on one thread": (
        ("loop", 1, "true"),
        {"TF_NUM_INTRAOP_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"},
    ),
    "JAX, nothing set": (("arrays", 1, "auto"), {"KERAS_BACKEND": "jax"}),
    "JAX, steps_per_execution=100": (("arrays", 100, "auto"), {"KERAS_BACKEND": "jax"}),
    "JAX, images of our own order": (("batches", 100, "auto"), {"KERAS_BACKEND": "jax"}),
}


def bench_settings() -> list[tuple]:
    """Print what each of Keras's settings brings: the seconds of an epoch after the first, without validation."""
    found = {name: [] for name in SETTINGS}
    for _ in range(TURNS):
        for name, (arguments, variables) in SETTINGS.items():
            lines = lines_of(BENCH / "setting.py", DATA, 4, *arguments, **variables)
            ends = [when for when, line in lines if line == "Epoch"]
            found[name] += [end - start for start, end in itertools.pairwise(ends)]
    for name, epochs in found.items():
        print(
            f"  {name:40} {statistics.median(epochs):5.2f} s, from {min(epochs):5.2f} to {max(epochs):5.2f} s",
            flush=True,
        )
    return []


def phases(*arguments: object) -> dict:
    """What phases.py tells of the training script, and the seconds of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "phases.json")
        outputs = Path(folder, "outputs")
        lines = lines_of(BENCH / "phases.py", output, "--data-folder", DATA, "--output-folder", outputs, *arguments)
        return {**json.loads(output.read_text()), "whole": lines[-1][0]}


def show_phases() -> None:
    """Print where the time of the training script goes."""
    found = phases("--epochs", EPOCHS, "--validation-split", 0)
    seconds, whole, epochs = found["seconds"], found["whole"], found["epochs"]
    compiling = epochs[0] - statistics.median(epochs[1:])
    seconds["compiling, in the first epoch"] = compiling
    seconds["steps"] -= compiling
    seconds["starting and ending Python, and the rest"] = whole - sum(seconds.values())
    print(f"  where the {whole:.1f} s of {EPOCHS} epochs go:")
    for part, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"  {part:42} {spent:6.2f} s  {spent / whole:4.0%}", flush=True)


def bench_repeat() -> list[tuple]:
    """More data by --dataset-repeat, from 12,000 images: time is to grow in proportion, memory not at all.

    Turn and turn about, as bench_speed: the bars are for the medians of the turns' ratios.
    """
    found = {1: [], 4: [], 16: []}  # of each turn the seconds of an epoch's steps, and the peak of memory in bytes
    for _ in range(TURNS):
        for repeat, turns in found.items():
            measured = phases("--epochs", 6, "--validation-split", 0.8, "--dataset-repeat", repeat)
            turns.append((statistics.median(measured["epochs"][1:]), measured["peak_bytes"]))
    for repeat, turns in found.items():
        seconds, peak = (statistics.median(turn) for turn in zip(*turns, strict=True))
        print(f"  {repeat:2} times the data: an epoch takes {seconds:.2f} s, memory {peak / 1e6:.0f} MB", flush=True)
    time_ratio = statistics.median(more[0] / less[0] for more, less in zip(found[16], found[4], strict=True))
    memory_ratio = statistics.median(more[1] / less[1] for more, less in zip(found[16], found[1], strict=True))
    return [
        ("time of 16 times the data, against 4 times", f"{time_ratio:.2f}", "5", time_ratio <= 5),
        ("memory of 16 times the data, against once", f"{memory_ratio:.2f}", "1.1", memory_ratio <= 1.1),
    ]
