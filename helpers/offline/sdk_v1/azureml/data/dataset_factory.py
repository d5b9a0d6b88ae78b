"""Datasets from files: `Dataset.File` and `Dataset.Tabular`."""

import fnmatch
import re
import tempfile
import uuid
import warnings
from datetime import date
from pathlib import Path

from azureml import _engine
from azureml._strict import module_getattr, refuse, unsupported
from azureml.data._unsupported import _UnsupportedMembers
from azureml.data.abstract_datastore import AbstractDatastore
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath
from azureml.data.dataset_error_handling import DatasetValidationError
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_WEB_ADDRESS = re.compile("^(https?|adl|wasbs?|abfss?)://", re.IGNORECASE)
_BLOB_WITH_SAS = re.compile(r"^https?://\w*\.blob\.[\w./]*\?", re.IGNORECASE)


_ENCODINGS = {
    "utf8": "utf-8-sig",  # as the SDK, which takes a mark at the beginning for what it is
    "iso88591": "latin-1",
    "latin1": "latin-1",
    "ascii": "ascii",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "utf8bom": "utf-8-sig",
    "windows1252": "cp1252",
}
_MANAGED = "managed-dataset"  # where data frames go that are given no path


class DataType:
    """What a column's values are; made by its own methods."""

    @staticmethod
    def to_string():
        """Texts."""
        return DataType._of("text")

    @staticmethod
    def to_long():
        """Whole numbers of 64 bits."""
        return DataType._of("whole")

    @staticmethod
    def to_float(decimal_mark="."):
        """Numbers of 64 bits."""
        return DataType._of("float", decimal_mark=decimal_mark)

    @staticmethod
    def to_bool():
        """True and false."""
        return DataType._of("flag")

    @staticmethod
    def to_stream(workspace, escaped=False):
        """Not supported offline."""
        unsupported("DataType.to_stream()")

    @staticmethod
    def to_datetime(formats=None):
        """Moments, in one or several formats of strptime(); without, the first rows tell."""
        return DataType._of("date", formats=[formats] if isinstance(formats, str) else list(formats or []))

    @staticmethod
    def _of(kind, **more):
        made = DataType()
        made._kind = {"kind": kind, **more}
        return made


class TabularDatasetFactory(metaclass=_UnsupportedMembers):
    """Makes TabularDatasets; used as `Dataset.Tabular`."""

    @staticmethod
    def from_delimited_files(
        path,
        validate=True,
        include_path=False,
        infer_column_types=True,
        set_column_types=None,
        separator=",",
        header=True,
        partition_format=None,
        support_multi_line=False,
        empty_as_string=False,
        encoding="utf8",
    ):
        """A TabularDataset of files such as CSV; path as of `Dataset.File.from_files()`.

        header: True, False, a PromoteHeadersBehavior or its name. Raises UserErrorException for what it does not know,
        DatasetValidationError for files that cannot be read.
        """
        refuse("Dataset.Tabular.from_delimited_files()", partition_format=partition_format or None)
        if str(encoding).lower() not in _ENCODINGS:
            names = ", ".join(map(repr, _ENCODINGS))
            raise UserErrorException(f"Invalid encoding '{encoding}'. The supported encodings are {names}.")
        table = {
            "format": "delimited",
            "separator": separator,
            "header": _header(header),
            "multi_line": support_multi_line,
            "empty_as_string": empty_as_string,
            "encoding": _ENCODINGS[encoding.lower()],
            "include_path": include_path,
        }
        return _tabular(path, table, validate, infer_column_types, set_column_types)

    @staticmethod
    def from_parquet_files(path, validate=True, include_path=False, set_column_types=None, partition_format=None):
        """A TabularDataset of Parquet files; path as of `Dataset.File.from_files()`.

        Raises DatasetValidationError for files that cannot be read.
        """
        refuse("Dataset.Tabular.from_parquet_files()", partition_format=partition_format or None)
        return _tabular(path, {"format": "parquet", "include_path": include_path}, validate, False, set_column_types)

    @staticmethod
    def register_pandas_dataframe(
        dataframe,
        target,
        name,
        description=None,
        tags=None,
        show_progress=True,
        row_group_size=None,
        make_target_path_unique=True,
    ):
        """Keep a data frame as a Parquet file in a datastore, and register the TabularDataset of it.

        target: a datastore, a DataPath, or a tuple of datastore and path. Raises UserErrorException for a column of
        lists, ValueError for a target, a frame or a name of another type and for what Parquet cannot hold.
        """
        import pandas as pd  # not above: it takes a job's script most of a second

        say = print if show_progress else lambda message: None
        say("Validating arguments.")
        _check_type(dataframe, "dataframe", pd.DataFrame)
        _check_type(name, "name", str)
        datastore, below = _target(target)
        below = (_MANAGED if isinstance(target, AbstractDatastore) else below).strip("/")
        say("Arguments validated.")
        path = f"{below}/{uuid.uuid4()}/" if make_target_path_unique else f"{below}/"
        if not make_target_path_unique:
            say(f"Using target path without unique subfolder: {path}.")
        with tempfile.TemporaryDirectory() as folder:
            frame = _sanitized(dataframe, pd.to_datetime)
            _engine.tables.write(frame, Path(folder, "dataframe.parquet"), row_group_size)
            _upload_directory(folder, (datastore, path), None, True, say)
        say("Successfully uploaded file to datastore.")
        say("Creating and registering a new dataset.")
        made = TabularDatasetFactory.from_parquet_files((datastore, path))
        registered = made.register(datastore.workspace, name, description, tags, create_new_version=True)
        say("Successfully created and registered a new dataset.")
        return registered


def _sanitized(frame, as_moments):
    """A data frame as it is put into a file: without its index, and its days as moments."""
    frame = frame.reset_index(drop=True)
    for name in frame.columns:
        if isinstance(name, str) and "." in name:
            print(
                "Column header contains '.' This period will be translated to '_' as we write the data out to parquet "
                f"files: '{name}' -> '{name.replace('.', '_')}'"
            )
        first = frame[name].iloc[0] if len(frame) else None
        if isinstance(first, list) or type(first).__name__ == "ndarray":
            raise UserErrorException(
                "Cannot register pandas dataframes with columns containing complex data types. Encountered column with "
                f"type: {type(first)}"
            )
        if isinstance(first, date):
            frame[name] = as_moments(frame[name])
    return frame


def _described(kind, include_path, types, separator=",", header=True):
    """How the files of a job's output are read as a table: as texts, but for the columns that are given a kind."""
    kinds = {name: one._kind for name, one in _types(types).items()}
    if any(kind.get("formats") == [] for kind in kinds.values()):
        raise UserErrorException(_NO_FORMAT)
    table = {"format": kind, "include_path": include_path, "kinds": kinds, "steps": [], "timestamps": [None, None]}
    if kind == "delimited":
        table |= {"separator": separator, "header": _header(header), "encoding": _ENCODINGS["utf8"]}
        table |= {"multi_line": False, "empty_as_string": False}
    return table


def _types(types):
    types = {} if types is None else types
    if not isinstance(types, dict) or not all(isinstance(one, DataType) for one in types.values()):
        raise UserErrorException(
            "`set_column_types` must be a dictionary where key is column name and value is :class: "
            "azureml.data.DataType"
        )
    return types


def _header(header):
    """The name of the header's rule."""
    if isinstance(header, bool):
        return "ALL_FILES_HAVE_SAME_HEADERS" if header else "NO_HEADERS"
    name = getattr(header, "name", header)
    if name not in _engine.tables.HEADERS:
        raise UserErrorException(
            f"Unsupported header provided. The allowed values are {''.join(_engine.tables.HEADERS)}"
        )
    return name


def _tabular(path, table, validate, infer, types):
    """The TabularDataset of these files, with the kinds of its columns as they are learned and given."""
    from azureml.data.tabular_dataset import TabularDataset

    given = {name: one._kind for name, one in _types(types).items()}
    sources, learned, unclear = _sources(path), {}, []
    open_dates = [name for name, kind in given.items() if kind.get("formats") == []]
    if validate or infer or open_dates:
        with _engine.translated(
            NotFound=lambda message: DatasetValidationError(_INVALID + _NO_STREAM + message),
            EngineError=lambda message: DatasetValidationError(_INVALID + message),
        ):
            learned, unclear = _engine.tables.learn(_engine.folder.open_folder(), sources, table, validate)
    for name in open_dates:
        if learned.get(name, {}).get("kind") != "date":
            raise UserErrorException(_NO_FORMAT)
        given[name] = learned[name]
    unclear = [name for name in unclear if infer and name not in given]
    if unclear:
        warnings.warn(
            f'Ambiguous datetime formats inferred for columns {unclear} are resolved as "month-day". Desired format '
            "can be specified by `set_column_types`.",
            stacklevel=3,
        )
    kinds = {**(learned if infer else {}), **given}
    return TabularDataset._create(sources, table={**table, "kinds": kinds, "steps": [], "timestamps": [None, None]})


_NO_FORMAT = "Cannot infer conversion format for datetime. Please provide the desired formats."
_INVALID = "Failed to validate the data.If data is inaccessible, please set validate to False.\n"
_NO_STREAM = "The requested stream was not found. Please make sure the request uri is correct. "


class FileDatasetFactory:
    """Makes FileDatasets; used as `Dataset.File`."""

    @staticmethod
    def from_files(path, validate=True, partition_format=None, is_file=False):
        """A FileDataset of web addresses, or of paths in datastores, which may have * and **.

        path: a web address, a DataPath, a tuple of datastore and path, or a list of these. The files are looked at when
        the dataset is used, not here. Raises UserErrorException for any other path.
        """
        from azureml.data.file_dataset import FileDataset

        refuse("Dataset.File.from_files()", partition_format=partition_format or None)
        sources = _sources(path)
        if is_file and validate:
            warnings.warn("No validation will be performed because `is_file` is set to True.", stacklevel=2)
        return FileDataset._create(sources)

    @staticmethod
    def upload_directory(src_dir, target, pattern=None, overwrite=False, show_progress=True):
        """Copy a folder's files into a datastore and return the FileDataset of the path there.

        target: a datastore, a DataPath, or a tuple of datastore and path. pattern: as of the command line, of the
        files' absolute paths. Files that are there stay as they are, unless `overwrite` is True. Raises
        UserErrorException for a missing folder, ValueError for a pattern or target of another type.
        """
        say = print if show_progress else lambda message: None
        datastore, inside = _upload_directory(src_dir, target, pattern, overwrite, say)
        say("Creating new dataset")
        return FileDatasetFactory.from_files((datastore, f"/{inside}"))


def _upload_directory(src_dir, target, pattern, overwrite, say):
    """Copy a folder's files into a datastore; the datastore and the path in it."""
    say("Validating arguments.")
    if pattern is not None:
        _check_type(pattern, "pattern", str)
    datastore, below = _target(target)
    root = Path(src_dir).absolute()
    if not root.is_dir():
        raise UserErrorException(f"src_dir '{src_dir}' does not point to a directory.")
    say("Arguments validated.")
    done = "overwritten" if overwrite else "skipped"
    say(f"'overwrite' is set to {overwrite}. Any file already present in the target will be {done}.")
    files = _engine.files.users_files(root, datastore.workspace._folder)
    if pattern is not None:
        say(f"Filtering files with pattern matching {pattern}")
        files = [file for file in files if fnmatch.fnmatch(file.as_posix(), pattern)]
        if not files:
            say(f"No files found with pattern {pattern}")
    say(f"Uploading files from '{root.as_posix()}' to '{below}'")
    inside = below.strip("/")
    named = [(file, (Path(inside) / file.relative_to(root)).as_posix()) for file in files]
    with _engine.translated():
        written = _engine.data.upload(datastore.workspace._folder, named, datastore.name, overwrite)
    say(f"Copied {len(written)} files, skipped {len(named) - len(written)} files.")
    return datastore, inside


def _check_type(argument, name, expected):
    if not isinstance(argument, expected):
        raise ValueError(f"Expected {name} of type {expected} but received {type(argument)}")


def _sources(path):
    """The engine's sources of what `from_files()` was given."""
    paths = path if isinstance(path, list) else [path]
    if paths and all(isinstance(one, str) for one in paths):
        if not all(_WEB_ADDRESS.match(one) and not _BLOB_WITH_SAS.match(one) for one in paths):
            raise _invalid_path()
        return [{"url": one} for one in paths]
    if not paths:
        raise _invalid_path()
    return [_datastore_source(one) for one in paths]


def _datastore_source(path):
    if isinstance(path, DataPath):
        return _source(path._datastore, path.path_on_datastore)
    if isinstance(path, DataReference):
        return _source(path.datastore, path.path_on_datastore)
    if isinstance(path, tuple):
        if len(path) == 2 and isinstance(path[0], AbstractDatastore) and isinstance(path[1], str):
            return _source(*path)
        raise UserErrorException(
            "Invalid tuple for path. Please make sure the tuple consists of a datastore and a path/SQL query"
        )
    raise _invalid_path()


def _source(datastore, path):
    return {"datastore": datastore.name, "path": path or "/"}


def _invalid_path():
    return UserErrorException(
        "Invalid argument type for `path`. It can be single value or a list of: a web address that begins with "
        '"http://" or "https://" and has no SAS token, a DataPath, or a tuple of a datastore and a path in it.'
    )


def _target(target):
    """The datastore and the path in it that `upload_directory()` was given."""
    if isinstance(target, DataPath):
        target = (target._datastore, target.path_on_datastore or "/")
    elif isinstance(target, AbstractDatastore):
        target = (target, "/")
    if isinstance(target, tuple) and len(target) == 2 and isinstance(target[0], AbstractDatastore):
        return target
    raise ValueError(f"The target type is not supported, target: {target}")
