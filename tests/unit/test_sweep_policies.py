"""The policies of a sweep, on curves that were worked out by hand."""

import math

import pytest

from helpers.offline.engine.sweeps import policies
from helpers.offline.engine.workspace.errors import Invalid

NAN = math.nan


def policy(name, evaluation_interval=1, delay_evaluation=0, **properties):
    given = {"evaluation_interval": evaluation_interval, "delay_evaluation": delay_evaluation, **properties}
    return {"name": name, "properties": given}


def stopped(given, curves, interval, goal="maximize"):
    """Which trials, of those that have come so far, are stopped at this interval."""
    return {
        trial
        for trial, curve in curves.items()
        if len(curve) >= interval and policies.reason_to_stop(given, goal, curves, trial, interval)
    }


@pytest.mark.parametrize(
    "evaluation_interval, delay_evaluation, intervals",
    [(1, 0, [1, 2, 3, 4, 5, 6]), (2, 0, [2, 4, 6]), (2, 4, [4, 6]), (2, 3, [4, 6]), (3, 1, [3, 6]), (1, 5, [5, 6])],
)
def test_at_which_reports_a_policy_applies(evaluation_interval, delay_evaluation, intervals):
    given = policy("Bandit", evaluation_interval, delay_evaluation, slack_factor=0.1)
    assert [interval for interval in range(1, 7) if policies.applies(given, interval)] == intervals
    curves = {"good": [1.0] * 6, "bad": [0.1] * 6}
    assert [interval for interval in range(1, 7) if stopped(given, curves, interval) == {"bad"}] == intervals


def test_no_policy_stops_nothing():
    assert not stopped({"name": "Default"}, {"good": [1.0], "bad": [0.0]}, 1)


def test_bandit_by_a_factor():
    # 0.2 more of the own value: 0.66 * 1.2 = 0.792 is less than 0.8, 0.67 * 1.2 = 0.804 is not.
    curves = {"best": [0.5, 0.8], "out": [0.6, 0.66], "in": [0.1, 0.67], "falls": [0.7, 0.1]}
    given = policy("Bandit", slack_factor=0.2)
    assert stopped(given, curves, 2) == {"out"}  # "falls" counts with its best, 0.7
    # After one report the best is 0.7, and what comes later is not looked at: 0.5 * 1.2 = 0.6, 0.6 * 1.2 = 0.72.
    assert stopped(given, curves, 1) == {"best", "in"}


def test_bandit_by_an_amount():
    curves = {"best": [0.8], "out": [0.59], "edge": [0.6], "in": [0.7]}
    assert stopped(policy("Bandit", slack_amount=0.2), curves, 1) == {"out"}
    assert stopped(policy("Bandit", slack_amount=0.25), curves, 1) == set()
    assert stopped(policy("Bandit", slack_amount=0.15), curves, 1) == {"out", "edge"}


def test_bandit_minimized():
    # The best loss is 0.2: with a factor of 0.5 up to 0.3 may go on, with an amount of 0.05 up to 0.25.
    curves = {"best": [0.4, 0.2], "near": [0.5, 0.24], "middle": [0.28, 0.9], "far": [0.31, 0.32]}
    assert stopped(policy("Bandit", slack_factor=0.5), curves, 2, "minimize") == {"far"}
    assert stopped(policy("Bandit", slack_amount=0.05), curves, 2, "minimize") == {"middle", "far"}


def test_bandit_never_stops_the_best_of_a_negative_metric():
    curves = {"best": [-1.0], "near": [-1.1], "far": [-2.0]}
    # -1.1 + 0.11 = -0.99 comes up to -1, -2 + 0.2 = -1.8 does not.
    assert stopped(policy("Bandit", slack_factor=0.1), curves, 1) == {"far"}


def test_bandit_looks_at_the_best_of_all_trials_also_of_younger_and_ended_ones():
    curves = {"young": [0.9], "old": [0.5, 0.6]}
    assert stopped(policy("Bandit", slack_factor=0.1), curves, 2) == {"old"}


def test_median_stopping():
    # Running averages after two reports: a 0.5, b 0.6, c 0.8; their median is 0.6.
    curves = {"a": [0.4, 0.6], "b": [0.5, 0.7], "c": [0.9, 0.7]}
    assert stopped(policy("MedianStopping"), curves, 2) == set()  # a's best, 0.6, is not worse than 0.6
    # After one: 0.4, 0.5, 0.9; the median is 0.5.
    assert stopped(policy("MedianStopping"), curves, 1) == {"a"}
    # An even number of trials: averages 0.1, 0.4, 0.5, 0.9, the median is 0.45.
    assert stopped(policy("MedianStopping"), {**curves, "d": [0.1]}, 1) == {"a", "d"}


def test_median_stopping_minimized_and_with_a_trial_that_has_not_come_so_far():
    # Averages after three: a 0.4, b 0.6, d 0.9; the median is 0.6. c has none.
    curves = {"a": [0.6, 0.4, 0.2], "b": [0.7, 0.6, 0.5], "c": [0.1, 0.1], "d": [0.9, 0.9, 0.9]}
    assert stopped(policy("MedianStopping"), curves, 3, "minimize") == {"d"}


def test_truncation_selection():
    curves = {f"t{number}": [number / 10] for number in range(1, 11)}
    assert stopped(policy("TruncationSelection", truncation_percentage=20), curves, 1) == {"t1", "t2"}
    assert stopped(policy("TruncationSelection", truncation_percentage=20), curves, 1, "minimize") == {"t9", "t10"}
    # 29 % of ten are two; 9 % are none.
    assert stopped(policy("TruncationSelection", truncation_percentage=29), curves, 1) == {"t1", "t2"}
    assert stopped(policy("TruncationSelection", truncation_percentage=9), curves, 1) == set()


def test_truncation_selection_compares_trials_of_the_same_age():
    # "young" has one report, better than what the others had after one; after two it is not ranked.
    curves = {"young": [0.4], "a": [0.3, 0.8], "b": [0.2, 0.7], "c": [0.35, 0.6]}
    given = policy("TruncationSelection", truncation_percentage=34)
    assert stopped(given, curves, 1) == {"b"}
    assert stopped(given, curves, 2) == {"c"}


def test_truncation_selection_lets_a_tie_at_the_cut_go_on():
    curves = {"a": [0.1], "b": [0.1], "c": [0.5], "d": [0.9]}
    assert stopped(policy("TruncationSelection", truncation_percentage=25), curves, 1) == set()
    assert stopped(policy("TruncationSelection", truncation_percentage=50), curves, 1) == {"a", "b"}


@pytest.mark.parametrize(
    "given",
    [
        policy("Bandit", slack_factor=0.1),
        policy("Bandit", slack_amount=0.1),
        policy("MedianStopping"),
        policy("TruncationSelection", truncation_percentage=50),
    ],
    ids=lambda given: given["name"],
)
@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_nan_is_worse_than_anything_and_counts_as_a_report(given, goal):
    curves = {"nan": [NAN, NAN], "number": [0.5, 0.5]}
    assert stopped(given, curves, 2, goal) == {"nan"}
    assert not stopped(given, {"nan": [NAN], "too": [NAN]}, 1, goal)
    assert policies.best(goal, [NAN, 0.5, NAN]) == 0.5
    assert policies.best(goal, [NAN]) is None


def test_the_reason_tells_the_policy_the_interval_and_the_figures():
    curves = {"best": [0.9, 0.95], "own": [0.4, 0.61]}
    assert policies.reason_to_stop(policy("Bandit", slack_factor=0.1), "maximize", curves, "own", 2) == (
        "Bandit policy at interval 2: its best so far, 0.61, is not within slack_factor 0.1 of the best, 0.95"
    )


@pytest.mark.parametrize(
    "given, told",
    [
        (policy("MedianStopping", evaluation_interval=0), "evaluation_interval is 0"),
        (policy("MedianStopping", delay_evaluation=-1), "delay_evaluation is -1"),
        (policy("Bandit", slack_amount=None), "slack_amount is None"),
        (policy("Bandit", slack_factor=-0.1), "slack_factor is -0.1"),
    ],
)
def test_a_policy_that_cannot_be_applied_is_refused(given, told):
    with pytest.raises(Invalid, match=told):
        policies.check(given)
