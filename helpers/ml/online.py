"""The verbs for online endpoints and their deployments."""

import click

from helpers.ml.shared import (
    ANY_ENDPOINT,
    ANY_FILE,
    ANY_NAME,
    ENDPOINT,
    FILE,
    NAME,
    NO_WAIT,
    SET,
    YES,
    Group,
    change,
    command,
    load,
    waited,
)


@click.group("online-endpoint", cls=Group)
def online_endpoint() -> None:
    """Addresses that answer requests."""


@command(
    online_endpoint,
    "create",
    ANY_FILE,
    SET,
    ANY_NAME,
    click.option("--auth-mode", help="How callers show who they are: key."),
    NO_WAIT,
)
def create_endpoint(client, file, overrides, no_wait, **given):
    """Create the endpoint that a YAML file or the options describe, and wait until it is there."""
    wanted = load("load_online_endpoint", file, overrides, **given)
    _refuse_second(wanted.name, client.online_endpoints.list(), "endpoint")
    return waited(client.online_endpoints.begin_create_or_update, wanted, no_wait=no_wait)


def _shares(ctx: click.Context, option: click.Parameter, text: str | None) -> dict[str, int] | None:
    if text is None:
        return None
    try:
        return {name: int(share) for name, share in (part.split("=") for part in text.split())}
    except ValueError:
        raise click.BadParameter(f'It takes "NAME=PERCENT NAME=PERCENT", not {text!r}.') from None


TRAFFIC = click.option(
    "--traffic", metavar='"BLUE=90 GREEN=10"', callback=_shares, help="Percent of the requests for each."
)
MIRROR = click.option(
    "--mirror-traffic",
    metavar='"GREEN=10"',
    callback=_shares,
    help="Percent of the requests that one gets a copy of.",
)


@command(online_endpoint, "update", NAME, TRAFFIC, MIRROR, SET)
def update_endpoint(client, name, traffic, mirror_traffic, overrides):
    """Share out an endpoint's requests among its deployments, or change its description or tags."""
    endpoint = change(client.online_endpoints.get(name), overrides)
    if traffic is not None:
        endpoint.traffic = traffic
    if mirror_traffic is not None:
        endpoint.mirror_traffic = mirror_traffic
    return waited(client.online_endpoints.begin_create_or_update, endpoint)


def _refuse_second(name: str, listed, what: str) -> None:
    """As `az` does: a second creation would take its traffic from an endpoint, and deploy anew."""
    if name in [one.name for one in listed]:
        raise click.ClickException(f"The {what} {name!r} exists already; `ml online-{what} update` changes it.")


@command(online_endpoint, "show", NAME)
def show_endpoint(client, name):
    """One endpoint, with its address."""
    return client.online_endpoints.get(name)


@command(online_endpoint, "list")
def list_endpoints(client):
    """All endpoints."""
    return client.online_endpoints.list()


@command(online_endpoint, "delete", NAME, YES, NO_WAIT)
def delete_endpoint(client, name, no_wait):
    """Delete an endpoint with its deployments."""
    waited(client.online_endpoints.begin_delete, name, no_wait=no_wait)


@command(
    online_endpoint,
    "regenerate-keys",
    NAME,
    click.option("--key-type", type=click.Choice(("primary", "secondary")), default="primary", show_default=True),
)
def regenerate_keys(client, name, key_type):
    """Make a key anew; the one before is not accepted any more."""
    waited(client.online_endpoints.begin_regenerate_keys, name, key_type=key_type)


@command(online_endpoint, "get-credentials", NAME)
def credentials_of_endpoint(client, name):
    """Its two keys, which are secrets."""
    keys = client.online_endpoints.get_keys(name)
    return {"primaryKey": keys.primary_key, "secondaryKey": keys.secondary_key}


@command(
    online_endpoint,
    "invoke",
    NAME,
    click.option("-r", "--request-file", required=True, type=click.Path(exists=True, dir_okay=False), help="The body."),
    click.option("-d", "--deployment-name", help="Ask this deployment, whatever the traffic."),
)
def invoke_endpoint(client, name, request_file, deployment_name):
    """Send a request, and print the answer as it is."""
    click.echo(client.online_endpoints.invoke(name, request_file=request_file, deployment_name=deployment_name))


@click.group("online-deployment", cls=Group)
def online_deployment() -> None:
    """What answers behind an endpoint: a model, a script, an environment, machines."""


@command(
    online_deployment,
    "create",
    FILE,
    SET,
    ANY_NAME,
    ANY_ENDPOINT,
    click.option("--all-traffic", is_flag=True, help="Then send it all of the endpoint's requests."),
    NO_WAIT,
)
def create_deployment(client, file, overrides, all_traffic, no_wait, **given):
    """Create the deployment that a YAML file describes, and wait until it answers."""
    if all_traffic and no_wait:
        raise click.UsageError("--all-traffic waits for the deployment; leave out --no-wait.")
    wanted = load("load_online_deployment", file, overrides, **given)
    _refuse_second(wanted.name, client.online_deployments.list(wanted.endpoint_name), "deployment")
    created = waited(client.online_deployments.begin_create_or_update, wanted, no_wait=no_wait)
    if all_traffic:
        endpoint = client.online_endpoints.get(wanted.endpoint_name)
        endpoint.traffic = {wanted.name: 100}
        waited(client.online_endpoints.begin_create_or_update, endpoint)
    return created


@command(online_deployment, "update", ANY_FILE, ANY_NAME, ANY_ENDPOINT, SET, NO_WAIT)
def update_deployment(client, file, name, endpoint_name, overrides, no_wait):
    """Deploy anew, as a YAML file describes it or with some values replaced: --set instance_count=2."""
    if file:
        wanted = load("load_online_deployment", file, overrides, name=name, endpoint_name=endpoint_name)
    elif name and endpoint_name:
        wanted = change(client.online_deployments.get(name, endpoint_name), overrides)
    else:
        raise click.UsageError("Name the deployment and its endpoint, or give the YAML file.")
    return waited(client.online_deployments.begin_create_or_update, wanted, no_wait=no_wait)


@command(online_deployment, "show", NAME, ENDPOINT)
def show_deployment(client, name, endpoint_name):
    """One deployment."""
    return client.online_deployments.get(name, endpoint_name)


@command(online_deployment, "list", ENDPOINT)
def list_deployments(client, endpoint_name):
    """The deployments of an endpoint."""
    return client.online_deployments.list(endpoint_name)


@command(
    online_deployment,
    "get-logs",
    NAME,
    ENDPOINT,
    click.option("-l", "--lines", type=click.IntRange(1), default=50, show_default=True, help="The last so many."),
)
def logs_of_deployment(client, name, endpoint_name, lines):
    """What a deployment has logged."""
    click.echo(client.online_deployments.get_logs(name, endpoint_name, lines))


@command(online_deployment, "delete", NAME, ENDPOINT, YES, NO_WAIT)
def delete_deployment(client, name, endpoint_name, no_wait):
    """Delete a deployment. One that has a share of the traffic has to give it up first."""
    waited(client.online_deployments.begin_delete, name, endpoint_name, no_wait=no_wait)
