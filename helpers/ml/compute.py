"""The verbs for clusters."""

import click

from helpers.ml.shared import ANY_NAME, FILE, NAME, SET, Group, command, load


@click.group(cls=Group)
def compute() -> None:
    """Clusters."""


@command(compute, "create", FILE, SET, ANY_NAME)
def create_compute(client, file, overrides, name):
    """Create the cluster that a YAML file describes, and wait until it is there."""
    return client.compute.begin_create_or_update(load("load_compute", file, overrides, name=name)).result()


@command(compute, "show", NAME)
def show_compute(client, name):
    """One cluster."""
    return client.compute.get(name)


@command(compute, "list")
def list_computes(client):
    """All clusters."""
    return client.compute.list()


@command(compute, "delete", NAME)
def delete_compute(client, name):
    """Cancel what runs on a cluster, and remove it."""
    client.compute.begin_delete(name).result()
