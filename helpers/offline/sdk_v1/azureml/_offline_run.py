"""What Run.get_context() returns outside a job; azureml.core.run has it under the same name.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

import uuid

from azureml._strict import refuse_unknown


class _OfflineRun:
    """A run that belongs to no experiment: what it is asked to log is printed."""

    def __init__(self, parent_logger=None, run_id=None, **kwargs):
        refuse_unknown("Run.get_context()", kwargs)
        self._run_id = f"OfflineRun_{uuid.uuid4()}" if run_id is None else run_id

    @property
    def id(self):
        """A made-up id."""
        return self._run_id

    def add_properties(self, properties):
        print(f"Attempted to add properties {properties}")

    def set_tags(self, tags):
        print(f"Attempted to set tags {tags}")

    def tag(self, name, value=None):
        print(f"Attempted to add tag {name} with value {value}")

    def complete(self):
        pass

    def fail(self, error_details=None, error_code=None):
        print(f"Run failed with error code {error_code}:\n{error_details}")

    def cancel(self):
        pass

    def log(self, name, value, description=""):
        self._emit("scalar", name, value)

    def log_list(self, name, value, description=""):
        self._emit("list", name, value)

    def log_table(self, name, value, description=""):
        self._emit("table", name, value)

    def log_row(self, name, description=None, **kwargs):
        self._emit("row", name, kwargs)

    def log_image(self, name, path=None, plot=None, description=""):
        self._emit("image", name, plot or path)

    def log_residuals(self, name, value, description=None):
        self._emit("residual", name, value)

    def log_predictions(self, name, value, description=None):
        self._emit("predictions", name, value)

    def log_accuracy_table(self, name, value, description=None):
        self._emit("accuracy_table", name, value)

    def log_confusion_matrix(self, name, value, description=None):
        self._emit("confusion_matrix", name, value)

    def upload_folder(self, name, path, datastore_name=None):
        print(f"Attempted to track folder {name} at {path}")

    def upload_files(self, name, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None):
        print(f"Attempted to track files {name} at {paths} with timeout {timeout_seconds}s")

    def upload_file(self, name, path_or_stream, datastore_name=None):
        print(f"Attempted to track file {name} at {path_or_stream}")

    def child_run(self, name=None, run_id=None, outputs=None):
        return _OfflineRun(run_id=run_id or f"{self.id}.{name or uuid.uuid4()}")

    def flush(self):
        print(f"Attempted to flush run with id {self.id}")

    def _emit(self, type, name, value):
        print(f"Attempted to log {type} metric {name}:\n{value}")

    def __enter__(self):
        print(f"[START] Run {self.id} context")
        return self

    def __exit__(self, exit_type, value, traceback):
        print(f"[STOP] Run {self.id} context")
