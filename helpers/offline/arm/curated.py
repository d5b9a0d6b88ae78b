"""Microsoft's own environments, by the names that jobs give them: what is known of their contents.

From Azure/azureml-assets, assets/training/general/environments/<name>/context/conda_dependencies.yaml. Their versions
are images that are made anew every few weeks, and all of one name hold the same packages here.
"""

import re

from helpers.offline.arm.wire import Unsupported

CURATED = {
    "sklearn-1.5": ["python=3.10", "numpy~=1.22.0", "pandas~=1.5.3", "scipy~=1.10.0"]
    + [{"pip": ["scikit-learn~=1.5.0", "joblib~=1.2.0", "matplotlib~=3.5.0", "azureml-mlflow"]}],
    "tensorflow-2.16-cuda12": ["python=3.10", "numpy=1.23.5", "pandas=2.2.2", "scipy~=1.14.0"]
    + [{"pip": ["tensorflow[and-cuda]==2.16.2", "keras==3.12.1", "matplotlib~=3.5.0", "azureml-mlflow"]}],
}


def name_in(id: str) -> str | None:
    """The name of the curated environment that an id stands for; None for one of the workspace's own."""
    found = re.match(r"azureml://registries/azureml/environments/([^/]+)/(?:versions|labels)/[^/]+$", id)
    found = found or re.match(r"(?:azureml:)?(AzureML-[^:@/]+)", id)
    return found and found[1].removeprefix("AzureML-")


def for_job(name: str) -> dict:
    """The engine's environment of a curated one. Raises Unsupported for one of which nothing is known."""
    if name not in CURATED:
        known = " and ".join(CURATED)
        raise Unsupported(
            f"The curated environment {name!r}", f"{known} are, and an image with a conda_file of your own"
        )
    return {
        "name": name,
        "python": {"condaDependencies": {"dependencies": CURATED[name]}},
        "docker": {"baseImage": f"mcr.microsoft.com/azureml/curated/{name}"},
    }
