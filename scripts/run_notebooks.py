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

import logging
import sys

from batch import UsageError
from batch.command_line import parse_command_line
from batch.cost import describe_costs
from batch.execution import run_all
from batch.manifest import claim_output, count_complete, describe_inputs, hash_folders, prepare_output, read_manifest
from batch.parameters import assign_values, describe_parameters, read_parameters, read_parameters_file
from batch.report import report
from batch.selection import select_notebooks

from helpers import costs

CODE_FOLDERS = ("helpers", "scripts")


def main(arguments: list[str] | None = None) -> int:
    options = parse_command_line(arguments, __doc__)
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


if __name__ == "__main__":
    sys.exit(main())
