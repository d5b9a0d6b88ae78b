"""What every dataset has in common: registration, versions and tags."""

from __future__ import annotations  # a job's Python may be too old for the fields of _Registration

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from azureml import _engine
from azureml._strict import module_getattr, refuse_unknown, unsupported
from azureml._tags import texts
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.data.dataset_factory import _NO_STREAM, FileDatasetFactory, TabularDatasetFactory
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)

_KIND = "dataset"
_SAVED = "saved dataset"  # by what it is made of: one that was used and is not registered
_NAME_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.() -]*"
_NAME_LENGTH = 255


class AbstractDataset:
    """A dataset: a FileDataset or a TabularDataset."""

    File = FileDatasetFactory
    Tabular = TabularDatasetFactory

    def __init__(self):
        if type(self) is AbstractDataset:
            raise UserErrorException("Cannot create instance of abstract class AbstractDataset")
        self._definition = None  # the engine's sources
        self._table = None  # how a table is read from them
        self._registration = None

    @classmethod
    def _create(cls, sources, registration=None, table=None):
        dataset = cls()
        dataset._definition = sources
        dataset._table = table
        dataset._registration = registration
        return dataset

    @property
    def _sources(self):
        """Where the files are: what the engine resolves, and what a job's input holds."""
        if self._definition is None:
            raise UserErrorException("Dataset definition is missing. Please check how the dataset is created.")
        return self._definition

    @property
    def _body(self):
        """What is kept of the dataset itself in the workspace."""
        return {"sources": self._sources, **({"table": self._table} if self._table else {})}

    def __getitem__(self, key):
        unsupported(f"{type(self).__name__}[…]")

    def __str__(self):
        return f"{type(self).__name__}\n{self!r}"

    def __repr__(self):
        sources = self._sources
        content = {
            "source": [source.get("url") or f"('{source['datastore']}', '{source['path']}')" for source in sources],
            "definition": ["GetFiles" if all("url" in source for source in sources) else "GetDatastoreFiles"],
        }
        known = self._registration
        if known:
            content["registration"] = {
                "id": known.id,
                "name": known.name,
                "version": known.version,
                **({"description": known.description} if known.description else {}),
                **({"tags": known.tags} if known.tags else {}),
                "workspace": repr(known.workspace),
            }
        return json.dumps(content, indent=2)

    @staticmethod
    def get_by_name(workspace, name, version="latest", **kwargs):
        """A registered dataset, in its latest version or a given one.

        Raises UserErrorException when the workspace has none of that name and version.
        """
        refuse_unknown("Dataset.get_by_name()", kwargs)
        number = _version_number(version)
        try:
            return _dataset(workspace, _engine.assets.get(workspace._folder, _KIND, name, number))
        except _engine.errors.NotFound as error:
            raise UserErrorException(
                f'Cannot find dataset registered with name "{name}" (version: {number}) in the workspace.'
            ) from error

    @staticmethod
    def get_by_id(workspace, id, **kwargs):
        """The dataset with this id, registered or only saved. Raises UserErrorException when there is none."""
        refuse_unknown("Dataset.get_by_id()", kwargs)
        for kind in (_KIND, _SAVED):
            with suppress(_engine.errors.NotFound):
                return _dataset(workspace, _engine.assets.get_by_id(workspace._folder, kind, id))
        raise UserErrorException(f'Cannot find dataset with id "{id}" in the workspace.')

    @staticmethod
    def get_all(workspace):
        """The registered datasets in their latest version: a mapping by name."""
        return _DatasetDict(workspace)

    @property
    def id(self):
        """The id of this version, or None for a dataset that is not registered and was not used yet."""
        return self._registration.id if self._registration else None

    @property
    def name(self):
        """The name it is registered with, or None."""
        return self._registration.name if self._registration else None

    @property
    def version(self):
        """The version it is registered with, or None."""
        return self._registration.version if self._registration else None

    @property
    def description(self):
        """Its description, or None for a dataset that is not registered."""
        return self._registration.description if self._registration else None

    @property
    def tags(self):
        """Its tags, or None for a dataset that is not registered."""
        return self._registration.tags if self._registration else None

    @property
    def data_changed_time(self):
        """When the newest of the files was changed, in UTC."""
        changed = max((file.path.stat().st_mtime for file in self._resolved()), default=0)
        return datetime(1970, 1, 1) + timedelta(seconds=changed)

    @property
    def partition_keys(self):
        """The partition keys: none, since from_files() takes no partition_format offline."""
        return []

    def get_partition_key_values(self, partition_keys=None):
        """Raise UserErrorException: the dataset has no partition keys."""
        raise UserErrorException("cannot retrieve partition key values for a dataset that has no partition keys")

    def as_named_input(self, name):
        """The dataset as a job's input of this name. Raises UserErrorException for a name that is no identifier."""
        return DatasetConsumptionConfig(name, self)

    def register(self, workspace, name, description=None, tags=None, create_new_version=False):
        """Register the dataset and return it as it is registered.

        A name that is taken needs `create_new_version`, else UserErrorException is raised. As the service does, a
        definition that is the latest version's gets no new version; its description and tags are changed as given.
        """
        _check_name(name)
        body = self._body | {"description": description, "tags": texts(tags or {})}

        def choose(latest):
            if latest is None:
                return body
            if not create_new_version:
                raise UserErrorException(
                    f'There is already a dataset registered under name "{name}". Specify `create_new_version=True` to '
                    "register the dataset as a new version. Use `update`, `add_tags`, or `remove_tags` to change only "
                    "the description or tags."
                )
            same = latest.body.get("table") == self._table and latest.body["sources"] == self._sources
            return latest if same else body

        with _engine.translated():
            asset = _engine.assets.add_if(workspace._folder, _KIND, name, choose)
        dataset = _dataset(workspace, asset)
        return dataset if asset.body == body else dataset.update(description, tags)

    def update(self, description=None, tags=None):
        """Replace the description and the tags, as far as given, of this version; returns the dataset.

        Raises UserErrorException for a dataset that is not registered.
        """
        changes = {"description": description, "tags": None if tags is None else texts(tags)}
        given = {key: value for key, value in changes.items() if value is not None}
        return self._change("update this dataset", lambda body: body | given)

    def add_tags(self, tags=None):
        """Add tags; returns the dataset. Raises UserErrorException for a tag that has another value."""

        def change(body):
            added = texts(tags or {})
            other = [name for name, value in added.items() if body["tags"].get(name, value) != value]
            if other:
                raise UserErrorException(
                    f"Dataset already contains different values for tags with the following keys {other}"
                )
            return body | {"tags": body["tags"] | added}

        return self._change("add tags to this dataset", change)

    def remove_tags(self, tags=None):
        """Remove the tags of these names; returns the dataset."""
        removed = set(tags or ())
        return self._change(
            "remove tags from this dataset",
            lambda body: body | {"tags": {name: value for name, value in body["tags"].items() if name not in removed}},
        )

    def _resolved(self):
        """The files, as the engine finds them. Raises UserErrorException for what is not found."""
        with _engine.translated(NotFound=_unmatched, EngineError=_failed):
            return _engine.data.resolve(_engine.folder.open_folder(), self._sources)

    def _ensure_saved(self, workspace):
        """The id of the dataset, which is kept in the workspace for that, though not registered."""
        if self._registration is None:
            body = self._body
            name = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
            with _engine.translated():
                asset = _engine.assets.add_if(workspace._folder, _SAVED, name, lambda latest: latest or body)
            self._registration = _registration(workspace, asset)
        return self.id

    def _registered_as(self, workspace, name):
        """The latest version of this name that is this very dataset; None where there is none."""
        with suppress(_engine.errors.NotFound):
            for asset in reversed(_engine.assets.versions(workspace._folder, _KIND, name)):
                if {key: asset.body[key] for key in ("sources", "table") if key in asset.body} == self._body:
                    return _dataset(workspace, asset)
        return None

    def _change(self, purpose, change):
        known = self._registration
        if not known or not known.name:
            raise UserErrorException(f"To {purpose} it must be registered.")
        with _engine.translated():
            asset = _engine.assets.update(known.workspace._folder, _KIND, known.name, known.version, change)
        self._registration = _registration(known.workspace, asset)
        return _dataset(known.workspace, asset)

    def unregister_all_versions(self):
        """Forget the dataset's name and all its versions; its files stay."""
        if self.name:
            with _engine.translated():
                _engine.assets.remove(self._registration.workspace._folder, _KIND, self.name)
            self._registration = None


@dataclass(frozen=True)
class _Registration:
    workspace: Any
    id: str
    name: str | None  # None for one that is only saved, as is what follows
    version: int | None
    description: str | None
    tags: dict[str, str] | None


class _DatasetDict(Mapping):
    """The registered datasets by name; each is loaded when it is asked for."""

    def __init__(self, workspace):
        self._workspace = workspace

    @property
    def registrations(self):
        """What is registered, without loading a dataset."""
        return [_registration(self._workspace, asset) for asset in self._assets()]

    def __getitem__(self, name):
        try:
            return AbstractDataset.get_by_name(self._workspace, name)
        except UserErrorException:
            raise KeyError(name) from None

    def __iter__(self):
        return iter([asset.name for asset in self._assets()])

    def __len__(self):
        return len(self._assets())

    def __repr__(self):
        return str({known.name: f"version {known.version}" for known in self.registrations})

    def _assets(self):
        return _engine.assets.list_latest(self._workspace._folder, _KIND)


def _dataset(workspace, asset):
    from azureml.data.file_dataset import FileDataset
    from azureml.data.tabular_dataset import TabularDataset

    table = asset.body.get("table")
    kind = TabularDataset if table else FileDataset
    return kind._create(asset.body["sources"], _registration(workspace, asset), table)


def _registration(workspace, asset):
    if asset.kind == _SAVED:
        return _Registration(workspace, asset.id, None, None, None, None)
    body = asset.body
    return _Registration(workspace, asset.id, asset.name, asset.version, body["description"], body["tags"])


def _checked_count(count):
    """The count. Raises ValueError for what is none."""
    if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
        return count
    raise ValueError("count must be a positive integer")


def _check_share(name, share):
    if not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise ValueError(f"{name} must be a number between 0.0 and 1.0.")


def _unmatched(message):
    return _failed(_NO_STREAM + message)


def _failed(message):
    return UserErrorException(f"Execution failed with error message: {message}")


def _version_number(version):
    if version in ("latest", None):
        return None
    try:
        return int(version)
    except (TypeError, ValueError):
        raise UserErrorException(
            f'Invalid value {version} for version. Version value must be number or "latest".'
        ) from None


def _check_name(name):
    with _engine.translated(EngineError=lambda message: UserErrorException(f"Request failed (400): {message}")):
        rule = f"give 1 to {_NAME_LENGTH} letters, digits, spaces and -_.(), of which the first is a letter, digit or _"
        _engine.names.check_name("dataset", name, _NAME_PATTERN, rule)
        if len(name) > _NAME_LENGTH:
            raise _engine.errors.InvalidName(f"{name[:20]!r}… is no name for a dataset: {rule}.")
