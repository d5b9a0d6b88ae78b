"""What there is to show of a run at one moment."""

import base64
import json
import mimetypes
from datetime import UTC, datetime

from azureml import _engine
from azureml._run_details import submitted

LOG_LINES = 15
LINE_LENGTH = 300  # characters; a longer line is cut
IMAGES = 4  # that are shown; of more, only the names
SHOWN_BY_BROWSERS = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")


def read(run):
    """The run's state: a dict of JSON values.

    stages: [{"status", "seconds"}]; run_metrics: as get_metrics(); images: see _images; run_logs: the log's last
    lines; child_runs: of a sweep, see _trials; studio: whether the link to the run leads anywhere now.
    """
    status = run.get_status()
    error = run._record.error
    if run.type == "hyperdrive":
        measured = {"child_runs": _trials(run)}
    else:
        metrics = run.get_metrics()
        measured = {"run_metrics": metrics, "images": _images(run, metrics)}
    return {
        "run_id": run.id,
        "experiment": run.experiment.name,
        "workbench_run_details_uri": run.get_portal_url(),
        "studio": _engine.studio.is_up(),
        "status": status,
        "final": status in _engine.statuses.FINAL,
        "stages": _stages(run),
        **measured,
        "run_logs": _log_tail(run),
        "run_properties": run.properties,
        "error": error.get("message") if error else None,
    }


def _trials(sweep):
    """A sweep's trials, the best first: run_id, status, hyperparameters, metric (its name), values and best_metric."""
    metric = sweep.hyperdrive_config._primary_metric_config["name"]
    return [
        {
            "run_id": child["run_id"],
            "status": child["status"],
            "hyperparameters": json.loads(child["hyperparameters"] or "{}"),
            "metric": metric,
            "values": values,
            "best_metric": child["best_primary_metric"],
        }
        for child, values in sweep._ranked()
    ]


def _images(run, metrics):
    """The images that the run has logged, as data URIs by metric."""
    prefix = f"aml://artifactId/{_engine.artifacts.address(run.id)}/"
    files = {
        name: value.removeprefix(prefix)
        for name, value in metrics.items()
        if isinstance(value, str) and value.startswith(prefix)
    }
    images = {name: (file, mimetypes.guess_type(file)[0]) for name, file in files.items()}
    shown = [(name, *image) for name, image in images.items() if image[1] in SHOWN_BY_BROWSERS][:IMAGES]
    return {name: f"data:{kind};base64,{_content(run, file)}" for name, file, kind in shown}


def _content(run, file):
    return base64.b64encode(_engine.run_files.path_of(run._folder, run.id, file).read_bytes()).decode()


def _stages(run):
    """How long the run was, or is, in each stage."""
    record = run._record
    stages = submitted(run).get("stages") or [{"status": "Running", "time": record.started}]
    times = [datetime.fromisoformat(stage["time"]) for stage in stages]
    end = datetime.fromisoformat(record.ended) if record.ended else datetime.now(UTC)
    return [
        {"status": stage["status"], "seconds": max(0.0, (later - earlier).total_seconds())}
        for stage, earlier, later in zip(stages, times, [*times[1:], end], strict=True)
        if stage["status"] not in _engine.statuses.FINAL
    ]


def _log_tail(run):
    path = run._log_path
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - LOG_LINES * LINE_LENGTH))
            text = log.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]  # a progress bar's last state
    return "\n".join(line[:LINE_LENGTH] for line in lines[-LOG_LINES - 1 :]).rstrip("\n")
