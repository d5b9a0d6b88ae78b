"""MLflow itself on the store of an offline workspace: what is kept there has to be what MLflow reads."""

from pathlib import Path

from helpers.offline.engine.history import mlflow_store


def mlflow_client(folder: Path):
    """MLflow's own client of the workspace's store."""
    from mlflow import MlflowClient

    mlflow_store.make(folder)
    address = mlflow_store.tracking_uri(folder)
    return MlflowClient(address, address)
