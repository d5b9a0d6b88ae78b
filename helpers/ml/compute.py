"""The verbs for clusters."""

import click

from helpers.ml.shared import ANY_FILE, ANY_NAME, NAME, NO_WAIT, SET, YES, Group, command, load, waited


@click.group(cls=Group)
def compute() -> None:
    """Clusters."""


SCALE = (
    click.option("--min-instances", type=click.IntRange(0), help="The nodes that it keeps."),
    click.option("--max-instances", type=click.IntRange(0), help="The nodes that it has at most."),
    click.option(
        "--idle-time-before-scale-down",
        type=click.IntRange(1),
        metavar="SECONDS",
        help="How long it keeps an idle one.",
    ),
)


@command(
    compute,
    "create",
    ANY_FILE,
    SET,
    ANY_NAME,
    click.option("-t", "--type", help="The type, where no file names it: AmlCompute."),
    click.option("--size", help="The VM size of its nodes."),
    click.option("--tier", help="dedicated or low_priority."),
    *SCALE,
    NO_WAIT,
)
def create_compute(client, file, overrides, no_wait, type, **given):
    """Create the cluster that a YAML file or the options describe, and wait until it is there."""
    described = load("load_compute", file, overrides, type=type and type.lower(), **given)
    return waited(client.compute.begin_create_or_update, described, no_wait=no_wait)


@command(compute, "update", NAME, *SCALE, NO_WAIT)
def update_compute(client, name, no_wait, **given):
    """Change a cluster's scale."""
    cluster = client.compute.get(name)
    for option, value in given.items():
        if value is not None:
            setattr(cluster, option, value)
    return waited(client.compute.begin_update, cluster, no_wait=no_wait)


@command(compute, "show", NAME)
def show_compute(client, name):
    """One cluster."""
    return client.compute.get(name)


@command(compute, "list")
def list_computes(client):
    """All clusters."""
    return client.compute.list()


@command(compute, "list-nodes", NAME)
def list_nodes(client, name):
    """A cluster's nodes, and what they do."""
    return [vars(node) for node in client.compute.list_nodes(name)]


@command(compute, "delete", NAME, YES, NO_WAIT)
def delete_compute(client, name, no_wait):
    """Cancel what runs on a cluster, and remove it."""
    waited(client.compute.begin_delete, name, no_wait=no_wait)
