"""When a sweep stops a trial early: the policies of azureml.train.hyperdrive, as pure functions of the trials' curves.

A curve is what a trial has logged as the primary metric; each report counts as one interval, from 1. The definitions
are those of
https://learn.microsoft.com/azure/machine-learning/v1/how-to-tune-hyperparameters-v1#specify-early-termination-policy
and of the classes' documentation. A report that is NaN counts as an interval and is never a best.
"""

import math
import statistics

from helpers.offline.engine.workspace.errors import Invalid

NONE, BANDIT, MEDIAN, TRUNCATION = "Default", "Bandit", "MedianStopping", "TruncationSelection"
Curves = dict[str, list[float]]


def check(policy: dict) -> None:
    """Refuse a policy {"name": …, "properties": …} that cannot be applied. Raises Invalid."""
    properties = policy.get("properties", {})
    if properties.get("evaluation_interval", 1) < 1:
        raise Invalid(f"evaluation_interval is {properties['evaluation_interval']}; give a whole number above 0.")
    if properties.get("delay_evaluation", 0) < 0:
        raise Invalid(f"delay_evaluation is {properties['delay_evaluation']}; give 0 or more.")
    for slack in {"slack_factor", "slack_amount"} & set(properties):
        if not isinstance(properties[slack], (int, float)) or properties[slack] < 0:
            raise Invalid(f"{slack} is {properties[slack]}; give a number, such as 0.1.")


def applies(policy: dict, interval: int) -> bool:
    """Whether a trial is judged at this report: at each multiple of evaluation_interval from delay_evaluation on."""
    properties = policy.get("properties", {})
    return (
        policy["name"] != NONE
        and interval % properties["evaluation_interval"] == 0
        and interval >= properties["delay_evaluation"]
    )


def reason_to_stop(policy: dict, goal: str, curves: Curves, trial: str, interval: int) -> str | None:
    """Why `trial` is to be stopped at its report number `interval`; None where it may go on.

    `goal` is "maximize" or "minimize". `curves` has every trial of the sweep, whether it is still running or not.
    """
    if not applies(policy, interval):
        return None
    judge = {BANDIT: _bandit, MEDIAN: _median, TRUNCATION: _truncation}[policy["name"]]
    reason = judge(policy["properties"], goal, curves, trial, interval)
    return reason and f"{policy['name']} policy at interval {interval}: {reason}"


def best(goal: str, curve: list[float]) -> float | None:
    """The best value of a curve; None where it has none that is a number."""
    numbers = [value for value in curve if not math.isnan(value)]
    return (max if goal == "maximize" else min)(numbers, default=None)


def is_worse(goal: str, value: float | None, other: float) -> bool:
    """Whether `value` is worse than `other`; None, which is no number, is worse than any."""
    return value is None or (value < other if goal == "maximize" else value > other)


def _bandit(properties: dict, goal: str, curves: Curves, trial: str, interval: int) -> str | None:
    """Stop what does not come up to the best trial within the slack.

    Maximized with a slack_factor: own + own * slack_factor < best, as documented. Minimized, which the documentation
    does not spell out: own > best + best * slack_factor, the same ratio of the two. The slack is a size, so that of a
    negative metric it is taken from the absolute value. All are taken up to the interval.
    """
    own = best(goal, curves[trial][:interval])
    leader = best(goal, [value for curve in curves.values() for value in curve[:interval]])
    if leader is None:
        return None
    if "slack_factor" in properties:
        slack = properties["slack_factor"]
        told = f"slack_factor {slack}"
        amount = abs(own or 0 if goal == "maximize" else leader) * slack
    else:
        amount = properties["slack_amount"]
        told = f"slack_amount {amount}"
    with_slack = own if own is None else own + amount if goal == "maximize" else own - amount
    if not is_worse(goal, with_slack, leader):
        return None
    return f"its best so far, {_told(own)}, is not within {told} of the best, {_told(leader)}"


def _median(properties: dict, goal: str, curves: Curves, trial: str, interval: int) -> str | None:
    """Stop a trial whose best is worse than the median of all trials' averages over the intervals from 1 to this one.

    A trial that has not come so far has no such average yet.
    """
    averages = []
    for curve in _come_so_far(curves, interval):
        if numbers := [value for value in curve if not math.isnan(value)]:
            averages.append(statistics.fmean(numbers))
    if not averages:
        return None
    own, middle = best(goal, curves[trial][:interval]), statistics.median(averages)
    if not is_worse(goal, own, middle):
        return None
    return f"its best so far, {_told(own)}, is worse than the median of the running averages, {_told(middle)}"


def _truncation(properties: dict, goal: str, curves: Curves, trial: str, interval: int) -> str | None:
    """Stop a trial that is among the truncation_percentage lowest of those that have come so far.

    Their number is rounded down, and a trial that ties with one above the cut goes on.
    """
    own = best(goal, curves[trial][:interval])
    others = [best(goal, curve) for curve in _come_so_far(curves, interval)]
    lowest = len(others) * properties["truncation_percentage"] // 100
    not_better = sum(other is None or (own is not None and not is_worse(goal, own, other)) for other in others)
    if not_better > lowest:
        return None
    return (
        f"its best so far, {_told(own)}, is among the {properties['truncation_percentage']} % lowest, "
        f"{lowest} of {len(others)}"
    )


def _come_so_far(curves: Curves, interval: int) -> list[list[float]]:
    """The curves with a report at the interval, up to it."""
    return [curve[:interval] for curve in curves.values() if len(curve) >= interval]


def _told(value: float | None) -> str:
    return "NaN" if value is None else f"{value:.4g}"
