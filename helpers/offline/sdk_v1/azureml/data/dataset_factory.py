"""Datasets from files: `Dataset.File`. Tables, `Dataset.Tabular`, are not supported offline."""

import fnmatch
import os
import re
import warnings
from pathlib import Path

from azureml import _engine
from azureml._strict import module_getattr, refuse
from azureml.data._unsupported import _UnsupportedMembers
from azureml.data.abstract_datastore import AbstractDatastore
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_WEB_ADDRESS = re.compile("^(https?|adl|wasbs?|abfss?)://", re.IGNORECASE)
_BLOB_WITH_SAS = re.compile(r"^https?://\w*\.blob\.[\w./]*\?", re.IGNORECASE)


class TabularDatasetFactory(metaclass=_UnsupportedMembers):
    """Not supported offline: each of its methods says so."""


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
        say("Validating arguments.")
        if pattern is not None and not isinstance(pattern, str):
            raise ValueError(f"Expected pattern of type {str} but received {type(pattern)}")
        datastore, below = _target(target)
        root = Path(src_dir).absolute()
        if not root.is_dir():
            raise UserErrorException(f"src_dir '{src_dir}' does not point to a directory.")
        say("Arguments validated.")
        done = "overwritten" if overwrite else "skipped"
        say(f"'overwrite' is set to {overwrite}. Any file already present in the target will be {done}.")
        files = sorted(Path(parent) / name for parent, _, names in os.walk(root) for name in names)
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
        say("Creating new dataset")
        return FileDatasetFactory.from_files((datastore, f"/{inside}"))


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
