"""Where a dataset's files lie, and how they come to a job: datastores, web addresses, mounts and downloads."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from helpers.offline.engine.assets import models, web
from helpers.offline.engine.history import artifacts, run_files, runs
from helpers.offline.engine.workspace.errors import AlreadyExists, NotAllowed, NotFound
from helpers.offline.engine.workspace.files import copy_whole, files_below
from helpers.offline.engine.workspace.names import relative_name, safe_join

BLOBSTORE, FILESTORE = "workspaceblobstore", "workspacefilestore"
ARTIFACTSTORE = "workspaceartifactstore"  # the files of all runs, each at its artifacts.address()


@dataclass(frozen=True)
class DataFile:
    relative: str  # posix path in the dataset
    path: Path
    source: dict  # stands for this file alone, and keeps its relative path


def resolve(folder: Path, sources: list[dict]) -> list[DataFile]:
    """The files that a dataset's sources stand for, each as often as they do.

    A source is {"url": address}, {"datastore": name, "path": path, which may be a folder or have * and **} or {"model":
    name, "version": number}; one that stands for a single file may also say the "relative" path that the file has in
    the dataset. With "as_is" a path has no * and **, but stands for the file or folder of this very name.
    Raises NotFound for an address that is not known offline and for a path that matches nothing.
    """
    found: list[DataFile] = []
    several = len(sources) > 1  # then a file's path begins with where it is from, as the service lays it out
    for source in sources:
        files = _files(folder, source, several)
        if "relative" in source:
            files = [replace(files[0], relative=source["relative"], source=source)]
        found += files
    return found


def datastore_root(folder: Path, name: str = BLOBSTORE) -> Path:
    """The folder that stands for a datastore. Raises NotFound."""
    if name == ARTIFACTSTORE:
        return folder / "artifacts"
    if name not in (BLOBSTORE, FILESTORE):
        raise NotFound(f"The workspace has no datastore {name!r}. There are: {BLOBSTORE}, {FILESTORE}.")
    root = folder / "datastores" / name
    root.mkdir(parents=True, exist_ok=True)
    return root


def upload(
    folder: Path,
    files: list[tuple[Path, str]],
    datastore: str = BLOBSTORE,
    overwrite: bool = False,
    put: Callable[[Path, Path], None] = copy_whole,
) -> list[str]:
    """Put local files into a datastore under the given posix names; returns those that were written.

    Without `overwrite` a name that is taken is left alone. Raises Invalid for a name that leaves the datastore.
    """
    if datastore == ARTIFACTSTORE:
        raise NotAllowed(f"The datastore {datastore!r} keeps the files of runs. Upload to {BLOBSTORE!r}.")
    root = datastore_root(folder, datastore)
    targets = [(source, safe_join(root, name), relative_name(name)) for source, name in files]
    written = []
    for source, target, name in targets:
        if overwrite or not target.exists():
            put(source, target)
            written.append(name)
    return written


def files_under(folder: Path, datastore: str, prefix: str = "") -> list[DataFile]:
    """The files of a datastore whose names in it begin with `prefix`, each under its name. Raises NotFound."""
    root = datastore_root(folder, datastore)
    of_runs = datastore == ARTIFACTSTORE
    named = _files_of_runs(folder, prefix) if of_runs else {name: root / name for name in files_below(root)}
    return [
        DataFile(name, path, {"datastore": datastore, "path": name, "as_is": True, "relative": name})
        for name, path in named.items()
        if name.startswith(prefix)
    ]


def place(files: list[DataFile], target: Path, mode: str, overwrite: bool = False, as_is: bool = False) -> list[Path]:
    """Lay copies of files out below `target`, for the mode "mount" such as cannot be written; returns their paths.

    No link leads to where the files lie, so that whatever is done to a copy, the dataset is the same for the next job.
    A mount leaves out the folders that all files share, as SDK v1's does; a download keeps them, and so does `as_is`.
    Raises AlreadyExists, before anything is written, and Invalid for a name that leaves `target`.
    """
    shared = _shared_folder(files) if mode == "mount" and not as_is else PurePosixPath()
    targets = [(file, safe_join(target, str(PurePosixPath(file.relative).relative_to(shared)))) for file in files]
    if not overwrite:
        taken = [str(path) for _, path in targets if path.exists()]
        if taken:
            raise AlreadyExists(f"There are files already: {', '.join(taken)}. Pass overwrite=True to replace them.")
    for file, path in targets:
        copy_whole(file.path, path)
        if mode == "mount":
            path.chmod(0o444)
    return [path for _, path in targets]


def layout_of(folder: Path, sources: list[dict]) -> str | None:
    """How a dataset of SDK v1 is laid out for a job: "file", where it is one file, whose path then stands for it.

    "folder" keeps the paths that the files have in the dataset. None leaves out the folders that all share, as a mount
    does where there are several sources. Raises NotFound.
    """
    files = resolve(folder, sources)
    if len(sources) > 1:
        return None
    if len(files) != 1 or "relative" in sources[0] or "model" in sources[0]:
        return "folder"
    url = sources[0].get("url")
    path = urlsplit(url).path if url else sources[0]["path"]  # which a pattern is no file's
    return "file" if PurePosixPath(path).name == files[0].relative else "folder"


def web_name(url: str) -> str:
    """The path of a web address inside a dataset, each part escaped as the SDK does."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}%3A/%2F" + "/".join(quote(part, safe="") for part in rest.split("/"))


def _shared_folder(files: list[DataFile]) -> PurePosixPath:
    parents = [PurePosixPath(file.relative).parent.parts for file in files]
    shared = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*parents, strict=False))
    return PurePosixPath(*(parts[0] for parts in shared))


def path_of(folder: Path, source: dict) -> Path:
    """The one file or folder that a source stands for. Raises NotFound and Invalid."""
    if "url" in source:
        return web.file_at(folder, source["url"])
    datastore, path = source["datastore"], source["path"].strip("/")
    found = datastore_root(folder, datastore)
    if datastore == ARTIFACTSTORE and (of_run := artifacts.at_address(path)):
        found = _of_run(folder, *of_run)
    elif path:
        found = safe_join(found, path)
    if not found.exists():
        raise NotFound(f"The path {path!r} matches no file in the datastore {datastore!r}.")
    return found


def _files(folder: Path, source: dict, several: bool) -> list[DataFile]:
    if "url" in source:
        return [_web_file(folder, url, several) for url in web.files_in(source["url"])]
    if "model" in source:
        model = models.get(folder, source["model"], source["version"])
        # A model that is a folder stands for what is in it, without its name.
        return [DataFile(name.partition("/")[2] or name, model.where(name), source) for name in model.files]
    if source.get("as_is"):
        path = path_of(folder, source)
        if path.is_file():
            return [DataFile(path.name, path, source)]
        return [DataFile(name, path / name, source) for name in files_below(path)]
    return _datastore_files(folder, source, several)


def _web_file(folder: Path, url: str, several: bool) -> DataFile:
    name = PurePosixPath(urlsplit(url).path).name
    relative = web_name(url) if several else name
    return DataFile(relative, web.file_at(folder, url), {"url": url, "relative": relative})


def _datastore_files(folder: Path, source: dict, several: bool) -> list[DataFile]:
    datastore, path = source["datastore"], source["path"]
    root = datastore_root(folder, datastore)
    pattern = path.replace("\\", "/").strip("/")
    if datastore == ARTIFACTSTORE and (of_run := artifacts.at_address(pattern)):
        pattern = _of_run(folder, *of_run).relative_to(root).as_posix()
    if "*" in pattern and path.endswith("/"):
        pattern += "/**"  # what is below the folders that match
    fixed = pattern.partition("*")[0]
    base = safe_join(root, fixed) if fixed.strip("/") else root
    if pattern == fixed:
        paths = [base] if base.is_file() else [base / name for name in files_below(base)]
        base = base.parent if base.is_file() else base
    else:
        base = base if base.is_dir() and (not fixed or fixed.endswith("/")) else base.parent
        matches = _matcher(relative_name(pattern)).fullmatch
        paths = [base / name for name in files_below(base) if matches((base / name).relative_to(root).as_posix())]
    if not paths:
        raise NotFound(f"The path {path!r} matches no file in the datastore {datastore!r}.")
    base = root.parent if several else base
    return [
        DataFile(relative := file.relative_to(base).as_posix(), file, _single(root, datastore, file, relative))
        for file in sorted(paths)
    ]


def _matcher(pattern: str) -> re.Pattern:
    """What matches a path in which * is anything in a name, and ** anything in a path, between slashes also nothing."""
    meanings = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*"}
    parts = re.split(r"((?<![^/])\*\*/|\*\*|\*)", pattern)
    return re.compile("".join(meanings.get(part) or re.escape(part) for part in parts), re.DOTALL)


def _files_of_runs(folder: Path, prefix: str) -> dict[str, Path]:
    """The files, by their addresses, of those runs of which some may begin with `prefix`."""
    found = {}
    for run_id in sorted(runs.list_ids(folder, None)):
        above = artifacts.address(run_id)
        if prefix.startswith(f"{above}/") or above.startswith(prefix):
            for name in run_files.files_of(folder, run_id):
                found[artifacts.address(run_id, name)] = run_files.file_or_folder(folder, run_id, name)
    return found


def _of_run(folder: Path, run_id: str, name: str) -> Path:
    """Where a path in the files of a run lies."""
    name = name.strip("/")
    return run_files.file_or_folder(folder, run_id, name) if name else artifacts.root_of(folder, run_id)


def _single(root: Path, datastore: str, file: Path, relative: str) -> dict:
    path = file.relative_to(root).as_posix()
    return {"datastore": datastore, "path": path, "relative": relative, "as_is": True}
