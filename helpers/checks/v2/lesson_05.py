"""The exercises of lesson 5 in version 2: a model."""

from collections.abc import Mapping

from helpers.checks.lesson_05 import in_their_stages
from helpers.checks.looking import given, measured, near, number, require
from helpers.checks.v2.looking import client, input_of, versions

MODEL = "exercise-model-v2"


def exercise_1(variables: Mapping[str, object]) -> str:
    import mlflow

    found, job = _versions(variables), given(variables, "job")
    right = f"{measured(mlflow.get_run(job.name).data.metrics, 'job'):.4f}"
    problems = [_problem(model, job, right) for model in found]
    require(None in problems, problems[0])
    version = found[problems.index(None)].version
    return f"`{MODEL}` version {version}, {right}: whoever finds the model finds how good it is."


def exercise_2(variables: Mapping[str, object]) -> str:
    return in_their_stages(_versions(variables), MODEL, "the job's files")


def exercise_3(variables: Mapping[str, object]) -> str:
    told, model = number(variables, "rate"), given(variables, "model")
    require(model.job_name, "`model` comes from no job: register the files of a job of notebook 4.")
    right = float(input_of(client(variables).jobs.get(model.job_name), "learning_rate"))
    require(
        near(told, right, 1e-6), f"`rate` is {told}; the model's job was given another. `model.job_name` leads there."
    )
    return f"{right}: from a name to the learning rate, and nobody had to remember it."


def _versions(variables: Mapping[str, object]) -> list:
    missing = f"The workspace has no model `{MODEL}` yet. `ml_client.models.create_or_update` makes one."
    return versions(client(variables), "models", MODEL, missing)


def _problem(model, job, accuracy: str) -> str | None:
    """What is missing in a version that should come from this job, and tell its accuracy."""
    tags = model.tags or {}
    if model.job_name != job.name:
        return f"Version {model.version} comes from elsewhere. Its `path` has to name the job's output."
    if tags.get("data") != "MNIST":
        return f"Version {model.version} has no tag `data` with the value `MNIST`."
    if tags.get("accuracy") != accuracy:
        return f"The tag `accuracy` is {tags.get('accuracy')!r}. With four digits, the job measured {accuracy}."
    return None
