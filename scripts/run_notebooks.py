"""Run the notebooks in order with papermill, offline or on Azure, and tell how it went.

    .venv/bin/python scripts/run_notebooks.py                       all notebooks
    .venv/bin/python scripts/run_notebooks.py 01-04 06_download_validate
    .venv/bin/python scripts/run_notebooks.py --series v2 01-05     those of version 2
    .venv/bin/python scripts/run_notebooks.py 4- --backend azure -p epochs=5 -p cluster_name=gpu-small
    .venv/bin/python scripts/run_notebooks.py --resume              go on where the last run stopped
    .venv/bin/python scripts/run_notebooks.py --help-parameters     what -p and -f accept

Before anything runs, the names of parameters are checked against the cells tagged `parameters`, and their values
against the types in those notebooks that are to run; one goes to those that have it. What a notebook needs has to be
in the workspace or be made by a notebook before it: --with-needed adds those that make it. Each notebook runs in its
own folder, as in JupyterLab, in a kernel of the interpreter that runs this script. The first failure ends the run.
What runs on Azure cost at most is printed before anything is run.

The output folder receives the executed notebooks under their own names and manifest.json: for each notebook
the hashes of what it was made from, its parameters, versions, time, result and the values it recorded.
--junit and --html write the same for CI systems and for readers.

Exit codes: 0 all ran to their end; 1 a notebook failed; 2 the command line, a parameter or a notebook is
wrong and nothing was run; 130 interrupted, by Ctrl-C, SIGTERM or the end of its terminal.
"""

import logging
import signal
import sys
from contextlib import suppress

import endings
import in_venv  # noqa: F401 - before what may not be there
from batch import UsageError
from batch.command_line import parse_command_line
from batch.execution import run_all
from batch.junit import write_junit
from batch.manifest import clear_reports
from batch.page import write_page
from batch.preparation import prepare
from batch.report import exit_code, report, report_killed

from helpers.costs import PricesError


def main(arguments: list[str] | None = None) -> int:
    options = parse_command_line(arguments, __doc__)
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it logs, the report says better
    try:
        work = prepare(options)
    except (UsageError, PricesError) as error:
        print(f"run_notebooks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("run_notebooks: interrupted, and nothing was run", file=sys.stderr)
        return 130
    if work is None:
        return 0
    try:
        with work.claim:
            clear_reports(options.junit, options.html)
            try:
                report_killed(work)
                with suppress(KeyboardInterrupt):  # between two notebooks
                    run_all(work, options.execution_timeout)
                report(work)
            except BrokenPipeError:  # who was told has ended, as `tee` does by the same Ctrl-C
                endings.tell_nobody(sys.stdout, sys.stderr)
            if options.junit:
                write_junit(options.junit, work)
            if options.html:
                write_page(options.html, work)
    except OSError as error:
        print(f"run_notebooks: cannot write the output: {error}. --output names another folder.", file=sys.stderr)
        return 1
    return exit_code(work)


def interrupt_as_ctrl_c_does() -> None:
    """Have SIGTERM do so, by which CI systems and `timeout` interrupt, and SIGHUP, as a terminal is closed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    terminals = [stream for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    def hang_up(number: int, frame: object) -> None:
        endings.tell_nobody(*terminals)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # not under nohup
        signal.signal(signal.SIGHUP, hang_up)


if __name__ == "__main__":
    interrupt_as_ctrl_c_does()
    sys.exit(main())
