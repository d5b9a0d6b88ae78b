"""Runs, as a notebook sees them (Run) and as a training script sees its own (Run.get_context()).

Imported by a job's side too: standard library only, and valid on Python 3.7. What reads or changes the run history
goes through the engine, which is imported when it is first needed; what a script logs goes to the spool instead.
"""

import io
import logging
import os
import traceback
import types
from pathlib import Path

from azureml import _engine, _metrics, _spool
from azureml._offline_run import _OfflineRun
from azureml._strict import module_getattr, refuse, refuse_unknown, unsupported
from azureml.exceptions import AzureMLException, RunEnvironmentException, ServiceException, UserErrorException

__getattr__ = module_getattr(__name__)

_logger = logging.getLogger(__name__)


class Run:
    """One run of an experiment: its state, metrics, files, tags and children.

    experiment: the Experiment. run_id: id of the run. outputs: a folder, made if it is not there, whose new files
    are added to the run when it is completed. Raises ServiceException where the workspace has no such run.
    """

    _run_source_initializers = {}

    def __init__(self, experiment, run_id, outputs=None, **kwargs):
        refuse_unknown("Run()", kwargs, ("_run_dto",))
        self._experiment = experiment
        self._run_id = run_id
        self._taken_names = set()
        self._parent_run = None
        self._record = kwargs.get("_run_dto") or self._load()
        self._outputs = None
        if outputs:
            from azureml._run_files import TrackedFolder

            self._outputs = TrackedFolder(outputs)

    # Which run this is

    @classmethod
    def get_context(cls, allow_offline=True, used_for_context_manager=False, **kwargs):
        """The run that this script belongs to.

        Outside a job: a run that prints what it is asked to log or, with allow_offline=False, RunEnvironmentException.
        """
        if _spool.FOLDER in os.environ:
            refuse_unknown("Run.get_context()", kwargs)
            return _SubmittedRun.current()
        if allow_offline:
            return _OfflineRun(**kwargs)
        raise RunEnvironmentException(inner_exception=RunEnvironmentException())

    @classmethod
    def get_submitted_run(cls, **kwargs):
        """The run that this script belongs to. Deprecated: use get_context()."""
        _logger.warning("Run.get_submitted_run() is deprecated, use Run.get_context() instead")
        return cls.get_context(allow_offline=False, **kwargs)

    @staticmethod
    def get(workspace, run_id):
        """The run of this id, whatever its experiment. Raises ServiceException."""
        record = _read_run(workspace._folder, run_id)
        return next(_rehydrated(_experiment_of(workspace, record), [record]))

    @staticmethod
    def list(
        experiment,
        type=None,
        tags=None,
        properties=None,
        status=None,
        include_children=False,
        _rehydrate_runs=True,
    ):
        """The experiment's runs, the newest first, as a generator; see `get_children` for the filters."""
        with _engine.translated():
            records = _engine.run_records.list_runs(
                experiment._folder, experiment.name, include_children=include_children
            )
        return _filtered(experiment, records, type, tags, properties, status, _rehydrate_runs)

    @staticmethod
    def list_by_compute(compute, type=None, tags=None, properties=None, status=None):
        """Not supported offline: compute.get_active_runs() has the runs that a cluster works on."""
        unsupported("Run.list_by_compute()")

    @staticmethod
    def add_type_provider(runtype, run_factory):
        """Have runs of type `runtype` made by run_factory(experiment, run, **kwargs). Raises ValueError."""
        if runtype in Run._run_source_initializers:
            raise ValueError(f"RunType {runtype} already has a factory, can't add another")
        Run._run_source_initializers[runtype] = run_factory

    @staticmethod
    def _start_logging(
        experiment,
        name=None,
        run_id=None,
        outputs=None,
        snapshot_directory=".",
        display_name=None,
        description=None,
        tags=None,
        properties=None,
        **kwargs,
    ):
        refuse_unknown("Experiment.start_logging()", kwargs)
        refuse("Experiment.start_logging()", run_id=run_id)
        outputs = None if outputs is False else "outputs" if outputs in (None, True, "") else outputs
        with _engine.translated():
            folder = experiment._folder
            run_id = _engine.run_records.create_run(
                folder,
                experiment.name,
                display_name=display_name or name,
                tags=_texts(tags or {}),
                properties=_texts(properties or {}),
            )
            if description:
                _engine.run_records.set_description(folder, run_id, description)
        run = Run(experiment, run_id, outputs=outputs)
        if snapshot_directory:
            run.take_snapshot(snapshot_directory)
        return run

    @property
    def id(self):
        """The run's id."""
        return self._run_id

    @property
    def name(self):
        """The run's name. Deprecated: use display_name."""
        return self._record.display_name

    @property
    def number(self):
        """The run's number within its experiment, from 1."""
        return self._record.number

    @property
    def type(self):
        """How the run was made: 'azureml.scriptrun' for a submitted script, 'hyperdrive' for a sweep, or None."""
        return self._record.run_type

    @property
    def experiment(self):
        """The experiment that the run belongs to."""
        return self._experiment

    @property
    def parent(self):
        """The parent run, or None."""
        if self._parent_run is None and self._record.parent_id:
            self._parent_run = get_run(self.experiment, self._record.parent_id)
        return self._parent_run

    @property
    def display_name(self):
        """A name for people; can be set."""
        return self._record.display_name

    @display_name.setter
    def display_name(self, display_name):
        self._change("set_display_name", display_name)

    @property
    def description(self):
        """What the run is about; can be set."""
        return self._record.description

    @description.setter
    def description(self, description):
        self._change("set_description", description)

    def get_portal_url(self):
        """The address of the run in the local MLflow page, which `make studio` opens."""
        from azureml._html import STUDIO

        return f"{STUDIO}/experiments/{self._record.experiment_id}/runs/{self._run_id}"

    @classmethod
    def get_docs_url(cls):
        """The address of the documentation of this class."""
        from azureml._html import docs_url

        return docs_url(cls)

    def _base_info(self):
        return {
            "Experiment": self._record.experiment,
            "Id": self._run_id,
            "Type": self._record.run_type,
            "Status": self._record.status,
        }

    def __repr__(self):
        return "Run({})".format(",\n".join("{}: {}".format(*item) for item in self._base_info().items()))

    def _repr_html_(self):
        from azureml._html import DOCS_LINK, STUDIO_LINK, table

        links = {
            "Details Page": (self.get_portal_url(), STUDIO_LINK),
            "Docs Page": (self.get_docs_url(), DOCS_LINK),
        }
        return table(self._base_info(), links)

    # State

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
        """Mark the run as started."""
        self._change("set_status", "Running")

    def complete(self, _set_status=True):
        """Mark the run as completed, after its outputs folder was added to it."""
        self._upload_outputs()
        if _set_status:
            self._change("set_status", "Completed")

    def fail(self, error_details=None, error_code=None, _set_status=True):
        """Mark the run as failed. error_details: a text or an exception. error_code: by default UserError."""
        error = _error(error_details, error_code)
        self._upload_outputs()
        if _set_status:
            self._change("set_status", "Failed", error=error)

    def cancel(self):
        """End the run. A submitted run's processes are ended and its files kept."""
        with _engine.translated(NotFound=_service_exception):
            _engine.jobs.cancel(self._folder, self._run_id)
        self._upload_outputs()
        self._refresh()

    def flush(self, timeout_seconds=300):
        """Wait until all that was logged is in the run history."""

    def __enter__(self):
        return self

    def __exit__(self, exit_type, value, traceback):
        if exit_type is None or (exit_type is SystemExit and not value.code):
            self.complete()
        else:
            self.fail(error_details=value)
        return exit_type is SystemExit and not value.code

    # Children

    def child_run(self, name=None, run_id=None, outputs=None):
        """A new run below this one, started."""
        refuse("Run.child_run()", run_id=run_id)
        return Run(self.experiment, self._create_child(name), outputs=outputs)

    def create_children(self, count=None, tag_key=None, tag_values=None):
        """As many new runs below this one as `count`, or one for each of tag_values, tagged with tag_key."""
        if count is None and tag_key is None and tag_values is None:
            raise UserErrorException("Either count or tag_key and tag_values must be set")
        if tag_key is None and tag_values is not None:
            raise UserErrorException("tag_key must not be null when tag_values is set")
        if tag_key is not None and tag_values is None:
            raise UserErrorException("tag_values must not be null when tag_key is set")
        if tag_values is not None and count is not None:
            raise UserErrorException("count can not be set when tag_key and tag_values are set")
        all_tags = [{}] * count if tag_values is None else [{tag_key: value} for value in tag_values]
        if len(all_tags) > 100:
            raise UserErrorException("create_children can not create more than 100 runs")
        return [Run(self.experiment, self._create_child(None, tags)) for tags in all_tags]

    def submit_child(self, config, tags=None, **kwargs):
        """Submit a script as a child of this run; see Experiment.submit()."""
        return self.experiment.submit(config, tags=tags, _parent_run_id=self._run_id, **kwargs)

    def get_children(self, recursive=False, tags=None, properties=None, type=None, status=None, _rehydrate_runs=True):
        """The run's children, the newest first, as a generator.

        recursive: the children's children too. tags, properties: a name, or a dict of name to value that a run must
        have. type, status: what they must be.
        """
        records = self._descendants(recursive)
        return _filtered(self.experiment, records, type, tags, properties, status, _rehydrate_runs)

    def _create_child(self, name, tags=None):
        with _engine.translated(NotFound=_service_exception):
            return _engine.run_records.create_run(
                self._folder,
                self._record.experiment,
                display_name=name,
                parent_id=self._run_id,
                tags=_texts(tags or {}),
            )

    def _descendants(self, recursive):
        parents = [self._run_id]
        while parents:
            for record in _engine.run_records.list_runs(self._folder, self._record.experiment, parent_id=parents.pop()):
                yield record
                if recursive:
                    parents.append(record.id)

    # Tags and properties

    @property
    def tags(self):
        """The tags when they were last asked for; get_tags() asks anew."""
        return dict(self._record.tags)

    def get_tags(self):
        """The tags now, a dict of str to str."""
        return dict(self._refresh().tags)

    def tag(self, key, value=None):
        """Set one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags):
        """Set tags from a dict; other tags stay."""
        self._change("set_tags", _texts(tags))

    def remove_tags(self, tags):
        """Remove the tags of these names."""
        self._change("remove_tags", [tags] if isinstance(tags, str) else list(tags))
        return self.tags

    @property
    def properties(self):
        """The properties when they were last asked for; get_properties() asks anew."""
        return dict(self._record.properties)

    def get_properties(self):
        """The properties now, a dict of str to str."""
        return dict(self._refresh().properties)

    def add_properties(self, properties):
        """Add properties from a dict. They cannot be changed: ServiceException for a name that has another value."""
        if not properties:
            return
        properties = _texts(properties)
        there = self.get_properties()
        for name, value in properties.items():
            if there.get(name, value) != value:
                raise _service_exception(
                    f"Property {name} of run {self._run_id} is immutable: it is {there[name]!r} already.",
                    400,
                )
        self._change("set_properties", properties)

    # Metrics

    def log(self, name, value, description="", step=None):
        """Log a number (or text, or truth value). Logged again under the same name it becomes a series.

        step: place in the series, e.g. the epoch.
        """
        self._log(_metrics.scalar(name, value, description, step))

    def log_list(self, name, value, description=""):
        """Log a list of numbers."""
        self._log(_metrics.values(name, value, description))

    def log_row(self, name, description=None, **kwargs):
        """Log a row of the table `name`: each keyword argument is a column's cell."""
        self._log(_metrics.row(name, kwargs, description))

    def log_table(self, name, value, description=""):
        """Log a table: a dict of column to list of cells."""
        self._log(_metrics.table(name, value, description))

    def log_confusion_matrix(self, name, value, description=""):
        """Log a confusion matrix: a dict, or JSON text, with schema_type, schema_version and data.

        It is kept, as each chart is, in a file of the run that is called `name`; AzureMLException where there is one.
        """
        self._log_chart(name, value, description)

    def log_accuracy_table(self, name, value, description=""):
        """Log an accuracy table, from which ROC and precision-recall curves are drawn: a dict, or JSON text."""
        self._log_chart(name, value, description)

    def log_residuals(self, name, value, description=""):
        """Log a histogram of a regression's residuals: a dict, or JSON text."""
        self._log_chart(name, value, description)

    def log_predictions(self, name, value, description=""):
        """Log predicted against true values of a regression: a dict, or JSON text."""
        self._log_chart(name, value, description)

    def _log_chart(self, name, value, description):
        self.upload_file(name, io.BytesIO(_metrics.chart(value)))
        self._log(_metrics.artifact(name, name, description))

    def log_image(self, name, path=None, plot=None, description=""):
        """Log an image: the file at `path`, or a matplotlib `plot` (pyplot or a figure), stored as PNG.

        Raises AzureMLException unless exactly one of them is given and it is an image.
        """
        if path is not None and plot is not None:
            raise AzureMLException(
                "Invalid parameters, path and plot were both provided, only one at a time is supported"
            )
        if path is None and plot is None:
            raise AzureMLException("Invalid parameters, one of path and plot is required as input")
        if path is not None:
            _metrics.check_image(path)
            file_name, address, source = _metrics.file_name(path), path, path
        else:
            file_name = address = _metrics.plot_name(name, self._taken_names)
            source = io.BytesIO()
            if not hasattr(plot, "savefig"):
                raise AzureMLException("Argument [plot] is of invalid type. Expected type: [matplotlib.pyplot]")
            plot.savefig(source, format="png")
            source.seek(0)
        self.upload_file(file_name, source)
        self._log(_metrics.artifact(name, address, description))

    def get_metrics(self, name=None, recursive=False, run_type=None, populate=False):
        """What was logged, a dict of name to value.

        A number logged once is a number, a series is a list, a table a dict of column to list, a chart or an image the
        address of its file. recursive: a dict of run id to such dicts, for the run and all below it.
        """
        refuse("Run.get_metrics()", populate=populate or None)
        if not recursive:
            return self._read_metrics(self._run_id, name)
        children = (record.id for record in self._descendants(True) if run_type in (None, record.run_type))
        by_run = {run_id: self._read_metrics(run_id, name) for run_id in [*children, self._run_id]}
        return {run_id: metrics for run_id, metrics in by_run.items() if metrics}

    def _read_metrics(self, run_id, name):
        with _engine.translated(NotFound=_service_exception):
            metrics = _engine.run_records.get_metrics(self._folder, run_id)
        return metrics if name is None else {key: value for key, value in metrics.items() if key == name}

    def _log(self, event):
        if event:
            with _engine.translated(NotFound=_service_exception):
                _engine.run_records.log_metrics(self._folder, self._run_id, [event])

    # Files

    def get_file_names(self):
        """The names of the run's files, such as outputs/model/model.keras."""
        with _engine.translated(NotFound=_service_exception):
            return _engine.run_files.files_of(self._folder, self._run_id)

    def upload_file(self, name, path_or_stream, datastore_name=None):
        """Add a file to the run as `name`. path_or_stream: a path as text, or a binary stream.

        Raises AzureMLException where the run has a file of this name, UserErrorException for a name that leads out
        of the run.
        """
        refuse("Run.upload_file()", datastore_name=datastore_name)
        if not isinstance(path_or_stream, (str, io.IOBase)):
            raise UserErrorException(
                f"UnsupportedType: type {type(path_or_stream)} is invalid, supported input types: file path or file"
            )
        self._store_file(name, path_or_stream)

    def upload_files(self, names, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None):
        """Add files to the run: paths[i] as names[i]."""
        refuse("Run.upload_files()", return_artifacts=return_artifacts or None, datastore_name=datastore_name)
        if len(names) != len(paths):
            raise TypeError(
                "names and paths must be lists of equal lengths. "
                f"Names was of length {len(names)} and paths of length {len(paths)}."
            )
        for name, path in zip(names, paths):  # noqa: B905  Python 3.7 has no strict=
            self._store_file(name, path)

    def upload_folder(self, name, path, datastore_name=None):
        """Add all files below the folder `path` to the run, under the prefix `name`."""
        refuse("Run.upload_folder()", datastore_name=datastore_name)
        if not Path(path).is_dir():
            raise UserErrorException(f"Cannot upload path: {path} since it is not a valid directory.")
        for source in sorted(Path(path).rglob("*")):
            if source.is_file():
                self._store_file("{}/{}".format(name.rstrip("/"), source.relative_to(path).as_posix()), str(source))

    def download_file(self, name, output_file_path=None, _validate_checksum=False):
        """Write the run's file `name` to output_file_path: a file, or a folder that is there already.

        By default it is written to the working directory. Raises UserErrorException for an unknown name.
        """
        from azureml._run_files import download

        target = Path(output_file_path or Path(name).name)
        download(self, {name: target / Path(name).name if target.is_dir() else target})

    def download_files(
        self,
        prefix=None,
        output_directory=None,
        output_paths=None,
        batch_size=100,
        append_prefix=True,
        timeout_seconds=None,
    ):
        """Write the run's files, or those below the folder `prefix`, below output_directory (or where it runs).

        append_prefix=False: without the prefix in the written paths. output_paths: the paths to write to, as many as
        there are files. Raises UserErrorException where nothing is below the prefix.
        """
        from azureml._run_files import download, download_targets

        download(self, download_targets(self, prefix, output_directory, output_paths, append_prefix))

    def _store_file(self, name, source):
        with _engine.translated(NotFound=_service_exception, AlreadyExists=AzureMLException):
            if isinstance(source, str):
                _engine.artifacts.upload(self._folder, self._run_id, name, Path(source))
            else:
                _engine.artifacts.upload_bytes(self._folder, self._run_id, name, source.read())

    def _read_text(self, name):
        with _engine.translated(NotFound=UserErrorException):
            path = _engine.run_files.path_of(self._folder, self._run_id, name)
        return path.read_text(encoding="utf-8", errors="replace")

    def _upload_outputs(self):
        if self._outputs:
            self._outputs.upload(self)

    # Code and environment

    def take_snapshot(self, file_or_folder_path):
        """Keep a folder (or a file) as the run's code; the id of the snapshot.

        Raises SnapshotException where the run has one already, or the folder is too large.
        """
        from azureml._run_files import take_snapshot

        snapshot_id = take_snapshot(self, file_or_folder_path)
        self._change("set_properties", {"ContentSnapshotId": snapshot_id})
        return snapshot_id

    def get_snapshot_id(self):
        """The id of the snapshot of the run's code, or None."""
        return self.get_properties().get("ContentSnapshotId")

    def restore_snapshot(self, snapshot_id=None, path=None):
        """Write the run's code as a zip file into the folder `path`; the path of the zip file."""
        from azureml._run_files import restore_snapshot

        return restore_snapshot(self, snapshot_id or self.get_snapshot_id(), path)

    def get_environment(self):
        """The environment that the run was submitted with. Raises UserErrorException where there is none."""
        definition = self.get_details().get("runDefinition")
        if definition is None:
            raise UserErrorException("There is no run definition or environment specified for the run.")
        from azureml.core.environment import Environment

        return Environment._deserialize(definition["environment"])

    def clean(self):
        """Not supported offline: a job leaves nothing on its node."""
        unsupported("Run.clean()")

    def get_secret(self, name):
        """Not supported offline: there is no key vault."""
        unsupported("Run.get_secret()")

    def get_secrets(self, secrets):
        """Not supported offline: there is no key vault."""
        unsupported("Run.get_secrets()")

    # Model

    def register_model(
        self,
        model_name,
        model_path=None,
        tags=None,
        properties=None,
        model_framework=None,
        model_framework_version=None,
        description=None,
        datasets=None,
        sample_input_dataset=None,
        sample_output_dataset=None,
        resource_configuration=None,
        **kwargs,
    ):
        """Register the run's file or folder `model_path` (by default of the model's name) as a Model.

        Raises ModelPathNotFoundException where the run has no such file, WebserviceException for a refused name.
        """
        from azureml.core.model import Model

        refuse_unknown("Run.register_model()", kwargs)
        refuse("Run.register_model()", resource_configuration=resource_configuration)
        return Model._register_from_run(
            self,
            model_name,
            model_path or model_name,
            tags=tags,
            properties=properties,
            description=description,
            datasets=datasets,
            model_framework=model_framework,
            model_framework_version=model_framework_version,
            sample_input_dataset=sample_input_dataset,
            sample_output_dataset=sample_output_dataset,
        )

    # The run history

    @property
    def _folder(self):
        return self._experiment._folder

    @property
    def _log_path(self):
        return _engine.logs.log_path(self._folder, self._run_id)

    def _load(self):
        return _read_run(self._folder, self._run_id)

    def _refresh(self):
        self._record = self._load()
        return self._record

    def _change(self, function, *args, **kwargs):
        with _engine.translated(NotFound=_service_exception):
            getattr(_engine.run_records, function)(self._folder, self._run_id, *args, **kwargs)
        self._refresh()


class _SubmittedRun(Run):
    """A job's own run, as its script sees it: what is logged goes to the spool, whatever else to the engine."""

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

            self._own_experiment = _experiment_of(Workspace.from_config(), self._record)
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
        """Not supported offline: write to ./outputs."""
        unsupported("Run.output_datasets")

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
        return self._record.description

    @description.setter
    def description(self, description):
        self._spool({"kind": "description", "value": description})

    def set_tags(self, tags):
        """Set tags from a dict; other tags stay."""
        for name, value in _texts(tags).items():
            self._spool({"kind": "tag", "name": name, "value": value})

    def remove_tags(self, tags):
        """Remove the tags of these names."""
        for name in [tags] if isinstance(tags, str) else tags:
            self._spool({"kind": "remove_tag", "name": name})

    def add_properties(self, properties):
        """Add properties from a dict."""
        for name, value in _texts(properties or {}).items():
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
        error = _error(error_details, error_code)
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

    def __init__(self, workspace):
        super().__init__()
        prefix = "AZUREML_DATAREFERENCE_"
        for variable, value in os.environ.items():
            if variable.startswith(prefix):
                name = variable[len(prefix) :]
                self[name] = value if Path(value).exists() else _direct_dataset(workspace, value)


def _direct_dataset(workspace, dataset_id):
    from azureml.core.dataset import Dataset
    from azureml.core.workspace import Workspace

    return Dataset.get_by_id(workspace or Workspace.from_config(), dataset_id)


def get_run(experiment, run_id, rehydrate=True, clean_up=True):
    """The experiment's run of this id; with rehydrate, of the class that belongs to its type."""
    record = _read_run(experiment._folder, run_id)
    return next(_rehydrated(experiment, [record])) if rehydrate else Run(experiment, run_id, _run_dto=record)


def _read_run(folder, run_id):
    with _engine.translated(NotFound=_service_exception):
        return _engine.run_records.get_run(folder, run_id)


def _experiment_of(workspace, record):
    from azureml.core.experiment import Experiment

    return Experiment(workspace, record.experiment, _skip_name_validation=True, _create_in_cloud=False)


def _filtered(experiment, records, type, tags, properties, status, rehydrate):
    from azureml._filters import has_all

    chosen = (
        record
        for record in records
        if type in (None, record.run_type)
        and status in (None, record.status)
        and has_all(record.tags, tags)
        and has_all(record.properties, properties)
    )
    if rehydrate:
        return _rehydrated(experiment, chosen)
    return (Run(experiment, record.id, _run_dto=record) for record in chosen)


def _rehydrated(experiment, records):
    from azureml.core import script_run  # noqa: F401  its import registers its type

    for record in records:
        if record.run_type == "hyperdrive":
            from azureml.train.hyperdrive import run  # noqa: F401  likewise

        factory = Run._run_source_initializers.get(record.run_type)
        if factory:
            yield factory(experiment, record)
        else:
            yield Run(experiment, record.id, _run_dto=record)


def _texts(tags):
    """Tags as the service keeps them: names to text or None."""
    if isinstance(tags, str):
        tags = {tags: None}
    return {str(name): value if value is None else str(value) for name, value in tags.items()}


def _error(error_details, error_code):
    """An error as the run history keeps it."""
    error = {"code": error_code or "UserError"}
    if isinstance(error_details, str):
        error["message"] = error_details
    elif isinstance(error_details, BaseException):
        name = type(error_details).__name__
        error["message"] = f"User program failed with {name}: {error_details}"
        error["debugInfo"] = {
            "type": name,
            "message": str(error_details),
            "stackTrace": "".join(traceback.format_tb(error_details.__traceback__)),
        }
    elif error_details is not None:
        raise TypeError("error_details must be instance of string or BaseException.")
    return error


def _service_exception(message, status_code=404):
    response = types.SimpleNamespace(status_code=status_code, headers={})
    return ServiceException(types.SimpleNamespace(message=message, response=response))
