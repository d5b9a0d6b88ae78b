"""Run the notebooks in order with papermill, offline or on Azure, and tell how it went.

    python scripts/run_notebooks.py                       all notebooks
    python scripts/run_notebooks.py 01-04 06_download_validate
    python scripts/run_notebooks.py 4- --backend azure -p epochs=5 -p cluster_name=gpu-small
    python scripts/run_notebooks.py --resume              go on where the last run stopped
    python scripts/run_notebooks.py --help-parameters     what -p and -f accept

Parameters are checked, by name and type, against the cells tagged `parameters` before anything runs; a
parameter goes to those notebooks that have it. Each notebook runs in its own folder, as in JupyterLab, in a
kernel of the interpreter that runs this script. The first failure ends the run. What runs on Azure
cost at most is printed before anything is run.

The output folder receives the executed notebooks under their own names and manifest.json: for each notebook
the hashes of what it was made from, its parameters, versions, time, result and the values it recorded.

Exit codes: 0 all ran to their end; 1 a notebook failed; 2 the command line, a parameter or a notebook is
wrong and nothing was run; 130 interrupted.
"""

import argparse
import fcntl
import hashlib
import importlib.metadata
import json
import logging
import math
import os
import platform
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from notebook_parameters import (
    Parameter,
    UsageError,
    assign_values,
    describe_parameters,
    read_parameters,
    read_parameters_file,
)
from tqdm import tqdm
from traitlets import default

from helpers import costs

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
CODE_FOLDERS = ("helpers", "scripts")
PACKAGES = ("papermill", "keras", "tensorflow", "mlflow", "azureml-core")
RESULT_MIME_TYPE = "application/vnd.keras-azureml.result+json"
ERROR_MARKER_TAG = "papermill-error-cell-tag"
TRACEBACK_LINES = 15
ANSI_SEQUENCE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class ThisInterpreter(AsyncKernelManager):
    """Starts the python3 kernel of the running interpreter, whatever kernels the machine has installed."""

    @default("kernel_spec_manager")
    def _only_the_native_kernel(self):
        return KernelSpecManager(kernel_dirs=[])

    @default("transport_encryption")
    def _where_the_kernel_supports_it(self):
        return "auto"  # else other users of the machine could read along, and the kernel warns of it


def main(arguments: list[str] | None = None) -> int:
    options = parse_command_line(arguments)
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it logs, the report says better
    try:
        notebooks = select_notebooks(options.notebook, options.notebooks)
        parameters = {notebook: read_parameters(notebook) for notebook in notebooks}
        if options.help_parameters:
            print("\n".join(describe_parameters(parameters)))
            return 0
        values = assign_values(parameters, read_parameters_file(options.parameters_file), options.parameter)
        output = prepare_output(options.output or options.notebooks.parent / "output", notebooks)
        claim = claim_output(output)
        manifest = read_manifest(output)
        bounds = describe_costs(parameters, values)
    except (UsageError, costs.PricesError) as error:
        print(f"run_notebooks: {error}", file=sys.stderr)
        return 2

    code_hash = hash_folders(options.notebooks.parent, CODE_FOLDERS)
    inputs = {
        notebook: describe_inputs(notebook, code_hash, parameters[notebook], values[notebook]) for notebook in notebooks
    }
    complete = count_complete(notebooks, inputs, manifest, output) if options.resume else 0
    for notebook in notebooks[complete:]:
        if notebook in bounds:
            print(bounds[notebook], flush=True)
    try:
        with claim:
            run_all(notebooks, complete, inputs, manifest, output, options.execution_timeout)
    except KeyboardInterrupt:  # between two notebooks
        print("\nrun_notebooks: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"run_notebooks: cannot write the output: {error}. --output names another folder.", file=sys.stderr)
        return 1
    return report(notebooks, complete, manifest, output)


# The command line


def parse_command_line(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run_notebooks.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "notebook",
        nargs="*",
        help="a name (04_train), a number (4), a range (01-06, 3-) or a path; by default all, in order",
    )
    parser.add_argument(
        "-p",
        "--parameter",
        metavar="NAME=VALUE",
        type=split_assignment,
        action="append",
        default=[],
        help="set a parameter; the text is read as the type that the notebook declares: 007 is '007' for a str "
        "and 7 for an int, None is no value where the type allows it, lists and dicts are written as in YAML",
    )
    parser.add_argument(
        "-f", "--parameters-file", metavar="YAML", type=Path, help="a mapping of parameters; what -p sets wins"
    )
    parser.add_argument(
        "--backend",
        dest="parameter",
        metavar="offline|azure",
        type=backend_assignment,
        action="append",
        help="short for -p backend=…",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=Path,
        help="where executed notebooks and manifest.json go; by default output/ beside the notebooks' folder",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="skip the first notebooks, up to one that failed or whose text, code or parameters have changed",
    )
    parser.add_argument(
        "--execution-timeout",
        metavar="SECONDS",
        type=positive_seconds,
        help="the longest that one cell may take; by default there is no limit",
    )
    parser.add_argument("--notebooks", metavar="FOLDER", type=Path, default=NOTEBOOKS, help="the notebooks' folder")
    parser.add_argument(
        "--help-parameters", action="store_true", help="list the parameters of the chosen notebooks and end"
    )
    options = parser.parse_args(arguments)
    options.notebooks = options.notebooks.resolve()
    return options


def split_assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def backend_assignment(text: str) -> tuple[str, str]:
    if text not in ("offline", "azure"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither offline nor azure")
    return "backend", text


def positive_seconds(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of whole seconds")
    return int(text)


def select_notebooks(words: list[str], folder: Path) -> list[Path]:
    """The notebooks that `words` name, in the order given, each once; all of `folder` if there are no words.

    Raises UsageError for a word that names none, and for two notebooks of the same name (and so, output).
    """
    series = sorted(folder.glob("*.ipynb"))
    found = {word: match_notebooks(word, series) for word in words}
    for word, matches in found.items():
        if not matches:
            known = ", ".join(path.stem for path in series) or "none"
            raise UsageError(f"no notebook {word!r}. {folder} holds: {known}")
    notebooks = list(dict.fromkeys(path for matches in found.values() for path in matches)) if words else series
    if not notebooks:
        raise UsageError(f"there is no notebook in {folder}")
    names = [path.name for path in notebooks]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two notebooks are named {name}, and only one could be kept in the output folder")
    return notebooks


def match_notebooks(word: str, series: list[Path]) -> list[Path]:
    """The notebooks of the ordered `series` that a name, number or range means, or the one at a path."""
    if numbers := re.fullmatch(r"(\d+)(-(\d*))?", word):
        first = int(numbers[1])
        last = first if numbers[2] is None else int(numbers[3]) if numbers[3] else math.inf
        return [path for path in series if first <= notebook_number(path) <= last]
    if named := [path for path in series if word in (path.stem, path.name)]:
        return named
    path = Path(word).resolve()
    return [path] if path.suffix == ".ipynb" and path.is_file() else []


def notebook_number(path: Path) -> int:
    """4 for 04_train.ipynb; -1 for a name without a number, which no range includes."""
    digits = re.match(r"\d+", path.name)
    return int(digits[0]) if digits else -1


# What it can cost


def describe_costs(
    parameters: dict[Path, dict[str, Parameter]], values: dict[Path, dict[str, object]]
) -> dict[Path, str]:
    """What a notebook costs, for each that submits runs to Azure or deploys a service there: a line for each of these.

    The machine and its idle time are those that the chosen notebooks declare; others are only in the workspace.
    Raises PricesError where the file of own prices cannot be used.
    """
    effective = {
        notebook: {name: parameter.default for name, parameter in declared.items()} | values[notebook]
        for notebook, declared in parameters.items()
    }
    cluster = {name: value for given in effective.values() for name, value in given.items()}
    told = {}
    for notebook, given in effective.items():
        if given.get("backend") != "azure":
            continue
        lines = [describe_run(cluster, nodes, seconds) for nodes, seconds in limits(given)]
        if "cpu_cores" in given:
            day = costs.describe_service(given["cpu_cores"], given["memory_gb"], seconds=24 * 3600)
            lines.append(f"{day}, until it is deleted")
        if lines:
            told[notebook] = "\n".join(f"{notebook.stem}: {line}" for line in lines)
    return told


def limits(given: dict[str, object]) -> list[tuple[int, int]]:
    """Nodes and seconds at most of each run that a notebook submits, the trials of a sweep taken together."""
    found = []
    if "max_run_duration_seconds" in given:
        nodes = {1, given.get("node_count", 1)}  # above 1, the run of one node is followed by one of so many
        found += [(count, given["max_run_duration_seconds"]) for count in sorted(nodes)]
    if "max_duration_minutes" in given:
        found.append((given["max_concurrent_runs"], 60 * given["max_duration_minutes"]))
    return found


def describe_run(cluster: dict[str, object], nodes: int, seconds: int) -> str:
    if "vm_size" not in cluster:
        return "submits a run to a cluster that is there already; what it can cost is told before it does"
    return costs.describe(cluster["vm_size"], nodes, seconds, cluster.get("idle_seconds_before_scaledown", 0))


# What a notebook is made from, and the manifest


def describe_inputs(
    notebook: Path, code_hash: str, parameters: dict[str, Parameter], values: dict[str, object]
) -> dict[str, object]:
    """What decides a notebook's outcome: if none of this has changed, a run need not be repeated."""
    backend = values.get("backend", parameters["backend"].default if "backend" in parameters else None)
    folder = os.environ.get("AZUREML_OFFLINE_FOLDER") or "../.offline"
    return {
        "source": notebook.name,
        "source_sha256": hashlib.sha256(notebook.read_bytes()).hexdigest(),
        "code_sha256": code_hash,
        "parameters": values,
        "removes": any(name.startswith("delete_") for name in parameters),
        "offline_folder": str((notebook.parent / folder).resolve()) if backend == "offline" else None,
    }


def hash_folders(root: Path, names: tuple[str, ...]) -> str:
    """SHA-256 over names and bytes of all files in these folders of `root`, caches and hidden files left out."""
    total = hashlib.sha256()
    for name in names:
        for path in sorted((root / name).rglob("*")):
            inner = path.relative_to(root)
            if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in inner.parts):
                total.update(f"{inner.as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def prepare_output(folder: Path, notebooks: list[Path]) -> Path:
    """The output folder, made if need be. Raises UsageError if it cannot be, or holds the notebooks themselves."""
    folder = folder.resolve()
    if any(notebook.parent == folder for notebook in notebooks):
        raise UsageError(f"the output folder {folder} holds the notebooks that are to run: they would be overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the output folder cannot be made: {error}. --output names another.") from error
    return folder


def claim_output(folder: Path) -> IO:
    """An open file that keeps other runs out of the output folder. Raises UsageError where another run has it."""
    claim = (folder / ".lock").open("w")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        message = f"another run is writing to {folder}. Wait for its end, or name another folder by --output."
        raise UsageError(message) from None
    return claim


def read_manifest(output: Path) -> dict[str, dict]:
    """The entries of manifest.json by notebook name; empty if there is none. Raises UsageError if it is damaged."""
    path = output / "manifest.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["notebooks"]
        if all(isinstance(entry, dict) for entry in entries.values()):
            return entries
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UsageError(f"{path} is not a manifest of this program. Delete it, or name another folder by --output.")


def write_manifest(output: Path, manifest: dict[str, dict]) -> None:
    part = output / "manifest.json.part"
    part.write_text(json.dumps({"notebooks": manifest}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(output / "manifest.json")


def count_complete(notebooks: list[Path], inputs: dict[Path, dict], manifest: dict[str, dict], output: Path) -> int:
    """How many notebooks, from the first, ran to their end one after the other from what they would be run from.

    If one has to be run, and what the others made was removed since, all have to.
    """
    last_start = ""
    removals = [entry["started"] for entry in manifest.values() if entry.get("removes")]
    for count, notebook in enumerate(notebooks):
        entry = manifest.get(notebook.stem, {})
        folder = inputs[notebook]["offline_folder"]
        complete = (
            entry.get("result") == "ok"
            and inputs[notebook].items() <= entry.items()
            and entry["started"] >= last_start  # one before it was run again later: this one saw the old state
            and (output / notebook.name).is_file()
            and (folder is None or Path(folder).is_dir())
        )
        if not complete:
            made = [manifest[earlier.stem]["started"] for earlier in notebooks[:count]]
            return 0 if any(removal > start for removal in removals for start in made) else count
        last_start = entry["started"]
    return len(notebooks)


# Running


def run_all(
    notebooks: list[Path],
    complete: int,
    inputs: dict[Path, dict],
    manifest: dict[str, dict],
    output: Path,
    timeout: int | None,
) -> None:
    """Run all but the first `complete` notebooks up to the first that fails, and write each one's manifest entry."""
    for notebook in notebooks[complete:]:
        manifest.pop(notebook.stem, None)
        (output / notebook.name).unlink(missing_ok=True)  # after a failure, none of an older run shall stand in
    write_manifest(output, manifest)

    terminal = sys.stderr.isatty()
    total = len(notebooks)
    with tqdm(total=total, initial=complete, desc="notebooks", unit="notebook", disable=not terminal) as bar:
        for number, notebook in enumerate(notebooks[complete:], start=complete + 1):
            name = notebook.stem
            bar.set_postfix_str(name)
            cell_bar = {"desc": name, "position": 1, "leave": False} if terminal else False
            if not terminal:
                print(f"[{number}/{total}] {name} …", file=sys.stderr, flush=True)
            values = inputs[notebook]["parameters"]
            outcome = run_notebook(notebook, output / notebook.name, values, timeout, cell_bar)
            manifest[name] = inputs[notebook] | outcome
            write_manifest(output, manifest)
            if not terminal:
                spent = f"{outcome['result']} after {outcome['seconds']:.1f} s"
                print(f"[{number}/{total}] {name}: {spent}", file=sys.stderr, flush=True)
            if outcome["result"] != "ok":
                return
            bar.update()


def run_notebook(
    notebook: Path, executed: Path, values: dict[str, object], timeout: int | None, cell_bar: dict | bool
) -> dict[str, object]:
    """Run one notebook and return the outcome part of its manifest entry; whatever stops it is in there."""
    started, clock = datetime.now(UTC), time.monotonic()
    stopped_by = execute(notebook, executed, values, timeout, cell_bar)
    outcome = read_outcome(executed, stopped_by)
    return {
        "started": started.isoformat(timespec="milliseconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "versions": versions(),
    } | outcome


def execute(
    notebook: Path, executed: Path, values: dict[str, object], timeout: int | None, cell_bar: dict | bool
) -> BaseException | None:
    """Let papermill run the notebook; return what stopped it, other than an exception in one of its cells."""
    import papermill  # takes two seconds, for which nobody should wait to read the help or an error

    try:
        papermill.execute_notebook(
            literal_path(notebook),
            literal_path(executed),
            parameters=values,
            kernel_name="python3",
            kernel_manager_class=ThisInterpreter,
            language="python",
            cwd=notebook.parent,
            execution_timeout=timeout,
            progress_bar=cell_bar,
        )
    except papermill.exceptions.PapermillExecutionError:
        return None  # the executed notebook tells
    except (KeyboardInterrupt, Exception) as error:  # dead kernel, timeout, full disk …: the rest must be told
        return error
    return None


def literal_path(path: Path) -> str:
    """The path with its braces doubled, since papermill takes paths for format strings."""
    return str(path).replace("{", "{{").replace("}", "}}")


def versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


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


# The report


def report(notebooks: list[Path], complete: int, manifest: dict[str, dict], output: Path) -> int:
    """Print the failure, if there is one, the table and the recorded results; return the exit code."""
    entries = {notebook.stem: manifest.get(notebook.stem) for notebook in notebooks}
    stopped = {name: entry for name, entry in entries.items() if entry and entry["result"] != "ok"}
    for name, entry in stopped.items():
        print("\n".join(describe_stop(name, entry, output)), file=sys.stderr, flush=True)

    width = max(len(name) for name in [*entries, "notebook"])
    print(f"\n{'notebook':{width}}    cells  seconds  result")
    for number, (name, entry) in enumerate(entries.items()):
        if entry is None:
            print(f"{name:{width}}  {'–':>7}  {'–':>7}  not run")
            continue
        cells = "/".join(map(str, entry["cells"]))
        earlier = " (earlier run)" if number < complete else ""
        print(f"{name:{width}}  {cells:>7}  {entry['seconds']:7.1f}  {entry['result']}{earlier}")

    for name, entry in entries.items():
        if entry and entry["results"]:
            print(f"\n{name}")
            for result, value in entry["results"].items():
                text = json.dumps(value, ensure_ascii=False)
                print(f"  {result} = {text if len(text) <= 80 else text[:79] + '…'}")
    print(f"\nExecuted notebooks: {output}", flush=True)
    if not stopped:
        return 0
    return 130 if any(entry["result"] == "interrupted" for entry in stopped.values()) else 1


def describe_stop(name: str, entry: dict, output: Path) -> list[str]:
    error = entry["error"]
    place = f"in code cell {error['cell']}: {error['line']}" if "cell" in error else "before its first cell"
    lines = [f"\n{name}: {entry['result']} {place}"]
    if "traceback" in error:
        traceback = error["traceback"] if sys.stderr.isatty() else ANSI_SEQUENCE.sub("", error["traceback"])
        lines += [f"  {line}" for line in traceback.splitlines()[-TRACEBACK_LINES:]]
    elif error["message"] != entry["result"]:
        lines.append(f"  {error['message']}")
    if (output / f"{name}.ipynb").is_file():
        lines.append(f"As far as it came: {output / name}.ipynb")
    return lines


if __name__ == "__main__":
    sys.exit(main())
