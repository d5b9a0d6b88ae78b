"""Watching a run, and finding the one that an earlier notebook submitted."""

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from helpers import display, sweeps
from helpers.looks import FINAL, until_final
from helpers.results import unfinished
from helpers.workspace import NotMadeYet

STAGES = ("Preparing", "Queued", "Running", "Finalizing")
LOG = "user_logs/std_log"  # what the name begins with: there may be one for each process
LINES_SHOWN = 8
WHOLE_WORDS = "word-break:normal;overflow-wrap:anywhere"  # JupyterLab breaks lines of an output within words
POLL = (1.0, 5.0)  # seconds between two looks: at first, and after the first two minutes
REDRAW = 3.0  # seconds between two curves at least: offline, drawing takes time from the training


@dataclass(frozen=True)
class Look:
    """What a run is doing: its status, the stages it has reached, its log and its metrics."""

    status: str
    stages: tuple[str, ...]
    seconds: float
    log_name: str | None
    log: list[str]
    metrics: dict


def watch(run) -> None:
    """Show the run's stages, its last log lines and its curve until it has ended, however it ends; a sweep's trials.

    In a notebook these are updated in place; elsewhere lines are printed as they come. Interrupting it ends the
    watching, never the run.
    """
    if getattr(run, "type", None) == "hyperdrive":
        looks, report = sweeps.looks(run), sweeps.reporter(run)
    else:
        looks, report = _looks(run), _report_in_notebook(run) if display.in_notebook() else _report_lines()
    try:
        for look in looks:
            report(look)
    except KeyboardInterrupt:
        print(
            "Stopped watching. The run goes on; helpers.watch(run) takes it up again, run.cancel() would end it, "
            "and the next notebook finds it."
        )


def finished_run(experiment):
    """The experiment's newest completed run; one that is still going is watched until it ends.

    Raises NotMadeYet where there is none.
    """
    for run in experiment.get_runs():
        if run.get_status() not in FINAL:
            print(f"Run {run.number} is still going:")
            watch(run)
            if run.get_status() not in FINAL:  # interrupted: an older run's model would pass for this one's
                raise KeyboardInterrupt
        if run.get_status() == "Completed":
            return run
    raise NotMadeYet(f"The experiment {experiment.name!r} has no completed run.", "04_train.ipynb")


def seconds(run) -> float:
    """How long a run that has ended took, by its details."""
    details = run.get_details()
    start, end = (datetime.fromisoformat(details[f"{which}TimeUtc"]) for which in ("start", "end"))
    return (end - start).total_seconds()


def _looks(run) -> Iterator[Look]:
    """The run as it changes, from now to its end."""
    reached = 0  # of STAGES; a short one may pass between two looks

    def look(seconds: float) -> Look:
        nonlocal reached
        details = run.get_details_with_logs()  # before the metrics: of an ended run, all of them are seen
        status = details["status"]
        if status in STAGES:
            reached = max(reached, STAGES.index(status) + 1)
        elif status == "Completed":
            reached = len(STAGES)
        return Look(status, STAGES[:reached], seconds, *_log(details["logFiles"]), run.get_metrics())

    return until_final(look, lambda look: (look.status, look.log, look.metrics), POLL)


def _log(logs: dict[str, str]) -> tuple[str | None, list[str]]:
    """Name and lines of the script's log or, before it starts, of the newest other one, such as the image's build."""
    name = min((log for log in logs if log.startswith(LOG)), default=None) or max(logs, default=None)
    return name, (logs.get(name) or "").splitlines()


def _report_in_notebook(run) -> Callable[[Look], None]:
    from helpers import plots

    status = picture = drawn = None
    drawn_at = -REDRAW

    def report(look: Look) -> None:
        nonlocal status, picture, drawn, drawn_at
        shown = {"text/html": _as_html(look), "text/plain": _as_text(look)}
        status = display.show(shown | unfinished(run, look.status), handle=status)
        due = look.status in FINAL or look.seconds - drawn_at >= REDRAW
        if due and "Accuracy" in look.metrics and look.metrics != drawn:
            picture = plots.show(*plots.curve(look.metrics), picture)
            drawn, drawn_at = look.metrics, look.seconds

    return report


def _report_lines() -> Callable[[Look], None]:
    status, log_name, told = None, None, 0

    def report(look: Look) -> None:
        nonlocal status, log_name, told
        if look.log_name != log_name:  # the script's log comes after the image's
            log_name, told = look.log_name, 0
        for line in look.log[told:]:
            print(line)
        told = max(told, len(look.log))
        if look.status != status:
            status = look.status
            print(f"[{look.seconds:.0f} s] {status}", flush=True)

    return report


def _as_html(look: Look) -> str:
    stages = " → ".join(f"<b>{html.escape(stage)}</b>" for stage in _stages(look))
    log = html.escape("\n".join(look.log[-LINES_SHOWN:]))
    return f"<p>{stages}</p>" + (f'<pre style="{WHOLE_WORDS}">{log}</pre>' if log else "")


def _as_text(look: Look) -> str:
    return "\n".join([" → ".join(_stages(look)), *look.log[-LINES_SHOWN:]])


def _stages(look: Look) -> list[str]:
    return [*look.stages, look.status] if look.status not in look.stages else list(look.stages)
