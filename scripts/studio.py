"""MLflow's page on the offline workspace, on this machine only: `make studio`.

`python scripts/studio.py PORT` serves it on another port than the one that run.get_portal_url() points to.
"""

import os
import sys

from helpers.offline.engine.history import mlflow_store
from helpers.offline.engine.workspace import folder

PORT = "5000"  # where run.get_portal_url() points to

if __name__ == "__main__":
    port = sys.argv[1] if len(sys.argv) > 1 else PORT
    workspace = folder.open_folder()
    mlflow_store.client(workspace)  # makes the store in a new workspace
    print(f"Runs, curves, images and models of {workspace}: http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    store = ["--backend-store-uri", mlflow_store.tracking_uri(workspace)]
    artifacts = ["--default-artifact-root", (workspace / "artifacts").as_uri()]
    environment = os.environ | {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight processes for evaluations that nobody starts here
    }
    os.execve(sys.executable, [*command, *store, *artifacts], environment)
