"""What becomes of a run: its status and details, waiting for it, ending it.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

from pathlib import Path

from azureml import _engine
from azureml.core._run_records import error_of, service_exception
from azureml.exceptions import UserErrorException


class _RunState:
    """A part of Run."""

    @property
    def status(self):
        """The status when it was last asked for; get_status() asks anew."""
        return self._record.status

    def get_status(self):
        """The status now: NotStarted, Preparing, Queued, Running, Finalizing, Completed, Failed, Canceled …"""
        return self._refresh().status

    def get_detailed_status(self):
        """The status now, and details on it while the run is queued: {"status": …, "details": …}."""
        status = self.get_status()
        details = "Run requested 1 node(s). Run is in pending status." if status == "Queued" else None
        return {"status": status, "details": details}

    def get_details(self):
        """All there is to know of the run: runId, target, status, startTimeUtc, endTimeUtc, properties,
        inputDatasets, outputDatasets, runDefinition, logFiles (name to address), submittedBy, and error if it failed.
        """
        from azureml._run_details import details

        self._refresh()
        return details(self)

    def get_details_with_logs(self):
        """As get_details(), with the logs' contents in logFiles."""
        details = self.get_details()
        details["logFiles"] = {name: self._read_text(name) for name in details["logFiles"]}
        return details

    def get_all_logs(self, destination=None):
        """Write the run's logs below `destination`, by default assets/<run id>; the paths of what was written."""
        from azureml._run_files import download

        folder = Path(destination or Path("assets", self._run_id))
        if folder.exists() and not folder.is_dir():
            raise UserErrorException(f"{destination} exists and is not a directory.")
        folder.mkdir(parents=True, exist_ok=True)
        targets = {name: str(folder / name) for name in self.get_details()["logFiles"]}
        download(self, targets)
        return [*targets.values()]

    def wait_for_completion(self, show_output=False, wait_post_processing=False, raise_on_error=True):
        """Wait until the run has ended, and return its details.

        show_output: print the run's log as it grows. Raises ActivityFailedException if the run failed, unless
        raise_on_error is False; ExperimentExecutionException if the output is interrupted, while the run goes on.
        """
        from azureml._run_wait import stream, wait

        return (stream if show_output else wait)(self, raise_on_error)

    def start(self):
        """Mark the run as started. As with each such mark, `status` stays until it is asked for anew."""
        self._happens("Running")

    def complete(self, _set_status=True):
        """Mark the run as completed, after its outputs folder was added to it."""
        self._upload_outputs()
        if _set_status:
            self._happens("Completed")

    def fail(self, error_details=None, error_code=None, _set_status=True):
        """Mark the run as failed. error_details: a text or an exception. error_code: by default UserError."""
        error = error_of(error_details, error_code)
        self._upload_outputs()
        if _set_status:
            self._happens("Failed", error=error)

    def cancel(self):
        """End the run. A submitted run's processes are ended and its files kept."""
        with _engine.translated(NotFound=service_exception):
            _engine.jobs.cancel(self._folder, self._run_id)
        self._upload_outputs()

    def flush(self, timeout_seconds=300):
        """Wait until all that was logged is in the run history."""

    def _happens(self, status, error=None):
        with _engine.translated(NotFound=service_exception):
            _engine.run_records.set_status(self._folder, self._run_id, status, error=error)

    def __enter__(self):
        return self

    def __exit__(self, exit_type, value, traceback):
        if exit_type is None or (exit_type is SystemExit and not value.code):
            self.complete()
        else:
            self.fail(error_details=value)
        return exit_type is SystemExit and not value.code
