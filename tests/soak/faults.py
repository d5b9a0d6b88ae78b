"""Faults at random moments: what was killed or locked, how often, and how often all was well afterwards.

All is well when every run that exists ends, with all that was logged if its script ended, and no process is left.
"""

import contextlib
import multiprocessing
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from small_jobs import FINAL, LOG, make_cluster, printed_pid, submit, submit_sweep, supervisor_of, wait_until

from helpers.offline.engine import jobs, removal
from helpers.offline.engine.history import job_states
from helpers.offline.engine.jobs import run_records
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace.errors import NotFound

TIMES = 10
VALUES = 40  # that the script logs, over about a second
SCRIPT = LOG + f"print('pid', os.getpid())\nfor step in range({VALUES}):\n    log('m', step)\n    time.sleep(0.025)"
LONGEST = 90  # seconds until a run has to have ended


def a_submitting_process(world: Path, source: Path, moment: float) -> None:
    process = multiprocessing.get_context("fork").Process(target=submit, args=(world, source, SCRIPT))
    process.start()
    time.sleep(0.3 * moment)
    process.kill()
    process.join()


def a_supervisor(world: Path, source: Path, moment: float) -> None:
    run_id = submit(world, source, SCRIPT)
    time.sleep(2 * moment)
    if process := supervisor_of(run_id):
        process.kill()


def a_script(world: Path, source: Path, moment: float) -> None:
    run_id = submit(world, source, SCRIPT)
    pid = printed_pid(world, run_id)
    time.sleep(moment)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).kill()


def a_sweeps_controller(world: Path, source: Path, moment: float) -> None:
    make_cluster(world)
    run_id = submit_sweep(world, source, SCRIPT, {"--x": ["choice", [[1, 2]]]})
    time.sleep(2 * moment)
    if process := supervisor_of(run_id, "sweeps.controller"):
        process.kill()


def the_history_locked(world: Path, source: Path, moment: float) -> None:
    _locked(world, source, moment, "mlflow.db")


def the_assets_locked(world: Path, source: Path, moment: float) -> None:
    _locked(world, source, moment, "assets.db")


def _locked(world: Path, source: Path, moment: float, store: str) -> None:
    run_id = submit(world, source, SCRIPT)
    printed_pid(world, run_id)
    with contextlib.closing(sqlite3.connect(world / store, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(1 + 4 * moment)


def a_reset(world: Path, source: Path, moment: float) -> None:
    """Of a workspace in which two jobs run."""
    for number in range(2):
        submit(world, source.with_name(f"{source.name}-{number}"), SCRIPT)
    time.sleep(moment)
    removal.reset(world)
    assert not world.exists(), "the workspace is still there"


FAULTS: dict[str, Callable[[Path, Path, float], None]] = {
    "`kill -9` of a process that submits a job": a_submitting_process,
    "`kill -9` of a job's supervisor": a_supervisor,
    "`kill -9` of a job's script": a_script,
    "`kill -9` of a sweep's controller": a_sweeps_controller,
    "the run history (`mlflow.db`) locked for 1 to 5 s": the_history_locked,
    "jobs and assets (`assets.db`) locked for 1 to 5 s": the_assets_locked,
    "a reset while two jobs run": a_reset,
}


def report(place: Path, chance: random.Random) -> tuple[list[str], bool]:
    lines = ["| fault, at a random moment | tried | survived |", "| --- | ---: | ---: |"]
    well = True
    for number, (name, fault) in enumerate(FAULTS.items()):
        survived = 0
        for turn in range(TIMES):
            try:
                _try(place / f"{number}-{turn}", fault, chance.random())
                survived += 1
            except Exception as error:  # the soak counts what went wrong, whatever it is
                print(f"{name}, turn {turn}: {error!r}")
        lines.append(f"| {name} | {TIMES} | {survived} |")
        well &= survived == TIMES
    return lines, well


def _try(place: Path, fault: Callable, moment: float) -> None:
    """Raises AssertionError where all is not well after the fault."""
    place.mkdir()
    world = folders.open_folder(place / "offline")
    fault(world, place / "source", moment)
    if world.exists():
        wait_until(lambda: not [job for job in job_states.unfinished(world) if _alive(world, job)], LONGEST)
        for record in _runs(world):
            state = jobs.look(world, record.id)
            assert state["status"] in FINAL, state
            if state["status"] == "Completed" and "m" in (metrics := run_records.get_metrics(world, record.id)):
                assert metrics["m"] == list(range(VALUES)), f"{len(metrics['m'])} of {VALUES} values"
        removal.reset(world)
    wait_until(lambda: not _processes_of(place), 30)


def _runs(world: Path) -> list[run_records.RunRecord]:
    try:
        return list(run_records.list_runs(world, "tests"))
    except NotFound:  # whoever would have made the experiment was killed before
        return []


def _alive(world: Path, job: dict) -> bool:
    return jobs.look(world, job["run_id"])["status"] not in FINAL


def _processes_of(place: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(place) in word for word in process.cmdline()):
                found.append(process)
    return found
