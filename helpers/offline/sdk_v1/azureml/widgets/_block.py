"""How a run's state (see `_state`) looks: as HTML, and as lines of text.

The HTML takes colours from the page, so that it reads in a light and in a dark theme. What JupyterLab takes out of a
notebook that it does not trust, such as one that was just cloned, is not in it.
"""

import base64
from collections import Counter
from html import escape

from azureml._html import link

SIGNS = {"Completed": "✓", "Failed": "✗", "Canceled": "∅"}
BORDER = "1px solid rgba(128, 128, 128, .4)"
WHOLE_WORDS = "word-break:normal;overflow-wrap:anywhere"  # JupyterLab breaks lines of an output within words
WIDTH, HEIGHT = 120, 24  # of a metric's curve, in pixels
INK = "#787878"  # reads on light and dark: an image cannot take the page's colour


def html(state):
    """The block for a notebook. All text of the run is escaped."""
    parts = [_heading(state)]
    if state["error"]:
        parts.append(f'<p role="alert" style="margin:4px 0"><b>Error:</b> {escape(state["error"])}</p>')
    begun = [stage for stage in state.get("stages", []) if stage["status"] != "NotStarted"]
    if begun:
        stages = " → ".join(f"{escape(stage['status'])} {_seconds(stage['seconds'])}" for stage in begun)
        parts.append(f'<div style="margin:4px 0">{stages}</div>')
    images = state.get("images", {})
    metrics = {name: value for name, value in state.get("run_metrics", {}).items() if name not in images}
    if metrics:
        parts.append(_metrics_table(metrics))
    parts += [_image(name, address) for name, address in images.items()]
    if state.get("child_runs"):
        parts.append(_trials_table(state["child_runs"]))
    if state.get("run_logs"):
        parts.append(
            f'<pre style="margin:4px 0;padding:4px;border:{BORDER};max-height:20em;overflow:auto;{WHOLE_WORDS}">'
            f"{escape(state['run_logs'])}</pre>"
        )
    return f'<div style="border:{BORDER};padding:8px;overflow:auto">{"".join(parts)}</div>'


def text(state):
    """The block's first line, for where there is no HTML."""
    return f"Run {state['run_id']}: {state.get('status', 'unknown')}"


class Lines:
    """Prints what is new since the state before: the status, the last values of metrics, the error."""

    def __init__(self):
        self.before = {}

    def render(self, state):
        """Print lines for one state; none where nothing is new."""
        if state.get("status") and state["status"] != self.before.get("status"):
            print(text(state), flush=True)
        values = {name: value for name, value in state.get("run_metrics", {}).items() if _is_number(_last(value))}
        old = self.before.get("run_metrics", {})
        new = [f"{name} {_number(_last(value))}" for name, value in values.items() if old.get(name) != value]
        if new:
            print(f"Run {state['run_id']}: {', '.join(new)}", flush=True)
        if state.get("child_runs") and state["child_runs"] != self.before.get("child_runs"):
            print(f"Run {state['run_id']}: {_trials_line(state['child_runs'])}", flush=True)
        if state["error"] and state["error"] != self.before.get("error"):
            print(f"Run {state['run_id']}: {state['error']}", flush=True)
        self.before = {**self.before, **state}


def _heading(state):
    status = state.get("status", "unknown")
    where = f"Run {escape(state['run_id'])}"
    if state.get("studio"):
        where = link(state["workbench_run_details_uri"], where)
    if state.get("experiment"):
        where += f" of {escape(state['experiment'])}"
    return f"<div><b>{SIGNS.get(status, '…')} {escape(status)}</b> · {where}</div>"


def _metrics_table(metrics):
    rows = []
    for name, value in sorted(metrics.items()):
        series = value if isinstance(value, list) and all(map(_is_number, value)) else []
        rows.append((escape(name), escape(_number(_last(value))), str(len(series) or ""), _curve(name, series)))
    return _table(("Metric", "Last", "Values", "Curve"), rows)


def _image(name, address):
    words = escape(f"{name}, an image that the run has logged")
    image = f'<img src="{address}" alt="{words}" style="max-width:100%" />'
    return f'<figure style="margin:4px 0"><figcaption>{escape(name)}</figcaption>{image}</figure>'


def _trials_table(trials):
    """A sweep's trials, the best first."""
    names = list(dict.fromkeys(name for trial in trials for name in trial["hyperparameters"]))
    metric = trials[0]["metric"]
    rows = []
    for trial in trials:
        status = f"{SIGNS.get(trial['status'], '…')} {escape(trial['status'])}"
        values = [escape(_number(trial["hyperparameters"].get(name, ""))) for name in names]
        best = "" if trial["best_metric"] is None else _number(trial["best_metric"])
        rows.append((status, *values, best, _curve(metric, trial["values"])))
    headings = [escape(name.lstrip("-")) for name in names]
    return _table(("Trial", *headings, f"Best {escape(metric)}", "Curve"), rows)


def _trials_line(trials):
    counts = Counter(trial["status"] for trial in trials)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    best = trials[0]["best_metric"]
    return f"trials: {told}" + ("" if best is None else f"; best {trials[0]['metric']} {_number(best)}")


def _table(headings, rows):
    """A table of cells that are HTML already."""
    head = "".join(f'<th style="text-align:left">{text}</th>' for text in headings)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left;white-space:nowrap">{cell}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _curve(name, series):
    """A line through the finite values of a series, as an image."""
    series = series if isinstance(series, list) else [series]
    points = [value for value in series if abs(value) < float("inf")]  # not NaN either
    if len(points) < 2:
        return ""
    low, high = min(points), max(points)
    line = " ".join(
        f"{WIDTH * index / (len(points) - 1):.1f},{HEIGHT - 1 - (HEIGHT - 2) * (value - low) / (high - low or 1):.1f}"
        for index, value in enumerate(points)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<polyline points="{line}" fill="none" stroke="{INK}"/></svg>'
    )
    address = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    return f'<img src="{address}" alt="{escape(f"{name}: from {_number(points[0])} to {_number(points[-1])}")}" />'


def _last(value):
    return value[-1] if isinstance(value, list) and value else value


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    if str(value).startswith("aml://artifactId/"):
        return value.split("/", 5)[-1]  # the file's name in the run
    return "table" if isinstance(value, dict) else str(value)


def _seconds(seconds):
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
