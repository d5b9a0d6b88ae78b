"""Runs notebooks one after the other in this process, and writes what each of their cells prints.

    python in_one_process.py RESULT PARAMETERS NOTEBOOK...

PARAMETERS is JSON, by name. RESULT becomes JSON: by notebook, by cell id, what was printed, and as "frameworks" those
that are imported by then. One cell is left out: the real SDK's widget never returns where no notebook shows it.
"""

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import nbformat


def main() -> None:
    result, parameters, *paths = sys.argv[1:]
    printed, trained_with = {}, os.environ["KERAS_BACKEND"]
    for path in map(Path, paths):
        os.chdir(path.parent)
        printed[path.stem] = cells = {}
        _run(path, json.loads(parameters), cells)
        cells["frameworks"] = " ".join(sorted({"tensorflow", "keras", "jax"} & set(sys.modules)))
        Path(result).write_text(json.dumps(printed))
        os.environ["KERAS_BACKEND"] = trained_with  # a notebook may choose another for its own kernel


def _run(path: Path, parameters: dict, cells: dict[str, str]) -> None:
    namespace = {"__name__": "__main__"}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code" or "RunDetails(" in cell.source:
            continue
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(cell.source, f"{path.name}, cell {cell.id}", "exec"), namespace)
        cells[cell.id] = output.getvalue()
        if "parameters" in cell.metadata.get("tags", []):
            namespace |= {name: value for name, value in parameters.items() if name in namespace}


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # the SDK's threads would keep the process for seconds
