"""The command `ml`: the verbs that people use with `az ml`, on the offline workspace or on Azure.

    ml job create --file job.yml --set inputs.epochs=5 --stream
    ml model list --name keras-mnist -o table
    ml --backend azure online-endpoint invoke --name digits --request-file request.json

It reads YAML with azure-ai-ml's own load functions and calls MLClient, nothing else; verbs and options have the names
of the Azure CLI's extension `ml`, which it does not need.
"""

import contextlib
import functools
import sys

import click

import helpers
from helpers.backend import BACKENDS
from helpers.ml.assets import component, data, environment, model
from helpers.ml.compute import compute
from helpers.ml.job import job
from helpers.ml.online import online_deployment, online_endpoint
from helpers.ml.shared import Group
from helpers.ml.workspace import datastore, workspace


@click.group("ml", cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default="offline",
    envvar="AZUREML_BACKEND",
    show_default=True,
    help="offline: this machine; azure: the workspace that config.json names. AZUREML_BACKEND sets it, too.",
)
@click.pass_context
def main(ctx: click.Context, backend: str) -> None:
    """An Azure ML workspace from a terminal: its jobs, data, environments, computes, models and online endpoints."""
    ctx.obj = functools.cache(functools.partial(_connect, backend))


def _connect(backend: str, **names: str):
    """The MLClient of the workspace that config.json names, or `names` do.

    What is said meanwhile goes to stderr, so that stdout holds the answer alone.
    """
    with contextlib.redirect_stdout(sys.stderr):
        helpers.use_backend(backend)
        return helpers.ml_client(**names)


GROUPS = (component, compute, data, datastore, environment, job, model, online_deployment, online_endpoint, workspace)
for group in GROUPS:
    main.add_command(group)
