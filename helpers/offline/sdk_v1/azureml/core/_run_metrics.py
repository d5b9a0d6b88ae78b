"""What a run logs, and reading it.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

import io

from azureml import _engine, _metrics
from azureml._strict import refuse
from azureml.core._run_records import service_exception
from azureml.exceptions import AzureMLException


class _RunMetrics:
    """A part of Run."""

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

        It is kept, as each chart is, in a file of the run that is called `name`: AzureMLAggregatedException where there
        is one.
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
        with _engine.translated(NotFound=service_exception):
            return _engine.run_records.get_metrics(self._folder, run_id, None if name is None else str(name))

    def _log(self, event):
        if event:
            with _engine.translated(NotFound=service_exception):
                _engine.run_records.log_metrics(self._folder, self._run_id, [event])
