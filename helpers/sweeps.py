"""Sweeps: their trials, and watching them come."""

import html
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from helpers import display
from helpers.looks import FINAL, until_final
from helpers.results import unfinished
from helpers.words import counted

POLL = (2.0, 10.0)  # seconds between two looks: at first, and after the first two minutes


@dataclass(frozen=True)
class Trial:
    """One trial of a sweep; number is from 1, in the order of submission."""

    number: int
    run_id: str
    status: str
    parameters: dict
    curve: list[float]  # what it logged as the metric, one value an epoch

    @property
    def stopped(self) -> bool:
        return self.status == "Canceled"


@dataclass(frozen=True)
class Look:
    """What a sweep is doing: its status, its trials (see get_children_sorted_by_primary_metric), and its error."""

    status: str
    seconds: float
    children: list[dict]
    error: str | None


def trials(sweep, metric: str) -> list[Trial]:
    """The trials of a sweep, the first submitted first, with what they logged under the name `metric`."""
    sweep = _read_anew(sweep)
    hyperparameters, metrics = sweep.get_hyperparameters(), sweep.get_metrics()
    children = reversed(list(sweep.get_children()))
    found = []
    for number, child in enumerate(children, start=1):
        values = metrics.get(child.id, {}).get(metric, [])
        curve = values if isinstance(values, list) else [values]
        parameters = json.loads(hyperparameters.get(child.id, "{}"))
        found.append(Trial(number, child.id, child.get_status(), parameters, curve))
    return found


def rank_correlations(columns: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Spearman's rank correlation, from -1 to 1, of each column with the last one.

    Rows that have no value in the last column (None or NaN) are left out, and so are columns that do not vary.
    """
    from scipy.stats import spearmanr

    *names, last = columns
    rows = [row for row, value in enumerate(columns[last]) if value is not None and value == value]
    found = {name: [columns[name][row] for row in rows] for name in columns}
    varied = [name for name in names if len(set(found[name])) > 1 and len(set(found[last])) > 1]
    return {name: float(spearmanr(found[name], found[last]).statistic) for name in varied}


def job_trials(client, name: str, metric: str) -> list[Trial]:
    """The trials of a sweep job of SDK v2, the first submitted first, with what they logged as `metric` with MLflow."""
    import mlflow

    workspace = client.workspaces.get(client.workspace_name)
    mlflow.set_tracking_uri(workspace.mlflow_tracking_uri)
    tracking, found = mlflow.MlflowClient(), []
    for child in client.jobs.list(parent_job_name=name):
        number = 1 + int(child.name.rpartition("_")[2])  # which Azure counts from 0
        curve = [logged.value for logged in tracking.get_metric_history(child.name, metric)]
        parameters = json.loads(child.tags.get("hyperparameters", "{}"))
        found.append(Trial(number, child.name, child.status, parameters, curve))
    return sorted(found, key=lambda trial: trial.number)


def looks(sweep) -> Iterator[Look]:
    """The sweep as it changes, from now to its end."""

    def look(seconds: float) -> Look:
        now = _read_anew(sweep)  # before the trials: of an ended sweep, all are seen
        status = now.get_status()
        error = _message(now.get_details().get("error")) if status == "Failed" else None
        return Look(status, seconds, now.get_children_sorted_by_primary_metric(), error)

    return until_final(look, lambda look: (look.status, look.children), POLL)


def reporter(sweep) -> Callable[[Look], None]:
    """What shows a look: in a notebook a table in place, elsewhere lines as they come."""
    return _report_in_notebook(sweep) if display.in_notebook() else _report_lines()


def _report_in_notebook(sweep) -> Callable[[Look], None]:
    table = None

    def report(look: Look) -> None:
        nonlocal table
        shown = {"text/html": _as_html(look), "text/plain": _as_text(look)}
        table = display.show(shown | unfinished(sweep, look.status), handle=table)

    return report


def _report_lines() -> Callable[[Look], None]:
    told, status = set(), None

    def report(look: Look) -> None:
        nonlocal status
        for child in look.children:
            if child["status"] in FINAL and child["run_id"] not in told:
                told.add(child["run_id"])
                print(_line(child))
        if look.status != status:
            status = look.status
            print(f"[{look.seconds:.0f} s] {status}", flush=True)
        if look.error:
            print(look.error)

    return report


def _as_html(look: Look) -> str:
    rows = [_cells(child) for child in look.children]
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    lines = ["".join(f"<td>{html.escape(row.get(name, ''))}</td>" for name in names) for row in rows]
    table = f"<table><tr>{head}</tr>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>" if rows else ""
    error = f"<p>{html.escape(look.error)}</p>" if look.error else ""
    return f"<p><b>{html.escape(look.status)}</b> · {html.escape(_counts(look))}</p>{error}{table}"


def _as_text(look: Look) -> str:
    lines = [f"{look.status} · {_counts(look)}", *([look.error] if look.error else []), *map(_line, look.children)]
    return "\n".join(lines)


def _counts(look: Look) -> str:
    counts = Counter(child["status"] for child in look.children)
    listed = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return counted(len(look.children), "trial") + (f": {listed}" if listed else "")


def _line(child: dict) -> str:
    return ", ".join(f"{name} {value}" for name, value in _cells(child).items() if value)


def _cells(child: dict) -> dict[str, str]:
    """A trial's row: status, best value of the primary metric, and its parameters without their hyphens."""
    best = child["best_primary_metric"]
    parameters = json.loads(child["hyperparameters"] or "{}")
    return {
        "status": child["status"],
        "best": "" if best is None else f"{best:.4f}",
        **{name.lstrip("-"): _number(value) for name, value in parameters.items()},
    }


def _number(value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _message(error: dict | None) -> str | None:
    return (error or {}).get("error", {}).get("message")


def _read_anew(sweep):
    """The sweep's run as the workspace has it now: its tags, which hold the hyperparameters, are read once."""
    from azureml.core import Run

    return Run.get(sweep.experiment.workspace, sweep.id)
