"""Two hundred runs one after another in one process: what grows."""

import random
import statistics
import time
from pathlib import Path

import psutil
from small_jobs import LOG, submit, wait_for

from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder as folders

RUNS, PART = 200, 20
FIRST = 5  # runs before anything is measured: MLflow is imported, the store is made
SCRIPT = LOG + "for step in range(10):\n    log('m', step)"


def report(place: Path, chance: random.Random) -> tuple[list[str], bool]:
    world = folders.open_folder(place / "offline")
    for _ in range(FIRST):
        _run(world, place)
    before, times = _resources(), []
    for _ in range(RUNS):
        began = time.perf_counter()
        _run(world, place)
        times.append(time.perf_counter() - began)
    after = _resources()
    first, last = statistics.median(times[:PART]), statistics.median(times[-PART:])
    lines = [
        f"| {RUNS} runs one after another | before | after |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {before[name]} | {after[name]} |" for name in before),
        f"| seconds a run, median of {PART} | {first:.2f} | {last:.2f} |",
    ]
    grown = [name for name in ("open files", "threads", "child processes") if after[name] > before[name]]
    return lines, not grown and last <= 1.5 * first


def _run(world: Path, place: Path) -> None:
    run_id = submit(world, place / "source", SCRIPT)
    state = wait_for(world, run_id)
    assert state["status"] == "Completed", state
    assert run_records.get_metrics(world, run_id) == {"m": list(range(10))}


def _resources() -> dict[str, int]:
    process = psutil.Process()
    return {
        "open files": process.num_fds(),
        "threads": process.num_threads(),
        "child processes": len(process.children(recursive=True)),
        "memory, MB": process.memory_info().rss >> 20,
    }
