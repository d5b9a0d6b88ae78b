"""The environment variables by which MLflow does not tell its makers that it is used."""

OFF = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
