"""Web services: registered models behind an entry script on this machine (the functions below).

Each has a process of its own (supervisor) with a door (front) and Microsoft's server behind it (scoring_server). An
endpoint is a door alone (endpoint_door), for the deployments behind it.
"""

from helpers.offline.engine.services.deployments import deploy, keys, redeploy, set_key, update, using
from helpers.offline.engine.services.endpoints import delete as delete_endpoint
from helpers.offline.engine.services.endpoints import deployment_names, end_all, refuse_with_traffic
from helpers.offline.engine.services.endpoints import put as put_endpoint
from helpers.offline.engine.services.records import ENDPOINT, HOST, ID_VARIABLE, ONLINE, delete, get, list_all, logs

__all__ = [
    "ENDPOINT",
    "HOST",
    "ID_VARIABLE",
    "ONLINE",
    "delete",
    "delete_endpoint",
    "deploy",
    "deployment_names",
    "end_all",
    "get",
    "keys",
    "list_all",
    "logs",
    "put_endpoint",
    "redeploy",
    "refuse_with_traffic",
    "set_key",
    "update",
    "using",
]
