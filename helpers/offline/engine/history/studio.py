"""The page that `make studio` serves of the offline workspace, on this machine alone: MLflow's."""

import http.client

HOST, PORT = "127.0.0.1", 5000  # scripts/doctor.py, which needs no package, looks at the same port
ADDRESS = f"http://{HOST}:{PORT}/#"


def page_of(experiment_id: str, run_id: str | None = None) -> str:
    """The address of the page of an experiment, or of a run in it."""
    page = f"{ADDRESS}/experiments/{experiment_id}"
    return page if run_id is None else f"{page}/runs/{run_id}"


def is_up() -> bool:
    """Whether the page is served now; where it is not, or something else has its port, a link leads nowhere."""
    try:
        connection = http.client.HTTPConnection(HOST, PORT, timeout=0.3)
        connection.request("GET", "/health")
        return connection.getresponse().read(16) == b"OK"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
