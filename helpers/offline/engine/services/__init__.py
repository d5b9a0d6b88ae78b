"""Web services: registered models behind an entry script on this machine (the functions below).

Each has a process of its own (supervisor) with a door (front) and Microsoft's server behind it (scoring_server).
"""

from helpers.offline.engine.services.deployments import (
    ID_VARIABLE,
    delete,
    deploy,
    end_all,
    get,
    keys,
    list_all,
    logs,
    redeploy,
    set_key,
    update,
    using,
)

__all__ = [
    "ID_VARIABLE",
    "delete",
    "deploy",
    "end_all",
    "get",
    "keys",
    "list_all",
    "logs",
    "redeploy",
    "set_key",
    "update",
    "using",
]
