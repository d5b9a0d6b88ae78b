"""What became of a notebook, read from what papermill left of it."""

from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError

RESULT_MIME_TYPE = "application/vnd.keras-azureml.result+json"
ERROR_MARKER_TAG = "papermill-error-cell-tag"


def read_outcome(executed: Path, stopped_by: BaseException | None) -> dict[str, object]:
    """Result, cells run and in all, recorded results and, where there is one, error; from the executed notebook.

    Puts right what papermill leaves in the notebook: it calls every cell completed when the kernel has died or
    the run was interrupted, and calls a notebook failed for a cell tagged `raises-exception`.
    """
    try:
        notebook = nbformat.read(executed, as_version=4)
    except (FileNotFoundError, nbformat.reader.NotJSONError):  # stopped before, or while, it was first written
        return failure("failed", 0, 0, {}, message=describe_exception(stopped_by))
    if stopped_by is not None:
        mark_stopped_cell(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    run = [cell for cell in cells if cell.metadata.papermill.status == "completed"]
    complete = stopped_by is None and len(run) == len(cells)
    if complete:
        notebook.cells = [c for c in notebook.cells if ERROR_MARKER_TAG not in c.metadata.get("tags", [])]
    nbformat.write(notebook, executed)

    results = recorded_results(cells)
    if complete:
        return {"result": "ok", "cells": [len(run), len(cells)], "results": results}
    result = "interrupted" if isinstance(stopped_by, KeyboardInterrupt) else "failed"
    for number, cell in enumerate(cells, start=1):
        if cell.metadata.papermill.status == "failed":
            return failure(result, len(run), len(cells), results, **describe_failure(number, cell, stopped_by))
    return failure(result, len(run), len(cells), results, message=describe_exception(stopped_by))


def failure(result: str, run: int, cells: int, results: dict, **error: object) -> dict[str, object]:
    return {"result": result, "cells": [run, cells], "results": results, "error": error}


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


def recorded_results(cells: list[nbformat.NotebookNode]) -> dict[str, object]:
    """The values that the notebook reported with helpers.record, by name."""
    payloads = [
        output.data[RESULT_MIME_TYPE]
        for cell in cells
        for output in cell.outputs
        if RESULT_MIME_TYPE in output.get("data", {})
    ]
    return {payload["name"]: payload["value"] for payload in payloads}


def describe_failure(number: int, cell: nbformat.NotebookNode, stopped_by: BaseException | None) -> dict:
    """The cell's number among the code cells, its first line, and what happened in it."""
    place = {"cell": number, "line": next(iter(cell.source.strip().splitlines()), "")}
    if stopped_by is not None:
        return place | {"message": describe_exception(stopped_by)}
    error = next((output for output in reversed(cell.outputs) if output.output_type == "error"), None)
    if error is None:
        return place | {"message": "the cell failed without a traceback"}
    message = f"{error.ename}: {error.evalue}"
    if error.ename == "SystemExit":
        return place | {"message": f"{message}. The cell left the notebook early; the cells after it were not run."}
    return place | {"message": message, "traceback": "\n".join(error.traceback)}


def describe_exception(error: BaseException | None) -> str:
    match error:
        case KeyboardInterrupt():
            return "interrupted"
        case DeadKernelError():
            return "the kernel died. If nobody ended it, it may have run out of memory: the system's log tells."
        case CellTimeoutError():
            return "the cell took longer than --execution-timeout allows"
        case _:
            return f"{type(error).__name__}: {error}"
