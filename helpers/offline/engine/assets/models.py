"""The model registry: MLflow's, with the files of each version kept in the workspace's folder."""

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from helpers.offline.engine.assets import model_versions
from helpers.offline.engine.history import mlflow_store
from helpers.offline.engine.history.tags import PROPERTY, key, stored, told
from helpers.offline.engine.workspace import database
from helpers.offline.engine.workspace.errors import Invalid, NotFound
from helpers.offline.engine.workspace.files import copy_folder, copy_whole, files_below, path_of
from helpers.offline.engine.workspace.leftovers import making_folder, removed_if_refused
from helpers.offline.engine.workspace.names import ASSET, ASSET_RULE, check_name, relative_name, safe_join

EXTRA = "azureml.model"  # framework and the like, as JSON
LARGEST_VERSION = 2**63 - 1  # that the store can hold


@dataclass(frozen=True)
class ModelRecord:
    name: str
    version: int
    created: str
    description: str
    tags: dict[str, str]
    properties: dict[str, str]
    run_id: str | None
    path: Path  # what holds the version's files: a folder, or a single file that MLflow registered
    below: str  # what their names begin with: MLflow registers a folder without copying it, and it keeps its name
    extra: dict

    @property
    def id(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def files(self) -> list[str]:
        """The names of the version's files, as sorted posix paths. Raises NotFound where they are gone."""
        if self.path.is_file():
            return [self.below]
        if not self.path.is_dir():
            raise NotFound(f"The files of the model {self.id} are gone: {self.path} does not exist.")
        return [f"{self.below}/{name}" if self.below else name for name in files_below(self.path)]

    @property
    def is_file(self) -> bool:
        """Whether it is a single file, and no folder."""
        return not any("/" in name for name in self.files)

    def where(self, name: str) -> Path:
        """Where a file of this name lies, or would lie. Raises Invalid for a name that leaves the model's files."""
        if not self.below:
            return safe_join(self.path, name)
        top, _, rest = relative_name(name).partition("/")
        if top != self.below:
            raise Invalid(f"The model {self.id} has no file {name!r}: its files are below {self.below!r}.")
        return safe_join(self.path, rest) if rest else self.path

    def copy_to(self, target: Path) -> None:
        """Lay the files out below a folder, which is made. Raises NotFound where they are gone."""
        target.mkdir(parents=True, exist_ok=True)
        for name in self.files:
            copy_whole(self.where(name), safe_join(target, name))


def register(
    folder: Path,
    name: str,
    source: Path,
    *,
    stored_as: str,
    tags: dict[str, str] | None = None,
    properties: dict[str, str] | None = None,
    description: str | None = None,
    run_id: str | None = None,
    extra: dict | None = None,
    version: int | None = None,
) -> ModelRecord:
    """Keep a copy of a file or folder as a version of `name`, the next one by default, under the name `stored_as`.

    Two processes at once get two versions. Raises NotFound, Invalid, InvalidName and AlreadyExists.
    """
    check_name("model", name, ASSET, ASSET_RULE)
    if version is not None and not 0 <= version <= LARGEST_VERSION:
        raise Invalid(f"{version} is no version of a model: give a whole number of up to {LARGEST_VERSION}.")
    if not source.exists():
        raise NotFound(f"There is no file or folder {source} to register.")
    version_tags = stored(tags or {}) | stored(properties or {}, PROPERTY) | {EXTRA: json.dumps(extra or {})}
    files = folder / "models" / name / uuid.uuid4().hex
    if source.resolve().is_relative_to(folder) and files.is_relative_to(source.resolve()):
        raise Invalid(f"{source} is the folder in which the offline workspace keeps its models.")
    target = safe_join(files, stored_as)
    with making_folder(files), removed_if_refused(files):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            copy_folder(source, target, folder)
        else:
            shutil.copyfile(source, target)
        details = {"run_id": run_id, "tags": version_tags, "description": description or ""}
        number = model_versions.add(folder, name, version, files.as_uri(), **details)
    return get(folder, name, number)


def get(folder: Path, name: str, version: int | None = None) -> ModelRecord:
    """A version of the model, the latest by default. Raises NotFound."""
    there = list_all(folder, name)
    found = [model for model in there if version is None or model.version == version]
    if not found:
        wanted = f"{name!r}" if version is None else f"{name!r} version {version}"
        if there:
            known = f"It has the versions {', '.join(str(number) for number in sorted(m.version for m in there))}"
        else:
            named = {model.name for model in list_all(folder) if not model.extra.get("anonymous")}
            known = f"It has: {', '.join(sorted(named)) or 'none'}"
        raise NotFound(f"The workspace has no model {wanted}. {known}.")
    return found[0]


def list_all(folder: Path, name: str | None = None, latest: bool = False) -> list[ModelRecord]:
    """The models, the last registered first; of each name only the latest version with `latest`."""
    found = [_record(folder, one) for one in model_versions.list_all(folder, name)]
    found.sort(key=lambda model: (model.created, model.version), reverse=True)
    if latest:
        newest = {model.name: max(m.version for m in found if m.name == model.name) for model in found}
        found = [model for model in found if model.version == newest[model.name]]
    return found


def update(
    folder: Path,
    name: str,
    version: int,
    *,
    tags: dict[str, str] | None = None,
    properties: dict[str, str] | None = None,
    description: str | None = None,
    extra: dict | None = None,
) -> ModelRecord:
    """Replace a version's tags, add properties and `extra`, set its description; None leaves a thing as it is.

    Raises NotFound.
    """
    model = get(folder, name, version)
    told_more = {} if extra is None else {EXTRA: json.dumps(model.extra | extra)}
    model_versions.update(
        folder,
        name,
        version,
        set_tags=stored(tags or {}) | stored(properties or {}, PROPERTY) | told_more,
        removed_tags=[] if tags is None else [key(tag) for tag in model.tags.keys() - tags.keys()],
        description=description,
    )
    return get(folder, name, version)


def delete(folder: Path, name: str, version: int) -> None:
    """Delete a version and its files. Raises NotFound."""
    model = get(folder, name, version)
    model_versions.delete(folder, name, version)
    if model.path.is_relative_to(folder / "models"):  # what MLflow logged with a run belongs to the run
        shutil.rmtree(model.path, ignore_errors=True)


def _place(folder: Path, made: model_versions.StoredVersion) -> tuple[Path, str]:
    """ModelRecord's path and below."""
    if EXTRA in made.tags:
        return folder / "models" / made.name / PurePosixPath(made.source).name, ""
    # registered by MLflow itself, which has left the files where they were logged
    if made.source.startswith("runs:/"):
        run_id, _, name = made.source.removeprefix("runs:/").partition("/")
        return folder / "artifacts" / run_id / "artifacts" / name, PurePosixPath(name).name
    path = path_of(made.source)
    return path, mlflow_store.logged_model_name(folder, made.source) or path.name


def _record(folder: Path, made: model_versions.StoredVersion) -> ModelRecord:
    tags = made.tags
    path, below = _place(folder, made)
    return ModelRecord(
        name=made.name,
        version=made.version,
        created=database.iso(made.created / 1000),
        description=made.description or "",
        tags=told(tags),
        properties=told(tags, PROPERTY),
        run_id=made.run_id or None,
        path=path,
        below=below,
        extra=json.loads(tags.get(EXTRA, "{}")),
    )
