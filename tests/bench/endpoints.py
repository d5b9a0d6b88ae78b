"""What an endpoint of SDK v2 takes: notebook v2/08's two deployments, one image, and a shift of the traffic in use."""

import time

import numpy as np
import scoring as service

ENDPOINT = "bench-endpoint"


def bench_endpoints() -> list[tuple]:
    """One image by the endpoint's door; then all traffic is given from blue to green while 8 clients ask."""
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    from helpers import scoring

    client = MLClient.from_config(DefaultAzureCredential(), show_progress=False)
    _deploy(client)
    try:
        address = client.online_endpoints.get(ENDPOINT).scoring_uri
        headers = {"Authorization": f"Bearer {client.online_endpoints.get_keys(ENDPOINT).primary_key}"}
        one = service.request(1)
        scoring.latencies(address, headers, one, 20)
        single = float(np.median(scoring.latencies(address, headers, one, 200)))
        began = []

        def shift() -> None:
            began.append(time.perf_counter())
            _give_all_to(client, "green")

        answers = scoring.while_asked(address, headers, one, clients=8, steps=[shift], pause=3.0)
    finally:
        client.online_endpoints.begin_delete(ENDPOINT).result()
    lost = sum(answer.deployment is None for answer in answers)
    # A request that blue answered after the shift was asked for was sent before the shift held.
    took = max(0.0, max(answer.sent for answer in answers if answer.deployment == "blue") - began[0])
    assert answers[-1].deployment == "green"
    return [
        ("one image by an endpoint, median of 200", f"{single * 1000:.1f} ms", "30 ms", single <= 0.03),
        ("a shift of traffic holds after", f"{took:.2f} s", "0.5 s", took <= 0.5),
        (f"of {len(answers):,} requests from 8 clients, lost", str(lost), "0", not lost),
    ]


def _deploy(client) -> None:
    """An endpoint with blue, which has all traffic, and green."""
    from azure.ai.ml.entities import (
        CodeConfiguration,
        Environment,
        ManagedOnlineDeployment,
        ManagedOnlineEndpoint,
        Model,
        OnlineRequestSettings,
    )

    model = client.models.create_or_update(Model(name="bench-v2", path=str(service.network())))
    conda_file = str(service.SOURCE / "conda_dependencies.yml")
    environment = Environment(name="bench-v2", image="mcr.microsoft.com/a:1", conda_file=conda_file)
    environment = client.environments.create_or_update(environment)
    endpoint = ManagedOnlineEndpoint(name=ENDPOINT, auth_mode="key")
    client.online_endpoints.begin_create_or_update(endpoint).result()
    pollers = [
        client.online_deployments.begin_create_or_update(
            ManagedOnlineDeployment(
                name=name,
                endpoint_name=ENDPOINT,
                model=f"{model.name}:{model.version}",
                environment=f"{environment.name}:{environment.version}",
                code_configuration=CodeConfiguration(code=str(service.SOURCE), scoring_script="score.py"),
                instance_type="Standard_F4s_v2",
                instance_count=1,
                request_settings=OnlineRequestSettings(max_concurrent_requests_per_instance=8),
            )
        )
        for name in ("blue", "green")
    ]
    for poller in pollers:
        poller.result()
    print(flush=True)  # after the client's dots
    _give_all_to(client, "blue")


def _give_all_to(client, deployment: str) -> None:
    endpoint = client.online_endpoints.get(ENDPOINT)
    endpoint.traffic = {deployment: 100}
    client.online_endpoints.begin_create_or_update(endpoint).result()
