"""What became of a notebook, read from what papermill left of it."""

import json
import re
from contextlib import suppress
from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from batch.needs import sdk_of
from helpers.results import RESULT_MIME_TYPE, RUN_MIME_TYPE

ERROR_MARKER_TAG = "papermill-error-cell-tag"
ANSI_SEQUENCE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# What either SDK prints as it begins to stream a run, and again at its end.
STREAMED = re.compile(r"^RunId: (\S+)$", re.MULTILINE)


def read_outcome(executed: Path, stopped_by: BaseException | None) -> dict[str, object]:
    """Result, cells run and in all, recorded results and, where there is one, error; from the executed notebook.

    Puts right what papermill leaves in the notebook: it calls every cell completed when the kernel has died or
    the run was interrupted, and calls a notebook failed for a cell tagged `raises-exception`.
    """
    stopped = "interrupted" if isinstance(stopped_by, KeyboardInterrupt) else "failed"
    notebook = read_executed(executed)
    if notebook is None:
        return outcome(stopped, [], message=describe_exception(stopped_by))
    if stopped_by is not None:
        mark_stopped_cell(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    complete = stopped_by is None and all(cell.metadata.papermill.status == "completed" for cell in cells)
    if complete:
        notebook.cells = [c for c in notebook.cells if ERROR_MARKER_TAG not in c.metadata.get("tags", [])]
    nbformat.write(notebook, executed)

    if complete:
        return outcome("ok", cells)
    for number, cell in enumerate(cells, start=1):
        if cell.metadata.papermill.status == "failed":
            return outcome(stopped, cells, **describe_failure(number, cell, stopped_by))
    return outcome(stopped, cells, message=describe_exception(stopped_by))


def read_executed(executed: Path) -> nbformat.NotebookNode | None:
    """The executed notebook; None where papermill was stopped before it was first written, or in the middle of that."""
    try:
        return nbformat.read(executed, as_version=4)
    except (FileNotFoundError, nbformat.reader.NotJSONError, UnicodeDecodeError):
        return None


def outcome(result: str, cells: list[nbformat.NotebookNode], **error: object) -> dict[str, object]:
    """The part of a manifest entry that the executed notebook's code cells decide."""
    return {
        "result": result,
        "cells_run": sum(cell.metadata.papermill.status == "completed" for cell in cells),
        "cells": len(cells),
        "results": {payload["name"]: payload["value"] for payload in payloads(cells, RESULT_MIME_TYPE)},
    } | ({"error": error, "unfinished_runs": unfinished_runs(cells)} if error else {})


def mark_stopped_cell(notebook: nbformat.NotebookNode) -> None:
    """Call the last code cell that was started failed, and pending what was never started."""
    started = None
    for cell in notebook.cells:
        if cell.metadata.papermill.start_time is None:
            cell.metadata.papermill.status = "pending"
        elif cell.cell_type == "code":
            started = cell
    if started is not None:
        started.metadata.papermill.update(status="failed", exception=True)


def payloads(cells: list[nbformat.NotebookNode], mime_type: str) -> list[dict]:
    """What helpers.record or helpers.watch left for this program in the cells' outputs."""
    outputs = [output.get("data", {}) for cell in cells for output in cell.outputs]
    return [data[mime_type] for data in outputs if mime_type in data]


def unfinished_runs(cells: list[nbformat.NotebookNode]) -> list[dict]:
    """The runs that the cells have last seen going on: by helpers.watch, or while they streamed them."""
    watched = payloads(cells, RUN_MIME_TYPE)
    printed = ["".join(output.get("text", "") for output in cell.outputs) for cell in cells]
    told = STREAMED.findall(ANSI_SEQUENCE.sub("", "\n".join(printed)))
    streamed = [run_id for run_id in dict.fromkeys(told) if told.count(run_id) == 1]
    known = {run["run_id"] for run in watched}
    return watched + [{"run_id": run_id, "sdk": sdk_of(cells)} for run_id in streamed if run_id not in known]


def describe_failure(number: int, cell: nbformat.NotebookNode, stopped_by: BaseException | None) -> dict:
    """Where the cell stopped and why.

    cell: its number among the code cells; line and source: the line that raised, as far as that is known.
    """
    place = {"cell": number, "line": None, "source": cell.source.strip()}
    if stopped_by is not None:
        return place | {"message": describe_exception(stopped_by)}
    error = next((output for output in reversed(cell.outputs) if output.output_type == "error"), None)
    if error is None:
        return place | {"message": "the cell failed without a traceback"}
    traceback, text = (ANSI_SEQUENCE.sub("", part) for part in ("\n".join(error.traceback), error.evalue))
    if line := raising_line(traceback, cell):
        place |= {"line": line, "source": cell.source.splitlines()[line - 1].strip()}
    if job := job_error(text):
        return place | {"message": f"{error.ename}: {job}"}
    short = sdk_message(text) or text
    message = f"{error.ename}: {short}" if short else error.ename
    if error.ename == "SystemExit":
        return place | {"message": f"{message}. The cell left the notebook early; the cells after it were not run."}
    return place | {"message": message, "traceback": traceback.replace(text, short)}


def raising_line(traceback: str, cell: nbformat.NotebookNode) -> int | None:
    """The line of the cell in which the exception arose, or from which a function elsewhere raised it."""
    frames = re.findall(rf"Cell In\[{cell.execution_count}\], line (\d+)", traceback)
    lines = cell.source.splitlines()
    blank = next((number for number, line in enumerate(lines) if line.strip()), 0)  # IPython does not count these
    found = [line for frame in frames if 0 < (line := int(frame) + blank) <= len(lines)]
    if not found:
        return None
    line = found[-1]  # of chained exceptions, the last is the one that was raised
    if lines[line - 1].lstrip().startswith("with "):  # by a context manager, because of a line below it
        return next((below for below in reversed(found) if below > line), line)
    return line


def sdk_message(text: str) -> str | None:
    """What an exception of the Azure ML SDK says, of a text that has it twice, the second time as JSON; else None."""
    found = re.match(r"\w+:\n\tMessage: (.*)\n\tInnerException", text, re.DOTALL)
    return found and found[1]


def job_error(text: str) -> str | None:
    """What went wrong in a job, where the text is of an SDK's exception that a job failed; else None."""
    found = re.match(r"(?:Activity Failed:|Exception :)\s*(\{.*\})", sdk_message(text) or text, re.DOTALL)
    with suppress(ValueError, KeyError, TypeError):
        return json.loads(found[1])["error"]["message"]
    return None


def describe_exception(error: BaseException | None) -> str:
    match error:
        case KeyboardInterrupt():
            return "interrupted"
        case DeadKernelError():
            why = "the kernel died. If nobody ended it, it may have run out of memory: see the system's log."
            return "\n".join([why, *getattr(error, "__notes__", [])])
        case CellTimeoutError():
            return "the cell took longer than --execution-timeout allows"
        case _:
            return f"{type(error).__name__}: {error}"
