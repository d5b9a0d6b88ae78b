"""A stand-in for a workspace on Azure, served on loopback, that the real and unmodified SDK v1 talks to.

    with Azure(folder) as azure:
        subprocess.run(program, env=os.environ | azure.environment)

The SDK is led here by https_proxy, and trusts the certificate for Azure's names because SSL_CERT_FILE says so: every
address that it asks is Azure's own. Runs that are submitted here run, with the real SDK on the job's side too. What a
client decides, by which address it asks, what it sends and what it makes of the answer, is so the real client's.
"""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from . import (
    artifacts,
    certificates,
    computes,
    datasets,
    environments,
    history,
    jobs,
    management,
    metrics,
    models,
    services,
    snapshots,
    storage,
    sweeps,
)
from .names import CONFIG, TENANT
from .server import Server
from .world import World

needs_the_real_sdk = pytest.mark.skipif(
    importlib.util.find_spec("imghdr") is None, reason="azureml-core imports imghdr, which Python 3.13 no longer has"
)

# The modules whose functions answer.
ROUTES = (artifacts, computes, datasets, environments, history, jobs, management)
ROUTES += (metrics, models, services, snapshots, storage, sweeps)


class Azure:
    """A stand-in workspace; files in `folder`. A context manager that leaves nothing running."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.world = World(folder / "world")
        trusted, context = certificates.make(folder)
        self.server = Server(self.world, context)
        home = folder / "home"
        home.mkdir()
        address = f"http://127.0.0.1:{self.server.server_port}"
        # What leads the SDK of a process here, and logs it in as helpers.credential() does.
        self.environment = {
            # Without a proxy for plain HTTP, the library that reads data takes no notice of the other.
            **dict.fromkeys(("https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY"), address),
            **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
            "SSL_CERT_FILE": str(trusted),
            "REQUESTS_CA_BUNDLE": str(trusted),
            "HOME": str(home),  # the SDK keeps the workspace's addresses in it
            "AZUREML_AUTH": "service-principal",
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": "app",
            "AZURE_CLIENT_SECRET": "kept-Secret~42",
        }

        self.world.environment = os.environ | self.environment

    def write_config(self, folder: Path) -> None:
        """The config.json that Workspace.from_config() finds."""
        (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")

    def check(self) -> None:
        """Fail where the SDK asked for something that nothing here answers, or an answer broke."""
        assert not self.world.unknown, self.world.unknown
        assert not self.world.failed, "\n".join(self.world.failed)

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        for run_id in self.world.processes:
            self.world.end_processes(run_id)
        services.end_all(self.world)
        self.server.shutdown()
        self.server.server_close()
