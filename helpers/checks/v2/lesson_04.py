"""The exercises of lesson 4 in version 2: a job."""

from collections.abc import Mapping

from helpers.checks.looking import UNDER_WAY, given, measured, reason_in, require, whole
from helpers.checks.v2.looking import client, ended_job, input_of, job_of, log_of
from helpers.workspace_v2 import job_status


def exercise_1(variables: Mapping[str, object]) -> str:
    import mlflow

    job = ended_job(variables, "short", "Completed")
    for name, wanted in (("epochs", "1"), ("first_layer_neurons", "30")):
        told = input_of(job, name)
        require(told == wanted, f"The job was given {told} for `{name}`; it should be {wanted}.")
    purpose = (job.tags or {}).get("purpose")
    require(purpose == "exercise", "The job has no tag `purpose` with the value `exercise`.")
    workspace = client(variables).workspaces.get(client(variables).workspace_name)
    run = mlflow.MlflowClient(workspace.mlflow_tracking_uri).get_run(job.name)
    accuracy = measured(run.data.metrics, "job")
    return f"One epoch and 30 neurons read {accuracy:.1%} of the test images. The rest is what costs time."


def exercise_2(variables: Mapping[str, object]) -> str:
    import mlflow

    told, job = whole(variables, "best_epoch"), given(variables, "lesson_job")
    losses = [metric.value for metric in mlflow.MlflowClient().get_metric_history(job.name, "Loss")]
    require(losses, "The job `lesson_job` has logged no `Loss`. Run notebook 4, then this notebook from its top.")
    lowest = losses.index(min(losses)) + 1
    require(told != lowest - 1, f"`best_epoch` is {told}: that counts from 0; people count epochs from 1.")
    require(1 <= told <= len(losses), f"The job has the epochs 1 to {len(losses)}; `best_epoch` is {told}.")
    require(told == lowest, f"In epoch {told} the validation loss was {losses[told - 1]:.4f}; there is a lower one.")
    return f"Epoch {lowest} of {len(losses)}, with a loss of {min(losses):.4f}. What came after it was not needed."


def exercise_3(variables: Mapping[str, object]) -> str:
    job = ended_job(variables, "broken", "Failed")
    return reason_in(variables, log_of(client(variables), job.name))


def exercise_4(variables: Mapping[str, object]) -> str:
    status = job_status(job_of(variables, "endless"))
    require(status not in UNDER_WAY, f"The job `endless` is {status}, and costs money until you cancel it.")
    ended_job(variables, "endless", "Canceled")
    return "Canceled. What it had logged and written until then is kept, and its machine is free."
