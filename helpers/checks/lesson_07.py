"""The exercises of lesson 7: a sweep."""

import json
import math
from collections.abc import Mapping

from helpers import costs, sweeps
from helpers.checks.looking import given, near, number, require, value
from helpers.looks import FINAL

ROUNDED = 0.02  # share by which a rate is off whose exponent is rounded to a decimal
GENERATOR = "_aml_system_generator_config"  # the tag of a sweep that says how it draws its values
RATES = (0.0005, 0.002)
HOURS, IDLE = 1, 120  # that the exercise's sweep may last, and that a machine waits, in hours and seconds


def exercise_1(variables: Mapping[str, object]) -> str:
    low, high = (number(variables, name) for name in ("low", "high"))
    rates = [math.exp(min(exponent, 50)) for exponent in (low, high)]  # far beyond that there is no such number
    drawn = [f"{rate:.4g}" for rate in rates]
    require(
        not near(low, 0.0001),
        "`loguniform` takes exponents: with these, rates around 1 are drawn. What is log(0.0001)?",
    )
    log10 = near(low, -4) and near(high, -2)
    require(
        not log10, f"These are exponents of 10; `loguniform` takes those of e, and would draw {drawn[0]} to {drawn[1]}."
    )
    right = near(rates[0], 0.0001, ROUNDED) and near(rates[1], 0.01, ROUNDED)
    require(right, f"These draw rates from {drawn[0]} to {drawn[1]}; it should be 0.0001 to 0.01.")
    return f"{low:.2f} and {high:.2f}: half of the rates that are drawn will lie below 0.001."


def exercise_2(variables: Mapping[str, object]) -> str:
    sweep = value(variables, "sweep")
    require(getattr(sweep, "type", None) == "hyperdrive", "`sweep` is no sweep: submit a `HyperDriveConfig`.")
    status = sweep.get_status()
    require(status in FINAL, f"The sweep is {status}. Wait for it: `helpers.watch(sweep)`.")
    require(status == "Completed", f"The sweep is {status}. `helpers.watch(sweep)` shows why.")
    trials = sweeps.trials(sweep, "Accuracy")
    others = sorted({name for trial in trials for name in trial.parameters} - {"--learning-rate"})
    require(not others, f"It varies `{', '.join(others)}`; the script's argument is `--learning-rate`.")
    tried = sorted(float(trial.parameters.get("--learning-rate", "nan")) for trial in trials)
    require(tried == sorted(RATES), f"It tried the learning rates {tried}; each of {list(RATES)} should be tried once.")
    noted = sweep.get_tags().get(GENERATOR)
    drawn = "Its sampling is another: here each rate was drawn once by chance. `GridParameterSampling` leaves none out."
    require(noted is None or json.loads(noted)["name"].upper() == "GRID", drawn)
    return f"{len(trials)} trials, each combination once: that is what a grid is."


def exercise_3(variables: Mapping[str, object]) -> str:
    told = number(variables, "best_rate")
    curves = {float(trial.parameters["--learning-rate"]): trial.curve for trial in _trials(variables)}
    require(
        told in curves, f"No trial has the learning rate {told:g}; there are {', '.join(map(str, sorted(curves)))}."
    )
    best = max(curves, key=lambda rate: max(curves[rate]))
    require(
        max(curves[told]) >= max(curves[best]),
        f"With {told:g} the accuracy is {max(curves[told]):.4f}; there is a better one.",
    )
    others = ", ".join(f"{rate:g}: {max(curve):.4f}" for rate, curve in sorted(curves.items()))
    return f"{told:g} is the better one ({others}). Two trials of one epoch are not much to go by."


def exercise_4(variables: Mapping[str, object]) -> str:
    return of_larger_sweep(variables, given(variables, "compute_target").vm_size)


def of_larger_sweep(variables: Mapping[str, object], vm_size: str) -> str:
    """Whether `dollars` is what twenty trials can cost at most."""
    told = number(variables, "dollars")
    right = costs.bound(vm_size, 4, HOURS * 3600 + IDLE)
    require(right, f"There is no price for {vm_size} here; {costs.VARIABLE} takes a file of your own prices.")
    without_idle = costs.bound(vm_size, 4, HOURS * 3600)
    require(not near(told, without_idle), f"{told:.3f} USD leaves out the two minutes for which the machines wait.")
    require(told < 5 * right, f"{told:.2f} USD is too much: twenty trials, but never more than four at once.")
    require(near(told, right), f"{told:.3f} USD is not it. How many machines are on, and for how long at most?")
    return f"{right:.2f} USD at most. The number of trials is not in it: the time limit ends the sweep."


def _trials(variables: Mapping[str, object]) -> list:
    exercise_2(variables)
    return sweeps.trials(variables["sweep"], "Accuracy")
