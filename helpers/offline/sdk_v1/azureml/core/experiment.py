"""Experiments: what groups runs."""

import logging
import re
from datetime import datetime

from azureml import _engine
from azureml._html import DOCS_LINK, docs_url, studio_page, table
from azureml._strict import module_getattr, refuse_unknown, unsupported
from azureml._tags import has_all, names_of, told_texts
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_logger = logging.getLogger(__name__)


class ViewType:
    """Which experiments Experiment.list() has."""

    ActiveOnly = "ActiveOnly"
    All = "All"
    ArchivedOnly = "ArchivedOnly"


class Experiment:
    """A named group of runs in a workspace, made if it is not there yet.

    Raises UserErrorException for a name that the service refuses.
    """

    def __init__(
        self,
        workspace,
        name,
        _skip_name_validation=False,
        _id=None,
        _archived_time=None,
        _create_in_cloud=True,
        _experiment_dto=None,
        **kwargs,
    ):
        refuse_unknown("Experiment()", kwargs)
        if not _skip_name_validation:
            _check_name(name)
        self._workspace = workspace
        self._name = name
        if _create_in_cloud:
            with _engine.translated():
                _engine.run_records.create_experiment(self._folder, name)
        self._record = _experiment_dto
        if self._record is None:
            self.refresh()
        if _create_in_cloud:
            self._make_active()

    def submit(self, config, tags=None, **kwargs):
        """Start the script of a ScriptRunConfig as a run of this experiment, and return the run at once."""
        from azureml._submit import submit

        self._make_active()
        return submit(self, config, tags, **kwargs)

    def start_logging(self, *args, **kwargs):
        """A new interactive run, which is logged to from here and ended with run.complete().

        outputs: a folder (by default ./outputs; False for none) whose new files are added to the run when it is
        completed. snapshot_directory: a folder (by default the working directory; None for none) that is kept as the
        run's code. display_name, description, tags, properties: the run's.
        """
        from azureml.core.run import Run

        self._make_active()
        return Run._start_logging(self, *args, **kwargs)

    def get_runs(self, type=None, tags=None, properties=None, include_children=False):
        """The experiment's runs, the newest first, as a generator; see Run.get_children() for the filters."""
        from azureml.core.run import Run

        return Run.list(self, type=type, tags=tags, properties=properties, include_children=include_children)

    @staticmethod
    def list(workspace, experiment_name=None, view_type=ViewType.ActiveOnly, tags=None):
        """The workspace's experiments. tags: a name, or a dict of name to value, that they must have."""
        with _engine.translated():
            records = _engine.run_records.list_experiments(workspace._folder, archived=True)
        archived = {ViewType.ActiveOnly: (False,), ViewType.ArchivedOnly: (True,)}.get(view_type, (False, True))
        return [
            Experiment(
                workspace,
                record["name"],
                _skip_name_validation=True,
                _create_in_cloud=False,
                _experiment_dto=record,
            )
            for record in records
            if record["archived"] in archived
            and experiment_name in (None, record["name"])
            and has_all(record["tags"], tags)
        ]

    @staticmethod
    def delete(workspace, experiment_id):
        """Not supported offline: archive() hides an experiment."""
        unsupported("Experiment.delete()")

    @staticmethod
    def from_directory(path, auth=None):
        """Not supported offline (and deprecated)."""
        unsupported("Experiment.from_directory()")

    def archive(self):
        """Hide the experiment from Experiment.list()."""
        self._change("set_experiment_archived", True)
        self.refresh()

    def reactivate(self, new_name=None):
        """Undo archive(). Raises UserErrorException for a new name: an experiment cannot be renamed."""
        if new_name is not None:
            raise UserErrorException("Cannot rename an experiment: reactivate it under its own name.")
        self._change("set_experiment_archived", False)
        self.refresh()

    def tag(self, key, value=None):
        """Set one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags):
        """Set tags from a dict; other tags stay. `tags` has them after refresh()."""
        self._change("set_experiment_tags", told_texts(tags))

    def remove_tags(self, tags):
        """Remove the tags of these names, a list."""
        self._change("remove_experiment_tags", names_of(tags))

    def refresh(self):
        """Read the experiment anew from the workspace."""
        with _engine.translated():
            self._record = _engine.run_records.get_experiment(self._folder, self._name)

    @property
    def workspace(self):
        """The workspace that has the experiment."""
        return self._workspace

    @property
    def workspace_object(self):
        """The workspace that has the experiment. Deprecated: use workspace."""
        _logger.warning("Deprecated, use experiment.workspace")
        return self._workspace

    @property
    def name(self):
        """The experiment's name."""
        return self._name

    @property
    def id(self):
        """The experiment's id."""
        return self._record["id"]

    @property
    def archived_time(self):
        """When the experiment was archived, a datetime in UTC; None for an active one."""
        return datetime.fromisoformat(self._record["modified"]) if self._record["archived"] else None

    @property
    def tags(self):
        """The experiment's tags when it was last read, a dict of str to str; refresh() reads it anew."""
        return dict(self._record["tags"])

    def get_portal_url(self):
        """The address of the experiment in the local MLflow page, which `make studio` opens."""
        return _engine.studio.page_of(self.id)

    @classmethod
    def get_docs_url(cls):
        """The address of the documentation of this class."""
        return docs_url(cls)

    def _base_info(self):
        return {"Name": self._name, "Workspace": self._workspace.name}

    def __repr__(self):
        return "Experiment({})".format(",\n".join(f"{key}: {value}" for key, value in self._base_info().items()))

    def _repr_html_(self):
        links = {
            "Report Page": studio_page(self.get_portal_url()),
            "Docs Page": (self.get_docs_url(), DOCS_LINK),
        }
        return table(self._base_info(), links)

    @property
    def _folder(self):
        return self._workspace._folder

    def _make_active(self):
        # What is written to an archived experiment makes it active again: the service opens a new one of that name.
        if self._record["archived"]:
            self.reactivate()

    def _change(self, function, *args):
        with _engine.translated():
            getattr(_engine.run_records, function)(self._folder, self._name, *args)


def _check_name(name):
    if not isinstance(name, str) or not re.fullmatch(r"[a-zA-Z0-9][\w\-]{0,254}", name):
        raise UserErrorException(
            "Experiment name must be between 1 and 255 characters long. Its first character has to be alphanumeric, "
            "and the rest may contain hyphens and underscores. No whitespace is allowed."
        )
