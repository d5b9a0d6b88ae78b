"""Microsoft's own environments, which every workspace has on Azure: what is known of their contents.

There each is an image that was built long ago and holds these packages; new versions of it come every few weeks, and
all of one name are the same here. Nothing is built of one offline, so that nothing is missing either: its job runs on
what this machine has, and the build log tells where that differs (see conda).

Sources: Azure/azureml-assets, assets/training/general/environments/<name>/context/conda_dependencies.yaml, as
read in November 2026; for the older ones, whose names have capitals, the article "Azure Machine Learning curated
environments" of July 2020, and for TensorFlow-2.2-GPU a workspace's list of September 2020. For others no source was
found that tells all of their packages.
"""

PREFIX = "AzureML-"  # of their names, wherever no registry is named

_SDK = "azureml-core azureml-defaults azureml-mlflow azureml-telemetry"
_TOOLS = (
    "py-spy==0.3.12 debugpy~=1.6.3 ipykernel~=6.0 tensorboard psutil~=5.8.0 matplotlib~=3.5.0 tqdm~=4.66.3 "
    "py-cpuinfo==5.0.0 torch-tb-profiler~=0.4.0"
)
_PATCHED = "cryptography>=42.0.4 certifi>=2023.07.22 requests>=2.32.3 idna>=3.7"
_OLD = (
    "azureml-core==1.8.0 azureml-defaults==1.8.0 azureml-telemetry==1.8.0 "
    "azureml-train-restclients-hyperdrive==1.8.0 azureml-train-core==1.8.0"
)

# Name: the channels, conda's packages and pip's.
_CONTENTS = {
    "sklearn-1.5": (
        "conda-forge anaconda",
        "python=3.10 pip=26.1.1 pandas~=1.5.3 scipy~=1.10.0 numpy~=1.22.0",
        f"scikit-learn-intelex {_SDK} azureml-inference-server-http scikit-learn~=1.5.0 joblib~=1.2.0 {_TOOLS} "
        "starlette>=0.49.1",
    ),
    "sklearn-1.1": (
        "anaconda conda-forge",
        "python=3.9 pip=21.3.1 pandas~=1.3.0 scipy~=1.10.0 numpy~=1.22.0",
        f"scikit-learn-intelex wheel~=0.38.1 {_SDK} scikit-learn~=1.1.0 joblib~=1.2.0 {_PATCHED} {_TOOLS}",
    ),
    "sklearn-1.0": (
        "anaconda conda-forge",
        "python=3.9 pip=21.3.1 pandas~=1.3.0 scipy~=1.10.0 numpy~=1.22.0",
        f"wheel~=0.38.1 {_SDK} scikit-learn~=1.0.0 joblib~=1.2.0 {_PATCHED} {_TOOLS}",
    ),
    "lightgbm-3.3": (
        "conda-forge anaconda",
        "python=3.10 pip=26.1.1 pandas~=1.5.3 scipy~=1.10.0 numpy~=1.22.0",
        f"{_SDK} scikit-learn~=1.5.1 xgboost~=1.7.6 lightgbm>=4.6.0 distributed~=2021.10.0 adlfs~=0.7.0 {_TOOLS} "
        "starlette>=1.0.1",
    ),
    "tensorflow-2.16-cuda12": (
        "conda-forge anaconda",
        "python=3.10 pip=26.0 pandas=2.2.2 numpy=1.23.5 scipy~=1.14.0",
        f"setuptools==78.1.1 wheel==0.46.2 matplotlib~=3.5.0 psutil~=5.8.0 tqdm~=4.66.3 ipykernel~=6.20.2 {_SDK} "
        "tensorboard~=2.16.0 tensorflow[and-cuda]==2.16.2 tensorflow-datasets~=4.9.0 keras==3.12.1 tf-keras==2.16.0 "
        "debugpy~=1.6.3 idna>=3.7 flask-cors==6.0.0 requests==2.32.5 urllib3==2.6.3 pillow==12.1.1 h2>=4.3.0 "
        "starlette>=0.49.1",
    ),
    "tensorflow-2.12-cuda11": (
        "conda-forge anaconda",
        "python=3.8 pip=21.1 pandas~=1.3.0 scipy~=1.7.0 numpy~=1.22.0",
        f"setuptools==65.5.1 wheel~=0.38.1 matplotlib~=3.5.0 psutil~=5.8.0 tqdm~=4.62.0 ipykernel~=6.20.2 {_SDK} "
        "tensorboard~=2.12.0 tensorflow~=2.12.0 tensorflow-datasets~=4.5.0 onnxruntime-gpu~=1.9.0 protobuf~=4.22.0 "
        "horovod[tensorflow] debugpy~=1.6.3 cryptography>=41.0.4",
    ),
    "Minimal": ("conda-forge", "python=3.6.2", "azureml-core==1.8.0 azureml-defaults==1.8.0"),
    "Tutorial": (
        "anaconda conda-forge",
        "python=3.6.2 pandas numpy tqdm scikit-learn matplotlib",
        f"{_OLD} azureml-widgets==1.8.0 azureml-pipeline-core==1.8.0 azureml-pipeline-steps==1.8.0 "
        "azureml-opendatasets==1.8.0 azureml-automl-core==1.8.0 azureml-automl-runtime==1.8.0 "
        "azureml-train-automl-client==1.8.0 azureml-train-automl-runtime==1.8.0.post1 azureml-train-automl==1.8.0 "
        "azureml-train==1.8.0 azureml-sdk==1.8.0 azureml-interpret==1.8.0 azureml-tensorboard==1.8.0 "
        "azureml-mlflow==1.8.0 mlflow sklearn-pandas",
    ),
    "Scikit-learn-0.20.3": (
        "conda-forge",
        "python=3.6.2",
        f"{_OLD} scikit-learn==0.20.3 scipy==1.2.1 joblib==0.13.2",
    ),
    "TensorFlow-2.0-CPU": ("conda-forge", "python=3.6.2", f"{_OLD} tensorflow==2.0 horovod==0.18.1"),
    "TensorFlow-2.0-GPU": ("conda-forge", "python=3.6.2", f"{_OLD} tensorflow-gpu==2.0.0 horovod==0.18.1"),
    "TensorFlow-2.1-CPU": ("conda-forge", "python=3.6.2", f"{_OLD} tensorflow==2.1.0 horovod==0.19.1"),
    "TensorFlow-2.1-GPU": ("conda-forge", "python=3.6.2", f"{_OLD} tensorflow-gpu==2.1.0 horovod==0.19.1"),
    "TensorFlow-2.2-GPU": (
        "conda-forge",
        "python=3.6.2",
        f"{_OLD.replace('1.8.0', '1.13.0')} tensorflow-gpu==2.2.0 horovod==0.19.1",
    ),
}

NAMES = tuple(PREFIX + name for name in _CONTENTS)


def definition(name: str) -> dict | None:
    """The serialised environment of this name, with or without PREFIX; None for one of which nothing is known."""
    short = name.removeprefix(PREFIX)
    if short not in _CONTENTS:
        return None
    channels, conda, pip = (words.split() for words in _CONTENTS[short])
    image = f"mcr.microsoft.com/azureml/curated/{short}" if short.islower() else None  # the older ones' are not told
    return {
        "name": PREFIX + short,
        "python": {"condaDependencies": {"channels": channels, "dependencies": [*conda, {"pip": pip}]}},
        "docker": {"baseImage": image},
    }


def is_one(environment: dict) -> bool:
    """Whether a serialised environment is one of Microsoft's, unchanged in what it holds."""
    known = definition(environment.get("name") or "")
    given = (environment.get("python") or {}).get("condaDependencies") or {}
    return bool(known) and given.get("dependencies") == known["python"]["condaDependencies"]["dependencies"]


def unknown(name: str) -> str:
    """What is said of an environment of Microsoft's of which nothing is known."""
    return f"Nothing is known offline of what {name!r} holds. Microsoft's environments that are: {', '.join(NAMES)}."
