"""Where the script logs its figures: the run of Azure ML that this is. By hand there is none."""

import functools
import os


@functools.cache
def azure_run():
    """The run; None where the script is run by hand."""
    if "AZUREML_RUN_ID" not in os.environ:  # Azure ML sets it for a job
        return None
    from azureml.core import Run

    return Run.get_context()


def log(figures, step=None):
    """Log figures by their names; with a step, each is one of a series."""
    if run := azure_run():
        for name, value in figures.items():
            run.log(name, value, step=step)


def log_figure(figure, file):
    """Log a matplotlib figure under the file's name without its ending; by hand, write the file."""
    if run := azure_run():
        run.log_image(file.stem, plot=figure)
    else:
        figure.savefig(file)


def flush():
    """Wait until all is sent: without it a job can end before its last figures are."""
    if run := azure_run():
        run.flush()
