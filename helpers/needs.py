"""Whether the workspace holds what a notebook needs: asked by scripts/run_notebooks.py before it runs one.

    python -m helpers.needs BACKEND FILE

reads a JSON list of [SDK, kind, name] from FILE and writes back into it those that the workspace lacks. Each is asked
for by the notebook's own SDK, "v1" or "v2", with its login. Where the workspace cannot be asked it prints the reason
and ends with exit code 1.
"""

import contextlib
import functools
import io
import json
import signal
import sys
from pathlib import Path

import helpers
from helpers.workspace import says_not_found

ENDED_WITHOUT_RESULT = ("Failed", "Canceled")


def is_there(sdk: str, kind: str, name: str) -> bool:
    """Whether the workspace holds the dataset, data asset, compute, run, job or model.

    A run or job is one in the experiment of that name; one that is still going counts, for the notebooks wait for it.
    Raises ValueError for another kind, and AzureProblem where Azure refuses to say.
    """
    with helpers.explained():
        return {"v1": _is_there_in_v1, "v2": _is_there_in_v2}[sdk](kind, name)


def _is_there_in_v1(kind: str, name: str) -> bool:
    from azureml.core import Dataset, Experiment, Model
    from azureml.exceptions import AzureMLException

    workspace = _workspace()
    try:
        with helpers.explained():
            match kind:
                case "dataset":
                    return Dataset.get_by_name(workspace, name) is not None
                case "compute":
                    return name in workspace.compute_targets
                case "run":
                    found = Experiment.list(workspace, experiment_name=name)
                    runs = (run for experiment in found for run in experiment.get_runs())
                    return any(run.get_status() not in ENDED_WITHOUT_RESULT for run in runs)
                case "model":
                    return Model(workspace, name) is not None
    except AzureMLException as error:
        if says_not_found(error):  # a dataset or model
            return False
        raise
    raise _unknown(kind)


def _is_there_in_v2(kind: str, name: str) -> bool:
    from azure.ai.ml.exceptions import MlException
    from azure.core.exceptions import ResourceNotFoundError

    client = _client()
    try:
        match kind:
            case "data":
                return client.data.get(name, label="latest") is not None
            case "compute":
                return client.compute.get(name) is not None
            case "job":
                jobs = (job for job in client.jobs.list() if job.experiment_name == name)
                return any(job.status not in ENDED_WITHOUT_RESULT for job in jobs)
            case "model":
                return client.models.get(name, label="latest") is not None
    except (MlException, ResourceNotFoundError):  # what the client says of what it does not find
        return False
    raise _unknown(kind)


def _unknown(kind: str) -> ValueError:
    return ValueError(f"there is no kind {kind!r} of things in a workspace")


@functools.cache
def _workspace():
    from azureml.core import Workspace

    with contextlib.redirect_stdout(sys.stderr):  # a login may have something to ask
        return Workspace.from_config(auth=helpers.credential())


@functools.cache
def _client():
    with contextlib.redirect_stdout(io.StringIO()):
        return helpers.ml_client()


def main(backend: str, file: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        helpers.use_backend(backend)
    needs = json.loads(Path(file).read_text(encoding="utf-8"))
    lacking = [need for need in needs if not is_there(*need)]
    Path(file).write_text(json.dumps(lacking), encoding="utf-8")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever started this gets Ctrl-C as well, and tells of it
    try:
        main(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
