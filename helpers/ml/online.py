"""The verbs for online endpoints and their deployments."""

import click

from helpers.ml.shared import ANY_NAME, ENDPOINT, FILE, NAME, SET, Group, command, load, waiting


@click.group("online-endpoint", cls=Group)
def online_endpoint() -> None:
    """Addresses that answer requests."""


@command(online_endpoint, "create", FILE, SET, ANY_NAME)
def create_endpoint(client, file, overrides, name):
    """Create the endpoint that a YAML file describes, and wait until it is there."""
    wanted = load("load_online_endpoint", file, overrides, name=name)
    return client.online_endpoints.begin_create_or_update(wanted).result()


@command(
    online_endpoint,
    "update",
    NAME,
    click.option("--traffic", required=True, metavar='"BLUE=90 GREEN=10"', help="Percent of the requests for each."),
)
def update_endpoint(client, name, traffic):
    """Share out an endpoint's requests among its deployments."""
    endpoint = client.online_endpoints.get(name)
    endpoint.traffic = _shares(traffic)
    return client.online_endpoints.begin_create_or_update(endpoint).result()


def _shares(text: str) -> dict[str, int]:
    try:
        return {name: int(share) for name, share in (part.split("=") for part in text.split())}
    except ValueError:
        raise click.UsageError(f'--traffic takes "NAME=PERCENT NAME=PERCENT", not {text!r}.') from None


@command(online_endpoint, "show", NAME)
def show_endpoint(client, name):
    """One endpoint, with its address."""
    return client.online_endpoints.get(name)


@command(online_endpoint, "list")
def list_endpoints(client):
    """All endpoints."""
    return client.online_endpoints.list()


@command(online_endpoint, "delete", NAME)
def delete_endpoint(client, name):
    """Delete an endpoint with its deployments."""
    with waiting():
        client.online_endpoints.begin_delete(name).result()


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
    click.option("--all-traffic", is_flag=True, help="Then send it all of the endpoint's requests."),
)
def create_deployment(client, file, overrides, name, all_traffic):
    """Create the deployment that a YAML file describes, and wait until it answers."""
    wanted = load("load_online_deployment", file, overrides, name=name)
    with waiting():
        created = client.online_deployments.begin_create_or_update(wanted).result()
    if all_traffic:
        endpoint = client.online_endpoints.get(wanted.endpoint_name)
        endpoint.traffic = {wanted.name: 100}
        client.online_endpoints.begin_create_or_update(endpoint).result()
    return created


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


@command(online_deployment, "delete", NAME, ENDPOINT)
def delete_deployment(client, name, endpoint_name):
    """Delete a deployment. One that has a share of the traffic has to give it up first."""
    client.online_deployments.begin_delete(name, endpoint_name).result()
