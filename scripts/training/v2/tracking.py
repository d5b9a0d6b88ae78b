"""Where the script logs its figures: with MLflow, to the job that this is. By hand there is none."""

import os

import mlflow

IN_A_JOB = "MLFLOW_RUN_ID" in os.environ  # Azure ML sets it for a job, and the address to log to


def log(figures, step=None):
    """Log figures by their names, in one request; with a step, each is one of a series."""
    if IN_A_JOB:
        mlflow.log_metrics(figures, step=step)


def log_figure(figure, file):
    """Log a matplotlib figure under the file's name; by hand, write the file."""
    if IN_A_JOB:
        mlflow.log_figure(figure, file.name)
    else:
        figure.savefig(file)


def flush():
    """Nothing is left to be sent: MLflow's calls return when they are done."""
