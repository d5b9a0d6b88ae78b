"""The verbs for what has a name and versions: components, data, environments and models."""

import itertools

import click

from helpers.ml.shared import (
    ANY_FILE,
    ANY_NAME,
    LABEL,
    LISTED,
    LISTED_NAME,
    NAME,
    SET,
    VERSION,
    Group,
    change,
    command,
    load,
    view,
)


def _assets(kind: str, operations: str, loader: str, words: str, **values: str) -> click.Group:
    """The group of a kind, with what all kinds can; `operations` is MLClient's, `loader` reads its YAML.

    `values` are those that may be given as options in place of a file, and what they are.
    """
    group = Group(kind, help=f"{words}.")
    options = [click.option(f"--{name.replace('_', '-')}", help=what) for name, what in values.items()]

    def get(client, name, version, label):
        return getattr(client, operations).get(name, version=version, label=label or (None if version else "latest"))

    @command(group, "create", ANY_FILE, SET, ANY_NAME, VERSION, *options)
    def create(client, file, overrides, **given):
        """Register what a YAML file or the options describe; prints it with its version."""
        return getattr(client, operations).create_or_update(load(loader, file, overrides, **given))

    @command(group, "update", NAME, VERSION, LABEL, SET)
    def update(client, name, version, label, overrides):
        """Change the description or tags of one version: --set tags.stage=tested."""
        return getattr(client, operations).create_or_update(change(get(client, name, version, label), overrides))

    @command(group, "show", NAME, VERSION, LABEL)
    def show(client, name, version, label):
        """One version, by its number or a label; the latest if neither is given."""
        return get(client, name, version, label)

    @command(group, "list", LISTED_NAME, *LISTED)
    def list_all(client, name, archived_only, include_archived, max_results):
        """The latest version of each, or all versions of one."""
        found = getattr(client, operations).list(name=name, list_view_type=view(archived_only, include_archived))
        return itertools.islice(found, max_results)

    @command(group, "archive", NAME, VERSION, LABEL)
    def archive(client, name, version, label):
        """Hide it, or one of its versions, from lists. Whoever names it still finds it."""
        getattr(client, operations).archive(name, version=version, label=label)

    @command(group, "restore", NAME, VERSION, LABEL)
    def restore(client, name, version, label):
        """Show it in lists again."""
        getattr(client, operations).restore(name, version=version, label=label)

    return group


PATH = "Its file or folder, or an address."
DESCRIPTION = "What it is."
component = _assets("component", "components", "load_component", "Components")
data = _assets(
    "data", "data", "load_data", "Data assets", path=PATH, type="uri_file or uri_folder.", description=DESCRIPTION
)
environment = _assets(
    "environment",
    "environments",
    "load_environment",
    "Environments",
    image="Its Docker image.",
    conda_file="Its conda specification.",
    description=DESCRIPTION,
)
model = _assets(
    "model",
    "models",
    "load_model",
    "Models",
    path=PATH,
    type="custom_model or mlflow_model.",
    stage="Its stage, such as Production.",
    description=DESCRIPTION,
)


@command(
    model,
    "download",
    NAME,
    click.option("-v", "--version", required=True, help="Its version."),
    click.option("-p", "--download-path", type=click.Path(file_okay=False), default=".", help="Where the files go."),
)
def download_model(client, name, version, download_path):
    """Its files, into a folder of the model's name."""
    client.models.download(name=name, version=version, download_path=download_path)
