"""What Run.get_details() tells, under the service's keys."""

from azureml import _engine
from azureml.exceptions import AzureMLException

USER = "offline"  # who submits, in a workspace without accounts
LOGS = ("azureml-logs/", "logs/", "system_logs/", "user_logs/")


def details(run):
    """The details of a run as its record has them now."""
    record = run._record
    job = submitted(run)
    told = {
        "runId": run.id,
        "target": job.get("target", "local"),
        "status": record.status,
        "startTimeUtc": _utc(record.started),
        "endTimeUtc": _utc(record.ended),
        "services": {},
        "error": record.error and {"error": record.error},
        "properties": dict(record.properties),
        "inputDatasets": [_input_dataset(run, given) for given in job.get("inputs", []) if "is_reference" not in given],
        "outputDatasets": [
            _output_dataset(run, given) for given in job.get("outputs") or [] if _became_a_dataset(record, given)
        ],
        "runDefinition": job.get("run_definition"),
        "logFiles": _log_files(run),
        "submittedBy": USER,
    }
    return {key: value for key, value in told.items() if value is not None}


def submitted(run):
    """What the engine keeps of the job that the run is; nothing of an interactive one."""
    try:
        return _engine.jobs.details(run._folder, run.id)
    except _engine.errors.NotFound:
        return {}


def _log_files(run):
    names = [name for name in run.get_file_names() if name.startswith(LOGS)]
    return {name: _engine.run_files.path_of(run._folder, run.id, name).as_uri() for name in names}


def _input_dataset(run, given):
    consumption = {
        "type": "RunInput",
        "inputName": given["name"],
        "mechanism": given["mode"].title(),
        "pathOnCompute": given.get("path_on_compute"),
    }
    return {
        "dataset": _dataset(run, given["dataset_id"]),
        "consumptionDetails": {key: value for key, value in consumption.items() if value},
    }


def _became_a_dataset(record, given):
    return "mechanism" in given and record.status == "Completed"


def _output_dataset(run, given):
    from azureml.data.file_dataset import FileDataset
    from azureml.data.tabular_dataset import TabularDataset

    kind = TabularDataset if given["table"] else FileDataset
    sources = [{"datastore": given["datastore"], "path": given["path"]}]
    dataset = kind._create(sources, table=given["table"])
    registered = given["register"] and dataset._registered_as(run.experiment.workspace, given["register"]["name"])
    if not registered:
        dataset._ensure_saved(run.experiment.workspace)
    return {
        "dataset": registered or dataset,
        "outputType": "RunOutput",
        "outputDetails": {"outputName": given["name"], "mechanism": given["mechanism"].title()},
    }


def _dataset(run, dataset_id):
    from azureml.core.dataset import Dataset

    try:
        return Dataset.get_by_id(run.experiment.workspace, dataset_id)
    except AzureMLException:
        return {"id": dataset_id}  # unregistered since


def _utc(time):
    return time and time.replace("+00:00", "Z")
