"""A job's own run, as its script sees it: what is logged goes to the spool, whatever else to the engine.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

import logging
import os
from pathlib import Path

from azureml import _engine, _spool
from azureml._tags import names_of, told_texts
from azureml.core._run_records import error_of, experiment_of

_logger = logging.getLogger("azureml.core.run")


class _JobSide:
    """What a job's own run does otherwise than Run."""

    _current = None

    def __init__(self):
        self._run_id = os.environ["AZUREML_RUN_ID"]
        self._taken_names = set()
        self._parent_run = None
        self._outputs = None
        self._input_datasets = None
        self._loaded = None
        self._own_experiment = None

    @classmethod
    def current(cls):
        """The run of this process: always the same object."""
        if cls._current is None or cls._current._run_id != os.environ["AZUREML_RUN_ID"]:
            cls._current = cls()
        return cls._current

    @property
    def _record(self):
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    @_record.setter
    def _record(self, record):
        self._loaded = record

    @property
    def experiment(self):
        """The experiment that the run belongs to."""
        if self._own_experiment is None:
            from azureml.core.workspace import Workspace

            self._own_experiment = experiment_of(Workspace.from_config(), self._record)
        return self._own_experiment

    @property
    def _folder(self):
        return _engine.folder.open_folder()

    def _base_info(self):
        return {
            "Experiment": os.environ["AZUREML_ARM_PROJECT_NAME"],
            "Id": self._run_id,
            "Type": "azureml.scriptrun",
            "Status": "Running",
        }

    @property
    def input_datasets(self):
        """The job's datasets, a dict of input name to the path where the data is."""
        if self._input_datasets is None:
            self._input_datasets = InputDatasets(None)
        return self._input_datasets

    @property
    def output_datasets(self):
        """The job's outputs, a dict of output name to the folder where the script writes it."""
        return OutputDatasets(None)

    @property
    def display_name(self):
        """A name for people; can be set."""
        return self._record.display_name

    @display_name.setter
    def display_name(self, display_name):
        self._spool({"kind": "display_name", "value": display_name})

    @property
    def description(self):
        """What the run is about; can be set."""
        return self._record.description or None

    @description.setter
    def description(self, description):
        self._spool({"kind": "description", "value": description})

    def set_tags(self, tags):
        """Set tags from a dict; other tags stay."""
        for name, value in told_texts(tags).items():
            self._spool({"kind": "tag", "name": name, "value": value})

    def remove_tags(self, tags):
        """Remove the tags of these names, a list."""
        for name in names_of(tags):
            self._spool({"kind": "remove_tag", "name": name})

    def add_properties(self, properties):
        """Add properties from a dict."""
        for name, value in told_texts(properties or {}).items():
            self._spool({"kind": "property", "name": name, "value": value})

    def _log(self, event):
        if event:
            _spool.append(event)

    def _spool(self, event):
        _spool.append(event)
        self._loaded = None  # what was read of the run before is out of date

    def _store_file(self, name, source):
        _spool.add_file(name, source)

    def flush(self, timeout_seconds=300):
        """Have all that was logged on the disk, whence it comes to whoever reads the run. It waits for nobody."""
        _spool.flush()
        self._loaded = None

    def start(self):
        """Nothing to do: a submitted run is started."""

    def complete(self, _set_status=True):
        """Have all that was logged kept; the status is set when the script ends."""
        self.flush()

    def fail(self, error_details=None, error_code=None, _set_status=True):
        """Print the error to the log; the status is set when the script ends, by its exit code."""
        error = error_of(error_details, error_code)
        print("{}: {}".format(error["code"], error.get("message", "")))
        self.flush()

    def cancel(self):
        """Not for a script to do: a warning is logged."""
        _logger.warning("cancel is not supported for submitted runs.")

    def __exit__(self, exit_type, value, traceback):
        self.complete()


class InputDatasets(dict):
    """A job's datasets: input name to the path where the data is mounted or was downloaded.

    Of an input in direct mode, the dataset itself.
    """

    __module__ = "azureml.core.run"

    def __init__(self, workspace):
        super().__init__()
        prefix = "AZUREML_DATAREFERENCE_"
        for variable, value in os.environ.items():
            if variable.startswith(prefix):
                name = variable[len(prefix) :]
                self[name] = value if Path(value).exists() else _direct_dataset(workspace, value)


class OutputDatasets(dict):
    """A job's outputs: output name to the folder in which the script writes it."""

    __module__ = "azureml.core.run"

    def __init__(self, workspace):
        super().__init__()
        self.workspace = workspace
        names = os.environ.get("AZUREML_DATASET_FILE_OUTPUTS")
        self.update({name: os.environ[name] for name in (names.split(";") if names else ())})


def _direct_dataset(workspace, dataset_id):
    from azureml.core.dataset import Dataset
    from azureml.core.workspace import Workspace

    return Dataset.get_by_id(workspace or Workspace.from_config(), dataset_id)
