"""Sweep jobs: from the management plane's description to the engine's sweep, and what is told of each trial."""

import re

import isodate

from helpers.offline.arm import commands
from helpers.offline.arm.wire import Refused, Request, Unsupported
from helpers.offline.engine import sweeps
from helpers.offline.engine.history import mlflow_store
from helpers.offline.engine.sweeps import policies, sampling, submission
from helpers.words import counted

RUN_TYPE = "azureml.sweepjob"
SAMPLINGS = {"Random": sampling.RANDOM, "Grid": sampling.GRID, "Bayesian": sampling.BAYESIAN}
POLICIES = {
    "Bandit": policies.BANDIT,
    "MedianStopping": policies.MEDIAN,
    "TruncationSelection": policies.TRUNCATION,
}
GOALS = ("maximize", "minimize")  # in upper or lower case
# What they are where they are not given, and the most that they may be:
# https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep
MOST = {"maxTotalTrials": submission.MAX_TOTAL_RUNS, "maxConcurrentTrials": submission.MAX_CONCURRENT_RUNS}
TIMEOUT = 5_184_000  # seconds
TRIAL = "{run-id}"  # what stands for a trial where its name is not known yet


def submit(request: Request, name: str, asked: dict, given: dict) -> None:
    """Start a sweep under this name; `given` are further words for jobs.submit. Raises what commands.job_of raises."""
    if any((output or {}).get("assetName") for output in (asked.get("outputs") or {}).values()):
        raise Unsupported("A sweep's output with a name to register", "register that of its best trial")
    swept, job = parts_of(request, asked)
    sweeps.submit(request.folder, sweep=swept, job=job, run_id=name, **given)


def parts_of(request: Request, asked: dict, datastore: str | None = None) -> tuple[dict, dict]:
    """The engine's sweep, and the job that each trial is. Raises what commands.job_of raises."""
    trial, swept = of_trial(asked), sweep_of(asked)
    trial["command"] = _filled(trial["command"], {key: f"${{search:{key}}}" for key in asked["searchSpace"]})
    return swept, commands.job_of(request, TRIAL, trial, datastore) | {"asked": asked}


def of_trial(asked: dict, hyperparameters: dict | None = None) -> dict:
    """The command job that a sweep makes of itself for a trial, whose hyperparameters are in its command."""
    shared = ("experimentName", "computeId", "inputs", "outputs", "identity")
    trial = {key: value for key, value in (asked.get("trial") or {}).items() if value is not None}
    return {
        **{key: asked[key] for key in shared if key in asked},
        "resources": asked.get("resources"),
        **trial,
        "jobType": "Command",
        "command": _filled(trial.get("command") or "", hyperparameters or {}),
        "limits": {"jobLimitsType": "Command", "timeout": (asked.get("limits") or {}).get("trialTimeout")},
    }


def _filled(command: str, values: dict) -> str:
    """The command with what stands for its hyperparameters. Raises Refused for one that is not in the search space."""

    def filled(found: re.Match) -> str:
        if values and found[1] not in values:
            raise Refused(f"The command names {found[0]}, and the search space has: {', '.join(sorted(values))}.")
        return str(values[found[1]]) if values else found[0]

    return re.sub(r"\$\{\{\s*search_space\.(\w+)\s*\}\}", filled, command)


def sweep_of(asked: dict) -> dict:
    """The engine's sweep, without its trials' outputs. Raises Refused and Unsupported."""
    space = asked.get("searchSpace") or {}
    if not space:
        raise Refused("The search space is empty: give one input of the command a distribution, as Choice([25, 50]).")
    nested = [key for key, (kind, values) in space.items() if kind == "choice" and _has_spaces(values[0])]
    if nested:
        raise Unsupported(f"A choice among search spaces, as that of {nested[0]!r},", "numbers and texts are")
    objective, limits = asked.get("objective") or {}, asked.get("limits") or {}
    if not objective.get("primaryMetric") or not objective.get("goal"):
        raise Refused("The objective of a sweep has a primary metric and a goal, maximize or minimize.")
    if objective["goal"].lower() not in GOALS:
        raise Refused(f"The goal of a sweep is {objective['goal']!r}; give {' or '.join(GOALS)}.")
    trials = {key: _count(limits, key) for key in MOST}
    timeout = limits.get("timeout")
    seconds = isodate.parse_duration(timeout).total_seconds() if timeout else TIMEOUT
    return {
        "sampling": _sampling(asked.get("samplingAlgorithm") or {}, space),
        "policy": _policy(asked.get("earlyTermination")),
        "metric": objective["primaryMetric"],
        "goal": objective["goal"].lower(),
        "max_total_runs": trials["maxTotalTrials"],
        "max_concurrent_runs": trials["maxConcurrentTrials"],
        "max_duration_minutes": seconds / 60,
        "limit_told": f"its timeout, which is {counted(seconds, 'second')}",
        "trial_run_type": mlflow_store.COMMAND_JOB,
    }


def _count(limits: dict, key: str) -> int:
    value = limits.get(key)
    if value is None:
        return MOST[key]
    if not 1 <= value <= MOST[key]:
        name = re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", key)
        raise Refused(f"{name} is {value}; give a whole number from 1 to {MOST[key]}.")
    return value


def _sampling(asked: dict, space: dict) -> dict:
    kind = asked.get("samplingAlgorithmType") or "Random"
    if kind not in SAMPLINGS:
        raise Unsupported(f"The sampling algorithm {kind}", f"{', '.join(SAMPLINGS)} are")
    given = {key: value for key in ("rule", "seed", "logbase") if (value := asked.get(key)) is not None}
    if "rule" in given:
        given["rule"] = given["rule"].lower()
    return {"name": SAMPLINGS[kind], "parameter_space": space, **given}


def _policy(asked: dict | None) -> dict:
    if not asked:
        return {"name": policies.NONE}
    kind = asked.get("policyType")
    if kind not in POLICIES:
        raise Unsupported(f"The early termination policy {kind}", f"{', '.join(POLICIES)} are")
    properties = {
        "evaluation_interval": asked.get("evaluationInterval") or 1,
        "delay_evaluation": asked.get("delayEvaluation") or 0,
    }
    if kind == "Bandit":
        slacks = {"slack_factor": asked.get("slackFactor"), "slack_amount": asked.get("slackAmount")}
        if sum(map(bool, slacks.values())) != 1:
            raise Refused("A Bandit policy has one of slack_factor and slack_amount, above 0.")
        properties |= {name: slack for name, slack in slacks.items() if slack}
    if kind == "TruncationSelection":
        percentage = asked.get("truncationPercentage") or 0
        if not 1 <= percentage <= 99:
            raise Refused(f"truncation_percentage is {percentage}; give a whole number from 1 to 99.")
        properties["truncation_percentage"] = percentage
    return {"name": POLICIES[kind], "properties": properties}


def _has_spaces(values) -> bool:
    return isinstance(values, list) and any(isinstance(value, dict) for value in values)
