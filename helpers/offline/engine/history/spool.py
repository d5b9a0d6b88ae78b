"""Carries what a job wrote to its spool into the run history.

A job appends one JSON event a line to `events.jsonl`, between two line breaks. The job's supervisor carries what is
new a few times a second, and whoever reads the run does so first.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.offline.engine.history import artifacts, job_states, logs, metrics, runs, tags
from helpers.offline.engine.history.statuses import FINAL
from helpers.offline.engine.workspace import outages
from helpers.offline.engine.workspace.errors import FolderError
from helpers.offline.engine.workspace.names import safe_join

EVENTS = "events.jsonl"


def spool_folder(folder: Path, run_id: str) -> Path:
    return job_states.run_folder(folder, run_id) / "spool"


@outages.patiently
def append(folder: Path, run_id: str, event: dict) -> None:
    """Add an event of the supervisor's own, as the job adds its events."""
    line = f"\n{json.dumps(event)}\n".encode()
    with outages.translated(folder):
        descriptor = os.open(spool_folder(folder, run_id) / EVENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)


def is_pending(folder: Path, run_id: str) -> bool:
    """Whether the spool has what is not in the history yet."""
    try:
        size = (spool_folder(folder, run_id) / EVENTS).stat().st_size
    except FileNotFoundError:
        return False
    return size > job_states.get(folder, run_id)["carried"]


def carry_for_reader(folder: Path, run_id: str) -> None:
    """Bring the history of a job that has not come to its end up to date, for somebody who is about to read it."""
    job = job_states.get(folder, run_id)
    if job and job["status"] not in FINAL:
        carry_new(folder, run_id)


def carry_new(folder: Path, run_id: str) -> None:
    """carry(), within lock(), where there is something to carry."""
    if is_pending(folder, run_id):
        with lock(folder, run_id):
            carry(folder, run_id)


@contextmanager
def lock(folder: Path, run_id: str) -> Iterator[None]:
    """One process at a time carries a run's events and writes its end; the others wait."""
    with (job_states.run_folder(folder, run_id) / "history.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def carry(folder: Path, run_id: str) -> None:
    """Carry the whole lines that are new, within lock(). What can never be kept is told in the run's log.

    Being killed in the middle does no harm: what is carried again is the same again. Raises FolderError where the store
    has a fault; then all of it is still in the spool.
    """
    job = job_states.get(folder, run_id)
    position, counts = job["carried"], job["counts"]
    spool = spool_folder(folder, run_id)
    try:
        with (spool / EVENTS).open("rb") as events_file:
            events_file.seek(position)
            new = events_file.read()
    except FileNotFoundError:
        return
    new = new[: new.rfind(b"\n") + 1]  # a line that a killed script did not end is left
    if not new:
        return
    logged = []
    for line in filter(None, new.split(b"\n")):
        try:
            event = json.loads(line)
            if event["kind"] in ("metric", "table"):
                logged.append(event)
            else:
                _apply(folder, run_id, event, spool)
        except FolderError:
            raise
        except Exception as error:
            _tell(folder, run_id, line.decode(errors="replace"), error)
    tables = _log(folder, run_id, logged, counts)
    job_states.set_carried(folder, run_id, position + len(new), counts, tables)


def _log(folder: Path, run_id: str, events: list[dict], counts: dict[str, int]) -> list[tuple]:
    """Log the events, which changes `counts`; the tables among them (see metrics.log_scalars)."""
    if not events:
        return []
    new_counts = dict(counts)
    try:
        tables = metrics.log_scalars(folder, run_id, events, new_counts)
        counts.update(new_counts)
        return tables
    except FolderError:
        raise
    except Exception as error:
        if len(events) == 1:
            _tell(folder, run_id, json.dumps(events[0]), error)
            return []
    return [row for event in events for row in _log(folder, run_id, [event], counts)]  # one of them is at fault


def _apply(folder: Path, run_id: str, event: dict, spool: Path) -> None:
    match event["kind"]:
        case "status":
            runs.set_status(folder, run_id, event["value"])
        case "tag":
            runs.set_tags(folder, run_id, {event["name"]: event["value"]})
        case "property":
            runs.set_tags(folder, run_id, {event["name"]: event["value"]}, tags.PROPERTY)
        case "remove_tag":
            runs.remove_tag(folder, run_id, event["name"])
        case "display_name":
            runs.set_display_name(folder, run_id, event["value"])
        case "description":
            runs.set_description(folder, run_id, event["value"])
        case "file":
            source = safe_join(spool, event["path"])
            if source.exists() or not safe_join(artifacts.root_of(folder, run_id), event["name"]).is_file():
                with outages.translated(folder):
                    artifacts.take(folder, run_id, event["name"], source)
        case kind:
            raise ValueError(f"unknown kind {kind!r}")


def _tell(folder: Path, run_id: str, event: str, error: Exception) -> None:
    logs.append_log(folder, run_id, f"Not recorded: {event[:200]} ({error})")
