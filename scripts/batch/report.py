"""What is told at the end: the failure, the table and the recorded results."""

import json
import re
import sys
from pathlib import Path

from batch.preparation import Work

TRACEBACK_LINES = 15
ANSI_SEQUENCE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def report(work: Work) -> int:
    """Print the failure, if there is one, the table and the recorded results; return the exit code."""
    entries = {notebook.stem: work.manifest.get(notebook.stem) for notebook in work.notebooks}
    stopped = {name: entry for name, entry in entries.items() if entry and entry["result"] != "ok"}
    for name, entry in stopped.items():
        print("\n".join(describe_stop(name, entry, work.output)), file=sys.stderr, flush=True)

    width = max(len(name) for name in [*entries, "notebook"])
    print(f"\n{'notebook':{width}}    cells  seconds  result")
    for number, (name, entry) in enumerate(entries.items()):
        if entry is None:
            print(f"{name:{width}}  {'–':>7}  {'–':>7}  not run")
            continue
        cells = "/".join(map(str, entry["cells"]))
        earlier = " (earlier run)" if number < work.complete else ""
        print(f"{name:{width}}  {cells:>7}  {entry['seconds']:7.1f}  {entry['result']}{earlier}")

    for name, entry in entries.items():
        if entry and entry["results"]:
            print(f"\n{name}")
            for result, value in entry["results"].items():
                text = json.dumps(value, ensure_ascii=False)
                print(f"  {result} = {text if len(text) <= 80 else text[:79] + '…'}")
    print(f"\nExecuted notebooks: {work.output}", flush=True)
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
