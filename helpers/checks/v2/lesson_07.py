"""The exercises of lesson 7 in version 2: a sweep that is described."""

from collections.abc import Mapping

from helpers.checks.lesson_07 import RATES, exercise_1, of_larger_sweep
from helpers.checks.looking import given, require, value

__all__ = ["exercise_1", "exercise_2", "exercise_3"]


def exercise_2(variables: Mapping[str, object]) -> str:
    from azure.ai.ml.sweep import Choice

    sweep = value(variables, "sweep_job")
    require(getattr(sweep, "type", None) == "sweep", "`sweep_job` is no sweep: `job(...).sweep(...)` returns one.")
    space = sweep.search_space
    require(
        set(space) == {"learning_rate"}, f"The sweep varies {', '.join(space)}; it should vary `learning_rate` alone."
    )
    rates = space["learning_rate"]
    values = sorted(map(float, rates.values)) if isinstance(rates, Choice) else rates.type
    require(values == sorted(RATES), f"The search space has {values}; a `Choice` of {list(RATES)} is asked for.")
    algorithm = str(getattr(sweep.sampling_algorithm, "type", sweep.sampling_algorithm)).lower()
    require(algorithm == "grid", f"The `sampling_algorithm` is {algorithm}; only a grid tries each value once.")
    goal = (sweep.objective.goal.lower(), sweep.objective.primary_metric)
    require(goal == ("maximize", "Accuracy"), f"It would {goal[0]} `{goal[1]}`; it should maximize `Accuracy`.")
    limits = sweep.limits
    for name, wanted in (("max_total_trials", 2), ("max_concurrent_trials", 2), ("timeout", 600)):
        told = getattr(limits, name, None)
        require(told == wanted, f"The limit `{name}` is {told}; it should be {wanted}.")
    return (
        "Two trials, side by side, each rate once: that is what a grid is. Submitted, it would be a job like any other."
    )


def exercise_3(variables: Mapping[str, object]) -> str:
    return of_larger_sweep(variables, given(variables, "cluster").size)
