"""The exercises of lesson 5: a model."""

from collections.abc import Mapping

from helpers.checks.looking import arguments, entry, given, in_workspace, measured, near, number, require, workspace

MODEL = "exercise-model"


def exercise_1(variables: Mapping[str, object]) -> str:
    versions, run = _versions(variables), given(variables, "run")
    right = f"{measured(run.get_metrics(), 'run'):.4f}"
    problems = [_problem(model, run, right) for model in versions]
    require(None in problems, problems[0])
    version = versions[problems.index(None)].version
    return f"`{MODEL}` version {version}, {right}: what was measured goes with the model wherever it goes."


def exercise_2(variables: Mapping[str, object]) -> str:
    return in_their_stages(_versions(variables), MODEL, "the run's files")


def exercise_3(variables: Mapping[str, object]) -> str:
    told, model = number(variables, "rate"), given(variables, "model")
    missing = "The model's run was given no `--learning-rate`: register a model of a run of notebook 4."
    right = float(entry(arguments(model.run) if model.run else {}, "--learning-rate", missing))
    require(near(told, right, 1e-6), f"{told} is not what the model's run was given. `model.run` leads there.")
    return f"{right}: from a name to the learning rate, and nobody had to remember it."


def in_their_stages(versions: list, name: str, files: str) -> str:
    """What is told of a model's versions, the newest first, whose tags say their stages. Raises NotYet."""
    newest, *older = versions
    require(older, f"`{name}` has one version. Register {files} under the same name once more.")
    for model, stage in ((newest, "candidate"), (older[0], "retired")):
        told = (model.tags or {}).get("stage")
        wrong = f"Version {model.version} should have the tag `stage` with the value `{stage}`, not {told!r}."
        require(told == stage, wrong)
    return f"Version {newest.version} is the candidate, version {older[0].version} is retired, and both are kept."


def _versions(variables: Mapping[str, object]) -> list:
    """The versions of the exercise's model, the newest first."""
    from azureml.core import Model

    ws = workspace(variables)
    missing = f"The workspace has no model `{MODEL}` yet. `run.register_model` makes one of a run's files."
    found = in_workspace(lambda: Model.list(ws, name=MODEL), missing)
    require(found, missing)
    return sorted(found, key=lambda model: model.version, reverse=True)


def _problem(model, run, accuracy: str) -> str | None:
    """What is missing in a version that should come from this run, and tell its accuracy."""
    told = (model.properties or {}).get("accuracy")
    if model.run_id != run.id:
        return f"Version {model.version} comes from another run. Register it with `run.register_model`."
    if (model.tags or {}).get("data") != "MNIST":
        return f"Version {model.version} has no tag `data` with the value `MNIST`."
    if told is None:
        return f"Version {model.version} has no property `accuracy`."
    if told != accuracy:
        return f"The property `accuracy` is {told!r}. With four digits, the run measured {accuracy!r}."
    return None
