"""How fast the training script trains, and where its time goes.

Against the plain way of writing it, and against the bare matrix products of an epoch, below which there is nothing to
save, without and with what RMSprop does to the weights. Epochs of all of them are timed turn and turn about, and a
figure is a median over the turns, a ratio the median of the turns' ratios, since what else the machine does changes
from turn to turn. So are whole trainings, each turn with a seed of its own.
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

from turns import in_turns, ratio

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tests" / "bench"
DATA = ROOT / "data" / "mnist"
SCRIPT = ROOT / "scripts" / "training" / "keras_mnist.py"
EPOCHS_OF = BENCH / "epochs.py"
EPOCHS, TURNS, ROUNDS = 20, 3, 15
TENSORFLOW, JAX = {"KERAS_BACKEND": "tensorflow"}, {"KERAS_BACKEND": "jax"}
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


class Training(NamedTuple):
    """A training as seen from outside: its seconds, and the accuracy on the test images."""

    whole: float
    accuracy: float


def lines_of(*command: object, **variables: str) -> list[tuple[float, str]]:
    """Run a Python program; each line that it prints, and the seconds since its start. Its failure is ours."""
    began, lines = time.perf_counter(), []
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=os.environ | TENSORFLOW | variables,
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
    accuracy = next(float(line.rpartition(" ")[2]) for _, line in lines if line.startswith("Final test loss"))
    return Training(lines[-1][0], accuracy)


def bench_speed() -> list[tuple]:
    """Our script against the plain way and the floor. A row for each figure: name, measured, bar, whether within."""
    show_phases()
    return [*bench_epochs(), *bench_whole()]


def bench_epochs() -> list[tuple]:
    """An epoch of each, again and again, turn and turn about; and on one thread, where no core waits for another."""
    with tempfile.TemporaryDirectory() as folder:
        ours = [SCRIPT, "--data-folder", DATA, "--validation-split", 0, "--epochs", 2 + ROUNDS, "--output-folder"]
        plain = [BENCH / "plain.py", DATA, Path(folder, "plain"), 2 + ROUNDS, 42]
        programs = {
            "the training script": ([EPOCHS_OF, *ours, Path(folder, "ours")], TENSORFLOW),
            "its matrix products": ([BENCH / "floor.py"], TENSORFLOW),
            "its products and updates": ([BENCH / "floor.py", "--update"], TENSORFLOW),
            "the plain way": ([EPOCHS_OF, *plain], TENSORFLOW),
            "the script on JAX": ([EPOCHS_OF, *ours, Path(folder, "jax")], JAX),
        }
        on_one_thread = {
            "the script on one thread": ([EPOCHS_OF, *ours, Path(folder, "one")], TENSORFLOW | ONE_THREAD),
            "its products on one thread": ([BENCH / "floor.py"], TENSORFLOW | ONE_THREAD),
            "both on one thread": ([BENCH / "floor.py", "--update"], TENSORFLOW | ONE_THREAD),
        }
        found = in_turns(programs, ROUNDS) | in_turns(on_one_thread, ROUNDS)
    for name, seconds in found.items():
        print(f"  an epoch of {name:28} {statistics.median(seconds):5.2f} s", flush=True)
    against_plain = ratio(found, "the training script", "the plain way")
    above = ratio(found, "the training script", "its matrix products")
    beyond_both = ratio(found, "the training script", "its products and updates")
    alone = ratio(found, "the script on one thread", "its products on one thread")
    alone_beyond_both = ratio(found, "the script on one thread", "both on one thread")
    on_jax = ratio(found, "the script on JAX", "the plain way")
    return [
        ("an epoch, against the plain way", f"{against_plain:.2f}", "0.45", against_plain <= 0.45),
        ("an epoch, against its matrix products", f"{above:.2f}", "2", above <= 2),
        ("the same, both on one thread", f"{alone:.2f}", "2", alone <= 2),
        ("an epoch, against products and RMSprop's updates", f"{beyond_both:.2f}", "2", beyond_both <= 2),
        ("the same, both on one thread", f"{alone_beyond_both:.2f}", "2", alone_beyond_both <= 2),
        ("an epoch on JAX, against the plain way", f"{on_jax:.2f}", "", True),
    ]


def bench_whole() -> list[tuple]:
    """Trainings from the first line to the last."""
    ours, jax, plain = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, TURNS + 1):
            arguments = ["--data-folder", DATA, "--validation-split", 0, "--epochs", EPOCHS, "--seed", seed]
            ours.append(train(SCRIPT, *arguments, "--output-folder", Path(folder, "ours")))
            plain.append(train(BENCH / "plain.py", DATA, Path(folder, "plain"), EPOCHS, seed))
            jax.append(train(SCRIPT, *arguments, "--output-folder", Path(folder, "jax"), **JAX))
    for name, runs in {"the training script": ours, "the script on JAX": jax, "the plain way": plain}.items():
        print(f"  {EPOCHS} epochs of {name:20} {statistics.median(run.whole for run in runs):5.1f} s", flush=True)
    whole = statistics.median(a.whole / b.whole for a, b in zip(ours, plain, strict=True))
    lost = 100 * (statistics.mean(run.accuracy for run in plain) - statistics.mean(run.accuracy for run in ours))
    return [
        ("the whole script, against the plain way", f"{whole:.2f}", "0.6", whole <= 0.6),
        ("points of test accuracy lost to the plain way", f"{lost:+.2f}", "0.2", lost <= 0.2),
    ]


SETTINGS: dict[str, tuple[tuple, dict[str, str]]] = {  # arguments of setting.py, environment variables
    "nothing set": (("arrays", 1, "auto"), {}),
    "jit_compile=True": (("arrays", 1, "true"), {}),
    "steps_per_execution=100": (("arrays", 100, "auto"), {}),
    "both": (("arrays", 100, "true"), {}),
    "both, images of our own order": (("batches", 100, "true"), {}),
    "a loop over an epoch's batches compiled": (("loop", 1, "true"), {}),
    "the same, tf.data tuning itself": (("tuned", 1, "true"), {}),
    "the same, on one thread": (("loop", 1, "true"), ONE_THREAD),
    "JAX, nothing set": (("arrays", 1, "auto"), JAX),
    "JAX, steps_per_execution=100": (("arrays", 100, "auto"), JAX),
    "JAX, images of our own order": (("batches", 100, "auto"), JAX),
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
