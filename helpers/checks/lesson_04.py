"""The exercises of lesson 4: a run."""

from collections.abc import Mapping

import numpy as np

from helpers.checks.looking import (
    UNDER_WAY,
    arguments,
    ended_run,
    entry,
    given,
    listed,
    measured,
    reason_in,
    require,
    value,
    whole,
)


def exercise_1(variables: Mapping[str, object]) -> str:
    run = ended_run(variables, "short", "Completed")
    told = arguments(run)
    epochs = told.get("--epochs", "20")  # what the script does without one
    require(epochs == "1", f"The run trained for {epochs} epochs; give the script `--epochs` and 1.")
    neurons = told.get("--first-layer-neurons", "300")
    require(neurons == "30", f"The first layer has {neurons} neurons; give the script `--first-layer-neurons` and 30.")
    accuracy = measured(run.get_metrics(), "run")
    return (
        f"One epoch and 30 neurons read {accuracy:.1%} of the test images. The rest of the accuracy is what costs time."
    )


def exercise_2(variables: Mapping[str, object]) -> str:
    short = ended_run(variables, "short", "Completed")
    purpose = short.get_tags().get("purpose")
    require(purpose == "exercise", "The run `short` has no tag `purpose` with the value `exercise`.")
    found = listed(variables, "found")
    require(all(hasattr(run, "get_tags") for run in found), "`found` should hold runs, as `get_runs` returns them.")
    require(short.id in [run.id for run in found], "`found` does not hold the run `short`.")
    others = [run for run in found if run.get_tags().get("purpose") != "exercise"]
    require(not others, f"`found` also holds {len(others)} without the tag. `get_runs` takes `tags`.")
    return "Found by its tag: a run's number says nothing to anybody in half a year, a tag does."


def exercise_3(variables: Mapping[str, object]) -> str:
    told, run = whole(variables, "best_epoch"), given(variables, "lesson_run")
    missing = "The run `lesson_run` has logged no `Loss`. Run notebook 4, then this notebook from its top."
    losses = np.atleast_1d(entry(run.get_metrics(name="Loss"), "Loss", missing))
    lowest = int(np.argmin(losses)) + 1
    require(told != lowest - 1, f"{told} counts the epochs from 0; people count them from 1.")
    require(1 <= told <= len(losses), f"The run has the epochs 1 to {len(losses)}, and no epoch {told}.")
    require(told == lowest, f"In epoch {told} the validation loss was {losses[told - 1]:.4f}; there is a lower one.")
    return (
        f"Epoch {lowest} of {len(losses)}, with a loss of {losses[lowest - 1]:.4f}. What came after it was not needed."
    )


def exercise_4(variables: Mapping[str, object]) -> str:
    run = ended_run(variables, "broken", "Failed")
    return reason_in(variables, "\n".join(run.get_details_with_logs()["logFiles"].values()))


def exercise_5(variables: Mapping[str, object]) -> str:
    run = value(variables, "endless")
    status = run.get_status() if hasattr(run, "get_status") else None
    require(status not in UNDER_WAY, f"The run is {status}, and costs money until you cancel it.")
    ended_run(variables, "endless", "Canceled")
    return "Canceled. What it had logged and written until then is kept, and its machine is free."
