"""Which request is answered by whom: all that the offline workspace offers, in one table."""

import logging
import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from helpers.offline.arm import (
    blobs,
    codes,
    components,
    computes,
    data_assets,
    datastores,
    deployments,
    endpoints,
    environments,
    jobs,
    model_assets,
    resources,
    runs,
    workspaces,
)
from helpers.offline.arm.wire import (
    BLOB_HOST,
    COVERAGE,
    PROVIDER,
    Answer,
    Refused,
    Request,
    Scope,
    as_json,
)
from helpers.offline.engine.processes import detached
from helpers.offline.engine.workspace import folder as folders
from helpers.offline.engine.workspace.errors import AlreadyExists, EngineError, NotAllowed, NotFound

_log = logging.getLogger(__name__)
PAGE = 100  # resources in one answer to a list

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
WORKSPACE = f"{GROUP}/providers/{PROVIDER}/workspaces/{{workspace}}"
DEPLOYMENT = f"{WORKSPACE}/onlineEndpoints/{{name}}/deployments/{{deployment}}"
HISTORY = f"/history/v1.0{WORKSPACE}"

# Handlers take the Request. What they return is the answer's JSON; an iterator is a list, of which a page is answered.
ROUTES = [
    ("GET", "/discovery", workspaces.discovery),
    ("GET", "/registrymanagement/v1.0/registries/{registry}/discovery", workspaces.registry),
    ("GET", f"{SUBSCRIPTION}/providers/{PROVIDER}/workspaces", workspaces.list_all),
    ("GET", f"{SUBSCRIPTION}/providers/{PROVIDER}/locations/{{location}}/vmSizes", computes.sizes),
    ("GET", f"{SUBSCRIPTION}/providers/{PROVIDER}/locations/{{location}}/usages", computes.usages),
    ("GET", f"{GROUP}/providers/{PROVIDER}/workspaces", workspaces.list_all),
    ("GET", WORKSPACE, workspaces.get),
    ("GET", f"{WORKSPACE}/datastores", datastores.list_all),
    ("GET", f"{WORKSPACE}/datastores/{{name}}", datastores.get),
    ("POST", f"{WORKSPACE}/datastores/{{name}}/listSecrets", datastores.secrets),
    ("GET", f"{WORKSPACE}/computes", computes.list_all),
    ("GET", f"{WORKSPACE}/computes/{{name}}", computes.get),
    ("PUT", f"{WORKSPACE}/computes/{{name}}", computes.put),
    ("DELETE", f"{WORKSPACE}/computes/{{name}}", computes.delete),
    ("POST", f"{WORKSPACE}/computes/{{name}}/listNodes", computes.nodes),
    ("GET", f"{WORKSPACE}/codes/{{name}}/versions", codes.list_versions),
    ("GET", f"{WORKSPACE}/codes/{{name}}/versions/{{version}}", codes.get_version),
    ("PUT", f"{WORKSPACE}/codes/{{name}}/versions/{{version}}", codes.put_version),
    ("POST", f"{WORKSPACE}/codes/{{name}}/versions/{{version}}/startPendingUpload", codes.start_upload),
    ("GET", f"{WORKSPACE}/data", data_assets.list_all),
    ("GET", f"{WORKSPACE}/data/{{name}}", data_assets.get),
    ("PUT", f"{WORKSPACE}/data/{{name}}", data_assets.put),
    ("GET", f"{WORKSPACE}/data/{{name}}/versions", data_assets.list_versions),
    ("GET", f"{WORKSPACE}/data/{{name}}/versions/{{version}}", data_assets.get_version),
    ("PUT", f"{WORKSPACE}/data/{{name}}/versions/{{version}}", data_assets.put_version),
    ("GET", f"{WORKSPACE}/environments", environments.list_all),
    ("GET", f"{WORKSPACE}/environments/{{name}}", environments.get),
    ("PUT", f"{WORKSPACE}/environments/{{name}}", environments.put),
    ("GET", f"{WORKSPACE}/environments/{{name}}/versions", environments.list_versions),
    ("GET", f"{WORKSPACE}/environments/{{name}}/versions/{{version}}", environments.get_version),
    ("PUT", f"{WORKSPACE}/environments/{{name}}/versions/{{version}}", environments.put_version),
    ("GET", f"{WORKSPACE}/components", components.list_all),
    ("GET", f"{WORKSPACE}/components/{{name}}", components.get),
    ("PUT", f"{WORKSPACE}/components/{{name}}", components.put),
    ("GET", f"{WORKSPACE}/components/{{name}}/versions", components.list_versions),
    ("GET", f"{WORKSPACE}/components/{{name}}/versions/{{version}}", components.get_version),
    ("PUT", f"{WORKSPACE}/components/{{name}}/versions/{{version}}", components.put_version),
    ("GET", f"{WORKSPACE}/models", model_assets.list_all),
    ("GET", f"{WORKSPACE}/models/{{name}}", model_assets.get),
    ("PUT", f"{WORKSPACE}/models/{{name}}", model_assets.put),
    ("GET", f"{WORKSPACE}/models/{{name}}/versions", model_assets.list_versions),
    ("GET", f"{WORKSPACE}/models/{{name}}/versions/{{version}}", model_assets.get_version),
    ("PUT", f"{WORKSPACE}/models/{{name}}/versions/{{version}}", model_assets.put_version),
    ("GET", f"{WORKSPACE}/jobs", jobs.list_all),
    ("GET", f"{WORKSPACE}/jobs/{{name}}", jobs.get),
    ("PUT", f"{WORKSPACE}/jobs/{{name}}", jobs.put),
    ("POST", f"{WORKSPACE}/jobs/{{name}}/cancel", jobs.cancel),
    ("GET", f"{WORKSPACE}/jobs/{{name}}/cancel", jobs.canceled),
    ("GET", f"{WORKSPACE}/onlineEndpoints", endpoints.list_all),
    ("GET", f"{WORKSPACE}/onlineEndpoints/{{name}}", endpoints.get),
    ("PUT", f"{WORKSPACE}/onlineEndpoints/{{name}}", endpoints.put),
    ("DELETE", f"{WORKSPACE}/onlineEndpoints/{{name}}", endpoints.delete),
    ("POST", f"{WORKSPACE}/onlineEndpoints/{{name}}/listKeys", endpoints.keys),
    ("POST", f"{WORKSPACE}/onlineEndpoints/{{name}}/regenerateKeys", endpoints.regenerate_keys),
    ("GET", f"{WORKSPACE}/onlineEndpoints/{{name}}/deployments", deployments.list_all),
    ("GET", DEPLOYMENT, deployments.get),
    ("PUT", DEPLOYMENT, deployments.put),
    ("DELETE", DEPLOYMENT, deployments.delete),
    ("GET", f"{DEPLOYMENT}/operation", deployments.operation),
    ("POST", f"{DEPLOYMENT}/getLogs", deployments.logs),
    ("GET", f"{HISTORY}/runs/{{name}}", runs.get),
    ("GET", f"{HISTORY}/runs/{{name}}/details", runs.details),
    ("GET", f"{HISTORY}/runs/{{name}}/children", runs.children),
    ("GET", f"{HISTORY}/runs/{{name}}/serviceinstances/{{node}}", runs.services),
    ("POST", f"{HISTORY}/rundata", runs.data),
    ("PATCH", f"{HISTORY}/experiments/{{experiment}}/runs/{{name}}", runs.patch),
    ("POST", f"/data/v1.0{WORKSPACE}/dataversion/batchGetResolvedUris", runs.output_uris),
]


def compiled(pattern: str) -> re.Pattern:
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", pattern), re.IGNORECASE)


_TABLE = [(method, compiled(pattern), handler) for method, pattern, handler in ROUTES]


def answer(method: str, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
    """Answer a request to any host, in the form that its service has for answers and errors."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        request = Request(
            folder=folders.open_folder(),
            method=method,
            host=parts.hostname or "",
            path=unquote(parts.path),
            query=query,
            headers=headers,
            content=content,
        )
        return blobs.answer(request) if request.host == BLOB_HOST else _managed(request)
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # no client of Microsoft's sends such a body
        if _is_of_engine(error):
            raise  # a fault of ours, and none of the request: with its traceback
        _log.debug("%s %s", method, url, exc_info=True)
        told = f"The request cannot be understood ({type(error).__name__}: {error}). It was {method} {parts.path}."
        return _error(400, "InvalidRequest", told)
    except Refused as refused:
        return _error(refused.status, refused.code, str(refused))
    except EngineError as error:
        return _error(_status(error), "UserError", str(error))


def _managed(request: Request) -> Answer:
    for method, pattern, handler in _TABLE:
        found = pattern.fullmatch(request.path)
        if found and method == request.method:
            names = found.groupdict()
            scope = Scope(names.get("subscription", ""), names.get("group", ""), names.get("workspace", ""))
            resources.check_view(request)
            value = handler(replace(request, names=names, scope=scope))
            if isinstance(value, Answer):
                return value
            return as_json(_page(request, value) if isinstance(value, Iterator) else value)
    raise Refused(_not_offered(request), 501, "NotImplemented")


def _page(request: Request, items: Iterator[dict]) -> dict:
    """The page that the request asks for, and the address of the next one."""
    first = request.query.get("$skip") or "0"
    if not first.isdecimal():
        raise Refused(f"$skip is {first!r}; it has to be a number.")
    first = int(first)
    page = list(islice(items, first, first + PAGE + 1))
    if len(page) <= PAGE:
        return {"value": page}
    following = urlencode({**request.query, "$skip": first + PAGE})
    return {"value": page[:PAGE], "nextLink": f"https://{request.host}{quote(request.path)}?{following}"}


def _not_offered(request: Request) -> str:
    """What is asked for and not offered, by the words by which somebody knows it."""
    where = re.sub(rf"^.*/providers/{PROVIDER}/(workspaces/[^/]+/)?", "", request.path, flags=re.IGNORECASE)
    if where == request.path:
        where = f"https://{request.host}{request.path}"
    return (
        f"The offline backend does not answer {request.method} {where}. {COVERAGE} lists what is supported. "
        "Nothing was sent."
    )


def _is_of_engine(error: Exception) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith(detached.ENGINE) for frame, _ in frames)


def _status(error: EngineError) -> int:
    statuses = {NotFound: 404, AlreadyExists: 409, NotAllowed: 403}
    return next((status for kind, status in statuses.items() if isinstance(error, kind)), 400)


def _error(status: int, code: str, message: str) -> Answer:
    return as_json({"error": {"code": code, "message": message}}, status)
