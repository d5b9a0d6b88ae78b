"""The verbs for what has a name and versions: data, environments and models."""

import click

from helpers.ml.shared import ANY_NAME, FILE, LABEL, LISTED_NAME, NAME, SET, VERSION, Group, command, load


def _assets(kind: str, operations: str, loader: str, words: str) -> click.Group:
    """The group of a kind, with what all kinds can; `operations` is MLClient's, `loader` reads its YAML."""
    group = Group(kind, help=f"{words}.")

    @command(group, "create", FILE, SET, ANY_NAME, VERSION)
    def create(client, file, overrides, name, version):
        """Register what a YAML file describes; prints it with its version."""
        return getattr(client, operations).create_or_update(load(loader, file, overrides, name=name, version=version))

    @command(group, "show", NAME, VERSION, LABEL)
    def show(client, name, version, label):
        """One version, by its number or a label; the latest if neither is given."""
        return getattr(client, operations).get(name, version=version, label=label or (None if version else "latest"))

    @command(group, "list", LISTED_NAME)
    def list_all(client, name):
        """The latest version of each, or all versions of one."""
        return getattr(client, operations).list(name=name)

    @command(group, "archive", NAME, VERSION, LABEL)
    def archive(client, name, version, label):
        """Hide it, or one of its versions, from lists. Whoever names it still finds it."""
        getattr(client, operations).archive(name, version=version, label=label)

    @command(group, "restore", NAME, VERSION, LABEL)
    def restore(client, name, version, label):
        """Show it in lists again."""
        getattr(client, operations).restore(name, version=version, label=label)

    return group


data = _assets("data", "data", "load_data", "Data assets")
environment = _assets("environment", "environments", "load_environment", "Environments")
model = _assets("model", "models", "load_model", "Models")


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
