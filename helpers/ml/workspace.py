"""The verbs for what a workspace has from the start: itself, and its datastores."""

import click

from helpers.ml.shared import NAME, Group, command


@click.group(cls=Group)
def workspace() -> None:
    """The workspace."""


@command(workspace, "show", click.option("-n", "--name", help="Its name, where it is not the one of config.json."))
def show_workspace(client, name):
    """One workspace."""
    return client.workspaces.get(name or client.workspace_name)


@command(workspace, "list")
def list_workspaces(client):
    """The workspaces of the resource group."""
    return client.workspaces.list()


@click.group(cls=Group)
def datastore() -> None:
    """Where the workspace's files lie."""


@command(datastore, "show", NAME)
def show_datastore(client, name):
    """One datastore."""
    return client.datastores.get(name)


@command(datastore, "list")
def list_datastores(client):
    """All datastores."""
    return client.datastores.list()
