"""Carries what a job wrote to its spool into the run history.

A job appends one JSON event a line to `events.jsonl`; the file `carried` tells it how many bytes are in the store.
"""

import json
from collections.abc import Callable
from pathlib import Path

from helpers.offline.engine import artifacts, mlflow_store
from helpers.offline.engine.names import safe_join


def spool_folder(folder: Path, run_id: str) -> Path:
    return folder / "runs" / run_id / "spool"


def carry(folder: Path, run_id: str, counts: dict[str, int], complain: Callable[[str], None]) -> None:
    """Carry the whole lines that are new since the last call. What cannot be kept is told, and the rest goes on.

    `counts` is mlflow_store.log_metrics's; the caller keeps it between calls.
    """
    spool = spool_folder(folder, run_id)
    position = _carried(spool)
    try:
        with (spool / "events.jsonl").open("rb") as events_file:
            events_file.seek(position)
            new = events_file.read()
    except FileNotFoundError:
        return
    new = new[: new.rfind(b"\n") + 1]  # a line that a killed script did not end is left
    if not new:
        return
    metrics = []
    for line in new.splitlines():
        try:
            event = json.loads(line)
            if event["kind"] in ("metric", "table"):
                metrics.append(event)
            else:
                _apply(folder, run_id, event, spool)
        except Exception as error:
            complain(f"Not recorded: {line.decode(errors='replace')[:200]} ({error})")
    _log(folder, run_id, metrics, counts, complain)
    part = spool / "carried.part"
    part.write_text(str(position + len(new)))
    part.replace(spool / "carried")


def _log(folder: Path, run_id: str, events: list[dict], counts: dict, complain: Callable[[str], None]) -> None:
    if not events:
        return
    try:
        mlflow_store.log_metrics(folder, run_id, events, counts)
    except Exception as error:
        if len(events) == 1:
            complain(f"Not recorded: {json.dumps(events[0])[:200]} ({error})")
            return
        for event in events:  # one of them is at fault: find it, keep the others
            _log(folder, run_id, [event], counts, complain)


def _apply(folder: Path, run_id: str, event: dict, spool: Path) -> None:
    match event["kind"]:
        case "tag":
            mlflow_store.set_tags(folder, run_id, {event["name"]: event["value"]})
        case "property":
            mlflow_store.set_tags(folder, run_id, {event["name"]: event["value"]}, mlflow_store.PROPERTY)
        case "remove_tag":
            mlflow_store.remove_tag(folder, run_id, event["name"])
        case "display_name":
            mlflow_store.set_display_name(folder, run_id, event["value"])
        case "description":
            mlflow_store.set_description(folder, run_id, event["value"])
        case "file":
            source = safe_join(spool, event["path"])
            artifacts.upload(folder, run_id, event["name"], source, overwrite=True)
            source.unlink()
        case kind:
            raise ValueError(f"unknown kind {kind!r}")


def _carried(spool: Path) -> int:
    try:
        return int((spool / "carried").read_text())
    except FileNotFoundError:
        return 0
