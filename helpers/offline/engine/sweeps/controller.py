"""The process that leads one sweep: `python -m helpers.offline.engine.sweeps.controller FOLDER RUN_ID LOCK`.

It is detached from whoever submitted the sweep, and holds the run's lock (an inherited descriptor) while it lives. It
draws hyperparameters, submits trials, which are jobs with supervisors of their own, reads what they log and stops those
that the policy wants stopped.
"""

import json
import shlex
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from helpers.offline.engine import jobs, processes
from helpers.offline.engine.compute import clusters
from helpers.offline.engine.history import job_states, logs, runs, tags
from helpers.offline.engine.history.statuses import FINAL
from helpers.offline.engine.jobs import finish, leading, outputs, ranks, run_records
from helpers.offline.engine.processes import detached
from helpers.offline.engine.sweeps import policies, warm_start
from helpers.offline.engine.sweeps.sampling import Sampler

NOT_THE_TRIALS = ("sweep", "leader", "logs", "identity", "experiment", "step")  # what a sweep was submitted with
# What libraries read that would otherwise start a thread for each core of the machine: NumPy and PyTorch; TensorFlow,
# XLA's code in it too; JAX.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
THREADS += ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "PJRT_NPROC")


@dataclass
class Trial:
    number: int
    run_id: str
    parameters: dict
    status: str = "NotStarted"
    curve: list[float] = field(default_factory=list)  # what it has logged as the primary metric
    judged: int = 0  # reports that the policy has looked at
    stopped: str | None = None  # why the policy stops it
    nan_told: bool = False

    @property
    def final(self) -> bool:
        return self.status in FINAL


def main(folder: Path, run_id: str) -> None:
    """See the sweep through to its end, whatever happens; a store that is locked or full is waited for."""
    job = job_states.submitted(folder, run_id)
    trials: list[Trial] = []

    def lead_to_end() -> tuple[str, dict | None]:
        lead(folder, run_id, job, trials)
        status, error = ending(folder, job["sweep"], trials)
        if status == "Completed":
            outputs.copy(folder, best_of(job["sweep"], trials)[0], run_id)
        return status, error

    def last(status: str) -> None:
        leading.end_children(folder, run_id)
        for trial in [trial for trial in trials if not trial.final]:
            look(folder, run_id, job["sweep"], trial)
        tell_best(folder, run_id, job["sweep"], trials)
        leading.log(folder, run_id, f"The sweep ended: {status}.")

    leading.see_through(folder, run_id, lead_to_end, last)


def lead(folder: Path, run_id: str, job: dict, trials: list[Trial]) -> None:
    """Run trials until there are enough; they are added to `trials`. Raises Stopped and EngineError."""
    sweep = job["sweep"]
    earlier = warm_start.earlier_trials(folder, sweep)
    sampler = Sampler(sweep["sampling"], sweep["goal"])
    sampler.learn([(trial.parameters, policies.best(sweep["goal"], trial.curve)) for trial in earlier])
    resumed = list(sweep.get("resumed") or [])
    first_drawn = len(resumed)
    deadline = time.monotonic() + 60 * sweep["max_duration_minutes"]
    more = True
    while more or not all(trial.final for trial in trials):
        stop_if_wanted(folder, run_id, sweep, deadline)
        for trial in [trial for trial in trials if not trial.final]:
            look(folder, run_id, sweep, trial)
            best = policies.best(sweep["goal"], trial.curve)
            if trial.final and trial.number >= first_drawn:
                sampler.tell(trial.number - first_drawn, best)
            elif trial.final:
                sampler.know(trial.parameters, best)
        judge(folder, run_id, sweep, trials, {trial.run_id: trial.curve for trial in earlier})
        while more and sum(not trial.final for trial in trials) < at_once(folder, job):
            going_on = resumed.pop(0) if resumed else None
            if going_on:
                parameters = warm_start.parameters_of(folder, going_on)
            else:
                parameters = sampler.draw() if len(trials) < sweep["max_total_runs"] else None
            if parameters is None:
                more = False
            else:
                trials.append(start(folder, run_id, job, len(trials), parameters, going_on))
        time.sleep(leading.LOOK)


def stop_if_wanted(folder: Path, run_id: str, sweep: dict, deadline: float) -> None:
    finish.stop_if_canceled(folder, run_id)
    if time.monotonic() > deadline:
        limit = sweep.get("limit_told") or f"max_duration_minutes, which is {sweep['max_duration_minutes']}"
        message = f"The sweep took longer than {limit}."
        raise finish.Stopped("Canceled", {"code": "JobExceededMaxRunDuration", "message": message})


def at_once(folder: Path, job: dict) -> int:
    """How many trials may run at once: max_concurrent_runs, and no more than the cluster's nodes. Raises NotFound.

    Where there is no cluster, and with it no limit, they are as many as this machine has cores.
    """
    target = job["target"]
    nodes = clusters.get(folder, target)["max_nodes"] if clusters.is_one(target) else processes.cores()
    return min(job["sweep"]["max_concurrent_runs"], max(1, nodes // ranks.node_count(job)))


def start(folder: Path, run_id: str, job: dict, number: int, parameters: dict, going_on: str | None = None) -> Trial:
    """Submit a trial: the sweep's job with the hyperparameters as further arguments, or in a line's ${search:name}.

    Its id is the sweep's with a number. `going_on` is the trial of an earlier sweep whose outputs it goes on from.
    """
    trial_id, text = f"{run_id}_{number}", json.dumps(parameters)
    jobs.submit(
        folder,
        job["experiment"],
        job_of_trial(folder, job, parameters, going_on),
        tags={warm_start.HYPERPARAMETERS: text},
        display_name=trial_id,
        run_type=job["sweep"]["trial_run_type"],
        parent_id=run_id,
        run_id=trial_id,
    )
    # Where azureml.train.hyperdrive looks for the children's hyperparameters.
    runs.set_tags(folder, run_id, {f"_aml_system_{trial_id}": text})
    told = f", and goes on from {going_on}" if going_on else ""
    leading.log(folder, run_id, f"Trial {number} ({trial_id}) is submitted with {text}{told}.")
    return Trial(number, trial_id, parameters)


def job_of_trial(folder: Path, job: dict, parameters: dict, going_on: str | None) -> dict:
    """What is submitted as a trial: see start()."""
    words = [word for name, value in parameters.items() for word in (option(name), str(value))]
    given = {key: value for key, value in job.items() if key not in NOT_THE_TRIALS}
    line = job.get("shell")
    for name, value in parameters.items() if line else ():
        line = line.replace(f"${{search:{name}}}", shlex.quote(str(value)))
    command, inputs = words, job["inputs"]
    if going_on:
        command = [*words, warm_start.OPTION, {"input": warm_start.INPUT}]
        words = [*words, warm_start.OPTION, f"$AZUREML_DATAREFERENCE_{warm_start.INPUT}"]
        inputs = [*inputs, warm_start.checkpoints(folder, going_on)]
    trial_job = {
        **given,
        **({"shell": line} if line else {"command": [*job["command"], *command]}),
        "arguments": [*job["arguments"], *words],
        "inputs": inputs,
        "environment_variables": {**threads(folder, job), **(job["environment_variables"] or {})},
        "hyperparameters": parameters,
        "outputs": job["sweep"]["trial_outputs"],
    }
    if definition := job.get("run_definition"):  # what the run's details tell
        trial_job["run_definition"] = {**definition, "arguments": [*definition["arguments"], *words]}
    return trial_job


def option(name: str) -> str:
    """A parameter's name as the script's argument: "--name", whether the space has it with the hyphens or without."""
    return name if name.startswith("-") else f"--{name}"


def threads(folder: Path, job: dict) -> dict[str, str]:
    """Environment variables that leave each of the trials that run at once its share of the cores."""
    together = min(at_once(folder, job), job["sweep"]["max_total_runs"]) * ranks.process_count(job)
    if together == 1:
        return {}
    return dict.fromkeys(THREADS, str(max(1, processes.cores() // together)))


def look(folder: Path, run_id: str, sweep: dict, trial: Trial) -> None:
    """Bring what is known of a trial up to date."""
    trial.status = jobs.look(folder, trial.run_id)["status"]  # before the metrics: of an ended trial, all are seen
    if trial.status in ("NotStarted", "Preparing", "Queued"):
        return
    trial.curve = run_records.get_metric_values(folder, trial.run_id, sweep["metric"])
    if not trial.nan_told and any(value != value for value in trial.curve):
        trial.nan_told = True
        leading.log(folder, run_id, f"Trial {trial.number} logged {sweep['metric']} as NaN, which is never the best.")
    if trial.final:
        tell_end(folder, run_id, sweep, trial)


def judge(folder: Path, run_id: str, sweep: dict, trials: list[Trial], earlier: policies.Curves) -> None:
    """Put each report that is new before the policy, and cancel the trials that it stops.

    `earlier` are the curves of the sweeps that this one goes on from.
    """
    for trial in trials:
        new = range(trial.judged + 1, len(trial.curve) + 1)
        trial.judged = len(trial.curve)
        if trial.final or trial.stopped:
            continue
        curves = earlier | {other.run_id: other.curve for other in trials}
        for interval in new:
            reason = policies.reason_to_stop(sweep["policy"], sweep["goal"], curves, trial.run_id, interval)
            if reason:
                trial.stopped = reason
                leading.log(folder, run_id, f"Trial {trial.number} is stopped. {reason}.")
                jobs.cancel(folder, trial.run_id)
                break


def tell_end(folder: Path, run_id: str, sweep: dict, trial: Trial) -> None:
    """Log how a trial ended; one that the policy stopped is tagged with the reason."""
    best = policies.best(sweep["goal"], trial.curve)
    told = "" if best is None else f", best {sweep['metric']} {best:.6g}"
    leading.log(folder, run_id, f"Trial {trial.number} ({trial.run_id}) ended: {trial.status}{told}.")
    if trial.stopped and trial.status == "Canceled":  # it may have come to its end before
        runs.set_tags(folder, trial.run_id, {"early_termination": trial.stopped})
        logs.append_log(folder, trial.run_id, f"The sweep stopped this trial. {trial.stopped}.")


def ending(folder: Path, sweep: dict, trials: list[Trial]) -> tuple[str, dict | None]:
    """The final status of a sweep that has run all its trials, and the error to tell."""
    if all(trial.status == "Failed" for trial in trials):
        first = job_states.get(folder, trials[0].run_id)["error"]
        told = "The only trial failed" if len(trials) == 1 else f"All {len(trials)} trials failed. The first one"
        message = f"{told}: {first['message']}"
        return "Failed", {"code": "UserError", "message": message}
    if any(policies.best(sweep["goal"], trial.curve) is not None for trial in trials):
        return "Completed", None
    if any(trial.curve for trial in trials):
        message = f"No trial logged the primary metric {sweep['metric']!r} as a number: all its values are NaN."
    else:
        message = without_numbers(folder, sweep["metric"], trials)
    return "Failed", {"code": "UserError", "message": message}


def without_numbers(folder: Path, metric: str, trials: list[Trial]) -> str:
    """Why no trial has a number as the primary metric."""
    logged = [run_records.get_metrics(folder, trial.run_id) for trial in trials]
    if others := [metrics[metric] for metrics in logged if metric in metrics]:
        return (
            f"What the trials logged as the primary metric {metric!r} is no number, but {others[0]!r:.100}. "
            "Log a number, such as float(value)."
        )
    if all(trial.status != "Completed" for trial in trials):
        statuses = Counter(trial.status for trial in trials)
        ended = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
        errors = filter(None, (job_states.get(folder, trial.run_id)["error"] for trial in trials))
        told = "".join(f" The first error: {error['message']}" for error in [*errors][:1])
        return f"No trial came to its end ({ended}), and none logged the primary metric {metric!r} before.{told}"
    listed = ", ".join(map(repr, sorted({name for metrics in logged for name in metrics}))) or "none"
    return (
        f"No trial logged the primary metric {metric!r}. Metrics that they logged: {listed}. "
        "The metric's name has to be what the script logs, to the letter."
    )


def tell_best(folder: Path, run_id: str, sweep: dict, trials: list[Trial]) -> None:
    """Keep the best trial in the sweep's properties, as the service does."""
    best = best_of(sweep, trials)
    properties = {"best_metric_status": "Succeeded" if best else "Failed"}
    if best:
        properties |= {"best_child_run_id": best[0], "score": str(best[1])}
    runs.set_tags(folder, run_id, properties, tags.PROPERTY)


def best_of(sweep: dict, trials: list[Trial]) -> tuple[str, float] | None:
    """The run's id of the best trial, and its score; None where none has logged the metric as a number."""
    scores = {trial.run_id: policies.best(sweep["goal"], trial.curve) for trial in trials}
    scores = {trial_id: score for trial_id, score in scores.items() if score is not None}
    choose = max if sweep["goal"] == "maximize" else min
    return choose(scores.items(), key=lambda scored: scored[1], default=None)


if __name__ == "__main__":
    detached.keep_lock(sys.argv[3])
    main(Path(sys.argv[1]), sys.argv[2])
