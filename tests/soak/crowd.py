"""Eight processes that submit forty jobs of a second each to a cluster of two nodes, all at once."""

import multiprocessing
import random
from pathlib import Path

from small_jobs import LOG, make_cluster, submit, wait_for

from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder as folders

PROCESSES, JOBS, NODES = 8, 40, 2
SCRIPT = LOG + "log('began', time.time())\ntime.sleep(1)\nlog('ended', time.time())"


def report(place: Path, chance: random.Random) -> tuple[list[str], bool]:
    world = folders.open_folder(place / "offline")
    make_cluster(world, max_nodes=NODES)
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        run_ids = pool.starmap(_submit, [(world, place / f"source-{number}") for number in range(JOBS)], chunksize=1)
    states = [wait_for(world, run_id)["status"] for run_id in run_ids]
    spans = [run_records.get_metrics(world, run_id) for run_id in run_ids]
    most = _most_at_once([(span["began"], span["ended"]) for span in spans])
    completed = states.count("Completed")
    lines = [
        f"{PROCESSES} processes submitted {JOBS} jobs of a second each to a cluster of {NODES} nodes: "
        f"{completed} completed, {len(set(run_ids))} run ids, at most {most} at once."
    ]
    return lines, completed == JOBS == len(set(run_ids)) and most == NODES


def _submit(world: Path, source: Path) -> str:
    return submit(world, source, SCRIPT, target="cpu")


def _most_at_once(spans: list[tuple[float, float]]) -> int:
    changes = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
