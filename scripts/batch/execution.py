"""Running the notebooks, one after the other, each by papermill in a kernel of this interpreter."""

import functools
import importlib.metadata
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from batch.kernels import ThisInterpreter
from batch.links import lead_on
from batch.manifest import write_manifest
from batch.outcome import read_outcome
from batch.preparation import Work
from helpers.imports import quick_import

START_TIMEOUT = 300  # seconds that a kernel may take to answer; on a busy machine papermill's 60 are not enough
CLOUDS = ("azure.storage.blob", "azure.identity", "pyarrow")  # where papermill could have notebooks from
KERNEL_LINES = 10  # of what a kernel that died has said
PACKAGES = ("papermill", "keras", "tensorflow", "tensorflow-cpu", "mlflow", "azureml-core")


def run_all(work: Work, timeout: int | None) -> None:
    """Run what is not complete, up to the first notebook that fails, and write each one's manifest entry."""
    to_run = work.notebooks[work.complete :]
    for notebook in to_run:
        work.manifest.pop(notebook.stem, None)
        (work.output / notebook.name).unlink(missing_ok=True)  # after a failure, none of an older run shall stand in
    write_manifest(work.output, work.manifest)

    terminal = sys.stderr.isatty()
    total = len(work.notebooks)
    with tqdm(total=total, initial=work.complete, desc="notebooks", unit="notebook", disable=not terminal) as bar:
        for number, notebook in enumerate(to_run, start=work.complete + 1):
            name = notebook.stem
            bar.set_postfix_str(name)
            cell_bar = {"desc": name, "position": 1, "leave": False} if terminal else False
            if not terminal:
                print(f"[{number}/{total}] {name} … ", end="", file=sys.stderr, flush=True)
            values = work.inputs[notebook]["parameters"]
            outcome = run_notebook(notebook, work.output / notebook.name, values, timeout, cell_bar)
            lead_on(work.output / notebook.name, notebook)
            work.manifest[name] = work.inputs[notebook] | outcome
            write_manifest(work.output, work.manifest)
            if not terminal:
                print(f"{outcome['result']} after {outcome['seconds']:.1f} s", file=sys.stderr, flush=True)
            if outcome["result"] != "ok":
                break
            bar.update()
    for notebook in work.notebooks:  # now to those that came after it, too
        lead_on(work.output / notebook.name, notebook)


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
    papermill = _papermill()
    with tempfile.TemporaryFile() as messages:
        try:
            papermill.execute_notebook(
                literal_path(notebook),
                literal_path(executed),
                parameters=values,
                kernel_name="python3",
                kernel_manager_class=type("Kernel", (ThisInterpreter,), {"messages": messages}),
                language="python",
                cwd=notebook.parent,
                start_timeout=START_TIMEOUT,
                execution_timeout=timeout,
                progress_bar=cell_bar,
            )
        except papermill.exceptions.PapermillExecutionError:
            return None  # the executed notebook tells
        except (KeyboardInterrupt, Exception) as error:  # dead kernel, timeout, full disk …: the rest must be told
            messages.seek(0)
            for line in messages.read().decode(errors="replace").splitlines()[-KERNEL_LINES:]:
                error.add_note(line)
            return error
    return None


@functools.cache
def _papermill():
    """papermill, whose import takes half a second, for which nobody should wait to read the help or an error."""
    with quick_import(without=CLOUDS):
        import papermill
    return papermill


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
