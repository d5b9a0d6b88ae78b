"""The page that `make studio` serves of the offline workspace, on this machine alone: MLflow's."""

import http.client

HOST, PORT = "127.0.0.1", 5000  # scripts/doctor.py, which needs no package, looks at the same port
ADDRESS = f"http://{HOST}:{PORT}/#"
# Of an experiment's address MLflow 3 makes its page on generative AI, where no run of training is; which of the two is
# shown the browser keeps, and no tag decides.
_RUNS = "runs?workflowType=machine_learning"


def page_of(experiment_id: str, run_id: str | None = None, address: str = "") -> str:
    """The address of the page of an experiment's runs, or of one of them, where the studio is served at its usual port.

    Served elsewhere, it has another `address`.
    """
    page = f"{address or ADDRESS}/experiments/{experiment_id}"
    return f"{page}/{_RUNS}" if run_id is None else f"{page}/runs/{run_id}"


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
