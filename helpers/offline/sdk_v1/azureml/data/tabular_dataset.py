"""TabularDataset: rows of delimited or Parquet files, to be cut, filtered, loaded or given to a job."""

import logging
import random
import warnings
from datetime import timedelta
from functools import partial

from azureml import _engine
from azureml._strict import module_getattr, refuse, refuse_unknown, unsupported
from azureml.data._expressions import _Expression, column
from azureml.data.abstract_dataset import AbstractDataset, _check_share, _checked_count, _failed, _unmatched
from azureml.data.dataset_error_handling import DatasetValidationError
from azureml.exceptions import AzureMLException, DatasetTimestampMissingError, UserErrorException

__getattr__ = module_getattr(__name__)

_logger = logging.getLogger(__name__)
_HALF_SECOND = 500_000  # microseconds
_EXPERIMENTAL = (
    "Method %s: This is an experimental method, and may change at any time. "
    "Please see https://aka.ms/azuremlexperimental for more information."
)


class TabularDataset(AbstractDataset):
    """A table, by reference; made by `Dataset.Tabular`."""

    def __init__(self):
        super().__init__()

    def __getitem__(self, key):
        """A column, for an expression that filter() takes. Raises TypeError for what is no column's name."""
        if not isinstance(key, str):
            raise TypeError("Unexpected type received. Expected: str")
        return column(key)

    @property
    def timestamp_columns(self):
        """The columns that tell the time and the partition's time, each None where there is none."""
        return tuple(self._table["timestamps"])

    def with_timestamp_columns(self, timestamp=None, partition_timestamp=None, validate=False, **kwargs):
        """The dataset with these columns as those that tell the time. Raises UserErrorException where they disagree."""
        refuse_unknown("with_timestamp_columns()", kwargs, ("fine_grain_timestamp", "coarse_grain_timestamp"))
        fine, coarse = (kwargs.get(f"{kind}_grain_timestamp") for kind in ("fine", "coarse"))
        for old, new in (("fine_grain_timestamp", "timestamp"), ("coarse_grain_timestamp", "partition_timestamp")):
            if kwargs.get(old):
                warnings.warn(f"{old} is deprecated, use {new}.", DeprecationWarning, stacklevel=2)
        if (timestamp or partition_timestamp) and (fine or coarse):
            raise UserErrorException(
                "fine_grain_timestamp and coarse_grain_timestamp have been replaced by timestamp and "
                "partition_timestamp parameters and cannot be used together."
            )
        fine, coarse = timestamp or fine, partition_timestamp or coarse
        if coarse and not fine:
            raise UserErrorException("partition_timestamp can be assigned only if timestamp is assigned.")
        if fine and fine == coarse:
            raise UserErrorException("partition_timestamp cannot be the same as timestamp.")
        if validate:
            self._check_dates([name for name in (fine, coarse) if name])
        return self._with(timestamps=[fine or None, coarse or None])

    def to_pandas_dataframe(self, on_error="null", out_of_range_datetime="null"):
        """The rows as a pandas DataFrame.

        on_error: "null", or "fail" to raise for a value that is not of its column's kind. The index is the column that
        tells the time, where there is one. Raises UserErrorException for files that are not there or not readable.
        """
        refuse("to_pandas_dataframe()", out_of_range_datetime=None if out_of_range_datetime == "null" else True)
        with _engine.translated(Invalid=_broken, NotFound=_unmatched, EngineError=_failed):
            folder = _engine.folder.open_folder()
            frame = _engine.tables.read(folder, self._sources, self._table, on_error)
        time = self.timestamp_columns[0]
        return frame.set_index(time, drop=False).rename_axis(None) if time and len(frame) else frame

    def skip(self, count):
        """The dataset without its first `count` rows. Raises ValueError for what is no count."""
        return self._step("skip", _checked_count(count))

    def take(self, count):
        """The dataset of the first `count` rows. Raises ValueError for what is no count."""
        return self._step("take", _checked_count(count))

    def take_sample(self, probability, seed=None):
        """The dataset of rows that are each taken with this probability; a seed makes it the same every time."""
        _check_share("probability", probability)
        return self._step("split", probability, _seed(seed), True)

    def random_split(self, percentage, seed=None):
        """Two datasets: the rows that fall to the first with this probability (0 to 1), and the others."""
        _check_share("percentage", percentage)
        seed = _seed(seed)
        return self._step("split", percentage, seed, True), self._step("split", percentage, seed, False)

    def keep_columns(self, columns, validate=False):
        """The dataset with these columns, a name or a list of names, alone."""
        names = _names(columns)
        kept = self._step("keep", names)._without_times(lambda name: name not in names)
        if validate:
            with _engine.translated(EngineError=partial(_no_data, names)):
                _engine.tables.read(_engine.folder.open_folder(), kept._sources, kept._table)
        return kept

    def drop_columns(self, columns):
        """The dataset without these columns, a name or a list of names."""
        names = _names(columns)
        return self._step("drop", names)._without_times(lambda name: name in names)

    def filter(self, expression):
        """The dataset of the rows of which the expression is so, such as `dataset["age"] > 30`."""
        _logger.warning(_EXPERIMENTAL, "filter")
        if not isinstance(expression, _Expression):
            raise UserErrorException(
                f"filter() takes an expression such as dataset['age'] > 30, not a {type(expression).__name__}."
            )
        return self._kept(expression)

    def partition_by(self, partition_keys, target, name=None, show_progress=True, partition_as_file_dataset=False):
        """Not supported offline."""
        unsupported("TabularDataset.partition_by()")

    def to_parquet_files(self):
        """Not supported offline."""
        unsupported("TabularDataset.to_parquet_files()")

    def to_csv_files(self, separator=","):
        """Not supported offline."""
        unsupported("TabularDataset.to_csv_files()")

    def to_dask_dataframe(self, sample_size=10000, dtypes=None, on_error="null", out_of_range_datetime="null"):
        """Not supported offline."""
        unsupported("TabularDataset.to_dask_dataframe()")

    def to_spark_dataframe(self):
        """Not supported offline."""
        unsupported("TabularDataset.to_spark_dataframe()")

    def time_before(self, end_time, include_boundary=True, validate=True):
        """The dataset of the rows before a time."""
        return self._between("time_before", None, end_time, include_boundary, validate)

    def time_after(self, start_time, include_boundary=True, validate=True):
        """The dataset of the rows after a time."""
        return self._between("time_after", start_time, None, include_boundary, validate)

    def time_between(self, start_time, end_time, include_boundary=True, validate=True):
        """The dataset of the rows between two times."""
        return self._between("time_between", start_time, end_time, include_boundary, validate)

    def time_recent(self, time_delta, include_boundary=True, validate=True):
        """Not supported offline."""
        unsupported("TabularDataset.time_recent()")

    def submit_profile_run(self, compute_target, experiment, cache_datastore_name=None):
        """Not supported offline."""
        unsupported("TabularDataset.submit_profile_run()")

    def get_profile(self, workspace=None):
        """Not supported offline."""
        unsupported("TabularDataset.get_profile()")

    def get_profile_runs(self, workspace=None):
        """Not supported offline."""
        unsupported("TabularDataset.get_profile_runs()")

    def download(self, stream_column, target_path=None, overwrite=False, ignore_not_found=True):
        """Not supported offline."""
        unsupported("TabularDataset.download()")

    def mount(self, stream_column, mount_point=None):
        """Not supported offline."""
        unsupported("TabularDataset.mount()")

    def _with(self, **changes):
        return TabularDataset._create(self._sources, table={**self._table, **changes})

    def _kept(self, expression):
        return self._step("filter", expression._expression)

    def _step(self, *step):
        return self._with(steps=[*self._table["steps"], list(step)])

    def _without_times(self, is_gone):
        """The dataset without those of its columns of time that are gone; without the first, the other is none."""
        fine, coarse = self.timestamp_columns
        if fine is None or is_gone(fine):
            return self._with(timestamps=[None, None])
        return self._with(timestamps=[fine, None if coarse is None or is_gone(coarse) else coarse])

    def _between(self, method, start, end, include_boundary, validate):
        """The dataset of the rows all of whose columns of time are between two times, which are of whole seconds."""
        names = [name for name in self.timestamp_columns if name]
        if not names:
            raise DatasetTimestampMissingError(
                f"Cannot perform time-series filter `{method}` on dataset without timestamp columns defined."
                "\nPlease use `with_timestamp_columns` to enable time-series capabilities"
            )
        if validate:
            self._check_dates(names)
        found = self
        for name in names:
            if start is not None:
                first = start.replace(microsecond=0)
                found = found._kept(column(name) >= first if include_boundary else column(name) > first)
            if end is not None:
                last = end.replace(microsecond=0) + timedelta(seconds=int(end.microsecond > _HALF_SECOND))
                found = found._kept(column(name) <= last if include_boundary else column(name) < last)
        return found

    def _check_dates(self, names):
        kinds = self._with(timestamps=[None, None]).take(1).to_pandas_dataframe().dtypes
        missing = [name for name in names if name not in kinds]
        if missing:
            raise DatasetValidationError(f"The specified columns {missing} do not exist in the current dataset.")
        wrong = [name for name in names if not str(kinds[name]).startswith("datetime64")]
        if wrong:
            raise DatasetValidationError(
                f"The specified columns {wrong} do not have the expected types {['DATE'] * len(wrong)}."
            )


def _names(columns):
    return [columns] if isinstance(columns, str) else list(columns)


def _seed(seed):
    """The seed, which without one is drawn once, so that the rows are the same whenever they are read."""
    return random.randrange(2**32) if seed is None else seed


def _broken(message):
    return AzureMLException(f"Execution failed with error message: {message}")


def _no_data(columns, message):
    return DatasetValidationError(
        f"Cannot load any data from the dataset with only columns {columns} kept. Make sure the specified columns "
        f"exist in the current dataset.\n{message}"
    )
