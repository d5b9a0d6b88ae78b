"""How fast the training script trains, and where its time goes: python tests/bench/training.py [--epochs N]

Three ways, turn and turn about, each turn with a seed of its own: our script; the plain way of writing it; and the
bare matrix products of one epoch, below which there is nothing to save. A figure is a median over the turns, and a
ratio the median of the turns' ratios, since what else the machine does changes from turn to turn.
"""

import argparse
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
MEGABYTE = 1 << 20


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


def bench_speed(epochs: int = 20, turns: int = 3) -> list[tuple]:
    """Our script against the plain way and the floor. A row for each figure: name, measured, bar, whether within."""
    ours, jax, plain, floor = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, turns + 1):
            arguments = ["--data-folder", DATA, "--validation-split", 0, "--epochs", epochs, "--seed", seed]
            ours.append(train(SCRIPT, *arguments, "--output-folder", Path(folder, "ours")))
            plain.append(train(BENCH / "plain.py", DATA, Path(folder, "plain"), epochs, seed))
            floor.append(statistics.median(float(line) for _, line in lines_of(BENCH / "floor.py", 5)[:-1]))
            jax.append(train(SCRIPT, *arguments, "--output-folder", Path(folder, "jax"), KERAS_BACKEND="jax"))
            print(
                f"  turn {seed}: an epoch takes {ours[-1].epoch:.2f} s, on JAX {jax[-1].epoch:.2f} s, the plain way "
                f"{plain[-1].epoch:.2f} s, its matrix products {floor[-1]:.2f} s; all of it {ours[-1].whole:.1f} s, "
                f"{jax[-1].whole:.1f} s, {plain[-1].whole:.1f} s",
                flush=True,
            )
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


def phases(*arguments: object) -> dict:
    """The training script's seconds by part, by epoch after the first and as a whole; the peak of its memory."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "phases.json")
        outputs = Path(folder, "outputs")
        lines = lines_of(BENCH / "phases.py", output, "--data-folder", DATA, "--output-folder", outputs, *arguments)
        found = json.loads(output.read_text())
    ends = [when for when, line in lines if line.startswith("Epoch")]
    return {**found, "whole": lines[-1][0], "epochs": [end - start for start, end in itertools.pairwise(ends)]}


def show_phases(epochs: int) -> None:
    """Print where the time of the training script goes."""
    found = phases("--epochs", epochs)
    seconds, whole = found["seconds"], found["whole"]
    fit = seconds.pop("fit")
    first = fit - sum(found["epochs"])
    seconds["compiling, in the first epoch"] = first - statistics.median(found["epochs"])
    within_fit = ("compiling, in the first epoch", "validation and test", "checkpoints", "logging")
    seconds["epochs"] = fit - sum(seconds[part] for part in within_fit)
    seconds["the rest"] = whole - sum(seconds.values())
    print(f"\n  Where the {whole:.1f} s of {epochs} epochs go:")
    for part, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"  {part:34} {spent:6.2f} s  {spent / whole:4.0%}")


def bench_repeat() -> list[tuple]:
    """More data by --dataset-repeat: time is to grow in proportion, memory not at all."""
    found = {}
    for repeat in (1, 4, 16):
        measured = phases("--epochs", 2, "--dataset-repeat", repeat)
        found[repeat] = measured["epochs"][0], measured["peak_bytes"]
        print(f"  {repeat:2} times the data: {found[repeat][0]:.1f} s an epoch, {found[repeat][1] / MEGABYTE:.0f} MB")
    time_ratio = found[16][0] / found[4][0]
    memory_ratio = found[16][1] / found[1][1]
    return [
        ("time of 16 times the data, against 4 times", f"{time_ratio:.2f}", "5", time_ratio <= 5),
        ("memory of 16 times the data, against once", f"{memory_ratio:.2f}", "1.1", memory_ratio <= 1.1),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20, help="of each training; the bars are for 20")
    parser.add_argument("--turns", type=int, default=3, help="how often each way is run")
    options = parser.parse_args()
    show_phases(options.epochs)
    for name, measured, bar, within in [*bench_speed(options.epochs, options.turns), *bench_repeat()]:
        print(f"{name:48} {measured:>12} {bar:>8}  {'' if within else 'over the bar'}", flush=True)


if __name__ == "__main__":
    main()
