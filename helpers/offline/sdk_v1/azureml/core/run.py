"""Runs, as a notebook sees them (Run) and as a training script sees its own (Run.get_context()).

Imported by a job's side too: standard library only, and valid on Python 3.7. What reads or changes the run history
goes through the engine, which is imported when it is first needed; what a script logs goes to the spool instead.
"""

import logging
import os

from azureml import _engine, _spool
from azureml._offline_run import _OfflineRun
from azureml._strict import module_getattr, refuse, refuse_unknown, unsupported
from azureml._tags import has_all, texts
from azureml.core._job_side import InputDatasets, OutputDatasets, _JobSide  # noqa: F401  the real SDK has these two here
from azureml.core._run_artifacts import _RunArtifacts
from azureml.core._run_metrics import _RunMetrics
from azureml.core._run_records import experiment_of, read_run, service_exception
from azureml.core._run_state import _RunState
from azureml.core._run_tags import _RunTags
from azureml.exceptions import RunEnvironmentException, UserErrorException

__getattr__ = module_getattr(__name__)

_logger = logging.getLogger(__name__)


class Run(_RunState, _RunTags, _RunMetrics, _RunArtifacts):
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
        record = read_run(workspace._folder, run_id)
        return next(_rehydrated(experiment_of(workspace, record), [record]))

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
                tags=texts(tags or {}),
                properties=texts(properties or {}),
                status="NotStarted",
            )
            if description:
                _engine.run_records.set_description(folder, run_id, description)
        run = Run(experiment, run_id, outputs=outputs)
        run.start()
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
        return self._record.description or None

    @description.setter
    def description(self, description):
        self._change("set_description", description)

    def get_portal_url(self):
        """The address of the run in the local MLflow page, which `make studio` opens."""
        return _engine.studio.page_of(self._record.experiment_id, self._run_id)

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
        from azureml._html import DOCS_LINK, studio_page, table

        links = {
            "Details Page": studio_page(self.get_portal_url()),
            "Docs Page": (self.get_docs_url(), DOCS_LINK),
        }
        return table(self._base_info(), links)

    # Children

    def child_run(self, name=None, run_id=None, outputs=None):
        """A new run below this one, started."""
        refuse("Run.child_run()", run_id=run_id)
        child = Run(self.experiment, self._create_child(name), outputs=outputs)
        child.start()
        return child

    def create_children(self, count=None, tag_key=None, tag_values=None):
        """As many new runs below this one as `count`, or one for each of tag_values, tagged with tag_key; started.

        Those of a count are tagged with their number, from 0, as azureml.batch_child_number.
        """
        if count is None and tag_key is None and tag_values is None:
            raise UserErrorException("Either count or tag_key and tag_values must be set")
        if tag_key is None and tag_values is not None:
            raise UserErrorException("tag_key must not be null when tag_values is set")
        if tag_key is not None and tag_values is None:
            raise UserErrorException("tag_values must not be null when tag_key is set")
        if tag_values is not None and count is not None:
            raise UserErrorException("count can not be set when tag_key and tag_values are set")
        if tag_values is None:
            tag_key, tag_values = "azureml.batch_child_number", range(count)
        if len(tag_values) > 100:
            raise UserErrorException("create_children can not create more than 100 runs")
        children = [Run(self.experiment, self._create_child(None, {tag_key: value})) for value in tag_values]
        for child in children:
            child.start()
        return children

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
        with _engine.translated(NotFound=service_exception):
            return _engine.run_records.create_run(
                self._folder,
                self._record.experiment,
                display_name=name,
                parent_id=self._run_id,
                tags=texts(tags or {}),
                status="NotStarted",
            )

    def _descendants(self, recursive):
        parents = [self._run_id]
        while parents:
            for record in _engine.run_records.list_runs(self._folder, self._record.experiment, parent_id=parents.pop()):
                yield record
                if recursive:
                    parents.append(record.id)

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
            resource_configuration=resource_configuration,
        )

    # The run history

    @property
    def _folder(self):
        return self._experiment._folder

    @property
    def _log_path(self):
        return _engine.logs.log_path(self._folder, self._run_id)

    def _load(self):
        return read_run(self._folder, self._run_id)

    def _refresh(self):
        self._record = self._load()
        return self._record

    def _change(self, function, *args, **kwargs):
        with _engine.translated(NotFound=service_exception):
            getattr(_engine.run_records, function)(self._folder, self._run_id, *args, **kwargs)
        self._refresh()


class _SubmittedRun(_JobSide, Run):
    """A job's own run."""


def get_run(experiment, run_id, rehydrate=True, clean_up=True):
    """The experiment's run of this id; with rehydrate, of the class that belongs to its type."""
    record = read_run(experiment._folder, run_id)
    return next(_rehydrated(experiment, [record])) if rehydrate else Run(experiment, run_id, _run_dto=record)


def _filtered(experiment, records, type, tags, properties, status, rehydrate):
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
