"""What is told at the end: what stopped the run and what goes on, the table, the recorded results, a summary."""

import json
import os
import shlex
import sys

from batch.manifest import VARIABLE, offline_folder
from batch.outcome import read_executed, unfinished_runs
from batch.preparation import Work
from helpers.words import counted

TRACEBACK_LINES = 15
WHERE_TO_LOOK = "The pictures are in the executed notebooks; `make lab` opens the series, `make studio` shows its runs."


def report(work: Work) -> None:
    """Print the failure, if there is one, the table, the recorded results and a summary."""
    entries = work.entries()
    for name, entry in entries.items():
        if not entry or entry["result"] == "ok":
            continue
        lines = ["", *describe_stop(work, name, entry), *describe_what_goes_on(work, name, entry["unfinished_runs"])]
        print("\n".join(lines), file=sys.stderr, flush=True)

    width = max(len(name) for name in [*entries, "notebook"])
    print(f"\n{'notebook':{width}}    cells  seconds  result")
    for number, (name, entry) in enumerate(entries.items()):
        if entry is None:
            print(f"{name:{width}}  {'–':>7}  {'–':>7}  not run")
            continue
        cells = f"{entry['cells_run']}/{entry['cells']}"
        earlier = " (earlier run)" if number < work.complete else ""
        print(f"{name:{width}}  {cells:>7}  {entry['seconds']:7.1f}  {entry['result']}{earlier}")

    for name, entry in entries.items():
        if entry and entry["results"]:
            print(f"\n{name}")
            for result, value in entry["results"].items():
                text = json.dumps(value, ensure_ascii=False)
                print(f"  {result} = {text if len(text) <= 80 else text[:79] + '…'}")
    told = summary(work, entries)
    if exit_code(work) == 0 and work.complete < len(entries):
        told += f" {WHERE_TO_LOOK}"
    print(f"\n{told}\nExecuted notebooks: {work.output}", flush=True)


def report_killed(work: Work) -> None:
    """Print what may go on of notebooks that are to run again: the manifest lacks one whose runner was killed in it."""
    for notebook in work.notebooks[work.complete :]:
        executed = None if notebook.stem in work.manifest else read_executed(work.output / notebook.name)
        left = unfinished_runs([cell for cell in executed.cells if cell.cell_type == "code"]) if executed else []
        if left:
            lines = describe_what_goes_on(work, notebook.stem, left)
            told = f"{notebook.stem}: the batch that ran it was killed. Unless it has ended since:"
            print("\n".join([told, *lines]), file=sys.stderr, flush=True)


def exit_code(work: Work) -> int:
    """0 where all notebooks ran to their end, 1 where one failed, and 130 where the batch was interrupted."""
    results = [entry["result"] if entry else "not run" for entry in work.entries().values()]
    if "failed" in results:
        return 1
    return 0 if set(results) == {"ok"} else 130


def describe_stop(work: Work, name: str, entry: dict) -> list[str]:
    error = entry["error"]
    lines = [f"{name}: {entry['result']} {place(error)}"]
    if "traceback" in error:
        lines += [f"  {line}" for line in error["traceback"].splitlines()[-TRACEBACK_LINES:]]
    elif error["message"] != entry["result"]:
        lines += [f"  {line}" for line in error["message"].splitlines()]
    if (work.output / f"{name}.ipynb").is_file():
        lines.append(f"The notebook as far as it got: {work.output / name}.ipynb")
    return lines


def place(error: dict) -> str:
    """Where in the notebook it stopped: the line that raised or, where that is not known, the cell."""
    if "cell" not in error:
        return "before its first cell"
    if error["line"] is not None:
        return f"in code cell {error['cell']}, line {error['line']}: {error['source']}"
    first, *more = error["source"].splitlines() or [""]
    return f"in code cell {error['cell']}{', which begins' if more else ''}: {first}"


def describe_what_goes_on(work: Work, name: str, runs: list[dict]) -> list[str]:
    """The unfinished runs that the notebook leaves, how to end them, and what else may go on costing money."""
    (notebook,) = [notebook for notebook in work.notebooks if notebook.stem == name]
    world = offline_folder(notebook) if os.environ.get(VARIABLE) and work.backend == "offline" else None
    variable = f"{VARIABLE}={shlex.quote(str(world))} " if world else ""
    lines = []
    for run in runs:
        end = {
            "v1": f"helpers.connect().get_run({run['run_id']!r}).cancel()",
            "v2": f"helpers.ml_client().jobs.begin_cancel({run['run_id']!r})",
        }[run.get("sdk", "v1")]
        code = f"import helpers; helpers.use_backend({work.backend!r}); {end}"
        which = f"run goes on, in the experiment {run['experiment']}" if "experiment" in run else "job goes on"
        lines += [
            f"Its {which}; the next notebooks find it. To end it:",
            f'  cd {shlex.quote(str(notebook.parent))} && {variable}{shlex.quote(sys.executable)} -c "{code}"',
        ]
    if work.backend == "azure" and work.removers:
        remover = work.removers[0].stem
        lines.append(f"What the notebooks have made stays in the workspace and may cost money: {remover} removes it.")
    return lines


def summary(work: Work, entries: dict[str, dict | None]) -> str:
    """What was achieved, in a sentence."""
    ok = [entry for entry in entries.values() if entry and entry["result"] == "ok"]
    if len(ok) == len(entries):
        who = f"All {len(ok)} notebooks" if len(ok) > 1 else "The notebook"
        if work.complete == len(ok):
            return f"{who} ran to the end in an earlier run, and nothing has changed since."
        earlier = f", {work.complete} of them in an earlier run" if work.complete else ""
        seconds = sum(entry["seconds"] for entry in ok[work.complete :])
        recorded = counted(sum(len(entry["results"]) for entry in ok), "recorded result")
        return f"{who} ran to the end{earlier}: {seconds:.0f} s, {recorded}."
    ended = {"failed": "failed", "interrupted": "was interrupted"}
    stopped = [f"{name} {ended[entry['result']]}" for name, entry in entries.items() if entry and entry not in ok]
    why = [*stopped, "the batch was interrupted"][0]  # the latter between two notebooks
    return f"{len(ok)} of {len(entries)} notebooks ran to the end; {why}. --resume goes on from there."
