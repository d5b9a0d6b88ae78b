"""What the stand-in's workspace is called, and where it is: as the offline one, so that both print the same."""

import socket

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = "offline"
WORKSPACE = "offline"
LOCATION = "local"
TENANT = "22222222-2222-2222-2222-222222222222"
ACCOUNT = "offlinestore"

CONFIG = {"subscription_id": SUBSCRIPTION, "resource_group": GROUP, "workspace_name": WORKSPACE}
SCOPE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
)
MANAGEMENT = "management.azure.com"
LOGIN = "login.microsoftonline.com"
API = f"{LOCATION}.api.azureml.ms"
TELEMETRY = "dc.services.visualstudio.com"
STORAGE = f"{ACCOUNT}.blob.core.windows.net"
CONTAINER = "azureml-blobstore"


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def of(service: str, version: str = "v1.0") -> str:
    """The address of a service of Azure ML for this workspace."""
    return f"{API}/{service}/{version}{SCOPE}"
