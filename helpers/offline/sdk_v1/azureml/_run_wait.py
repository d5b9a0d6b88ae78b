"""Waiting for a run's end, with or without its log."""

import json
import sys
import threading
import time

from azureml import _engine
from azureml._run_details import submitted
from azureml.exceptions import ActivityFailedException, ExperimentExecutionException

INTERVAL = 0.2  # seconds between two looks: the run is on this machine
PATIENCE = 5.0  # seconds that what follows a run has to show its end

_followers = {}  # run id → the threads that follow the run


def wait(run, raise_on_error):
    """Wait for the run's end; its details. Raises ActivityFailedException."""
    while run.get_status() not in _engine.statuses.FINAL:
        time.sleep(INTERVAL)
    return _result(run, raise_on_error)


def stream(run, raise_on_error):
    """As wait(), printing the log of the environment's build, if there is one, and what the run writes to its own.

    Raises ExperimentExecutionException when interrupted.
    """
    try:
        return _stream(run, raise_on_error)
    except KeyboardInterrupt:
        raise ExperimentExecutionException(
            "The output streaming for the run interrupted.\n"
            "But the run is still executing on the compute target. \n"
            "run.wait_for_completion() takes it up again; run.cancel() ends the run."
        ) from None


def follow(run, target, *arguments):
    """A thread that follows the run. Whoever waits for the run's end also waits until that is shown."""
    thread = threading.Thread(target=target, args=arguments, name=f"{target.__module__}-{run.id}", daemon=True)
    _followers.setdefault(run.id, []).append(thread)
    thread.start()


def _stream(run, raise_on_error):
    _print(f"RunId: {run.id}\nWeb View: {run.get_portal_url()}")
    paths = [run._log_path]
    job = submitted(run)
    if job and _engine.virtual_environments.is_wanted(job):
        paths.insert(0, _engine.logs.build_log_path(run._folder, run.id))
    logs = [_Log(path) for path in paths]
    while True:
        final = run.get_status() in _engine.statuses.FINAL  # asked first: what was logged until the end is printed
        for log in logs:
            log.print_new()
        if final:
            break
        time.sleep(INTERVAL)
    for log in logs:
        log.print_rest()
    _print(f"\nExecution Summary\n=================\nRunId: {run.id}\nWeb View: {run.get_portal_url()}")
    details = _result(run, raise_on_error)
    if details["status"] == "Failed":
        _print(f"\nError:\n{_error(details)}")
    _print("")
    return details


class _Log:
    """What a run's log has grown by. Lines are printed whole; a heading comes before the first."""

    CHUNK = 1 << 20  # bytes

    def __init__(self, path):
        self.path = path
        self.position = 0
        self.line = b""

    def print_new(self):
        for chunk in iter(self._read, b""):
            if not self.position:
                heading = f"Streaming {self.path.parent.name}/{self.path.name}"
                _print(f"\n{heading}\n{'=' * len(heading)}\n")
            self.position += len(chunk)
            whole, newline, self.line = (self.line + chunk).rpartition(b"\n")
            if newline:
                _print(whole.decode("utf-8", "replace"))

    def print_rest(self):
        if self.line:
            _print(self.line.decode("utf-8", "replace"))

    def _read(self):
        try:
            with self.path.open("rb") as log:
                log.seek(self.position)
                return log.read(self.CHUNK)
        except FileNotFoundError:
            return b""


def _result(run, raise_on_error):
    for thread in _followers.pop(run.id, []):
        if thread is not threading.current_thread():
            thread.join(PATIENCE)
    details = run.get_details()
    if details["status"] == "Failed" and raise_on_error:
        raise ActivityFailedException(error_details=_error(details))
    return details


def _error(details):
    error = details.get("error") or "Detailed error not set on the Run. Please check the logs for details."
    return json.dumps(error, indent=4)


def _print(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
