"""The output folder and its manifest.json: what each notebook was made from, and which need not be run again."""

import fcntl
import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import IO

import nbformat

from batch import UsageError
from helpers import REPOSITORY

VARIABLE = "AZUREML_OFFLINE_FOLDER"

# What is read of an entry of an earlier run, and its type.
READ = {"result": str, "started": str, "seconds": (int, float), "cells_run": int, "cells": int, "results": dict}

# What has changed where a part of the inputs has.
CHANGES = {
    "source_sha256": "the notebook has changed",
    "code_sha256": "the code in helpers/ or scripts/ has changed",
    "parameters": "its parameters have changed",
    "offline_folder": "the offline workspace is another one",
}


def describe_inputs(
    notebook: Path, code_hash: str, every: dict[str, object], given: dict[str, object], removes: Collection[str]
) -> dict[str, object]:
    """What decides a notebook's outcome: if none of this has changed, a run need not be repeated.

    every: the values of all its parameters, of which some are given; removes: the kinds of things that it removes.
    """
    return {
        "source": notebook.name,
        "source_sha256": hash_cells(notebook),
        "code_sha256": code_hash,
        "parameters": given,
        "removes": list(removes),
        "offline_folder": str(offline_folder(notebook)) if every.get("backend") == "offline" else None,
    }


def hash_cells(notebook: Path) -> str:
    """SHA-256 over the kind, source and tags of the notebook's cells.

    The rest JupyterLab rewrites when it opens a notebook: the kernel's name for people, the language's version.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    counted = [[cell.cell_type, cell.source, cell.metadata.get("tags", [])] for cell in cells]
    return hashlib.sha256(json.dumps(counted).encode()).hexdigest()


def offline_folder(notebook: Path) -> Path:
    """The offline workspace that the notebook finds: a relative path in VARIABLE begins where it runs."""
    named = os.environ.get(VARIABLE)
    return (notebook.parent / Path(named).expanduser() if named else REPOSITORY / ".offline").resolve()


def hash_folders(root: Path, names: tuple[str, ...]) -> str:
    """SHA-256 over names and bytes of all files in these folders of `root`, caches and hidden files left out."""
    total = hashlib.sha256()
    for name in names:
        for path in sorted((root / name).rglob("*")):
            inner = path.relative_to(root)
            if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in inner.parts):
                total.update(f"{inner.as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def prepare_output(folder: Path, notebooks: list[Path]) -> Path:
    """The output folder, made if need be. Raises UsageError if it cannot be, or holds what must not be overwritten."""
    folder = folder.resolve()
    try:
        str(folder).encode()
    except UnicodeEncodeError:  # papermill notes it in each executed notebook, which is UTF-8
        message = f"the output folder {folder!a} has a name that is not UTF-8. --output names another."
        raise UsageError(message) from None
    if any(notebook.parent == folder for notebook in notebooks):
        raise UsageError(f"the output folder {folder} holds the notebooks that are to run: they would be overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the output folder cannot be made: {error}. --output names another.") from error
    if own := [notebook.name for notebook in notebooks if is_somebodys_own(folder / notebook.name)]:
        told = f"the output folder {folder} holds {', '.join(own)}, which no batch has written: it would be overwritten"
        raise UsageError(f"{told}. --output names another folder.")
    return folder


def is_somebodys_own(path: Path) -> bool:
    """Whether a notebook is there that papermill has not written; what it could not write to its end is none."""
    try:
        return "papermill" not in json.loads(path.read_bytes())["metadata"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def prepare_reports(*paths: Path | None) -> None:
    """Make the folders of the reports that are to be written. Raises UsageError where one cannot be written."""
    for path in filter(None, paths):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the report {path} cannot be written: {error}") from error
        if path.is_dir() or not os.access(path if is_kept(path) else path.parent, os.W_OK):
            raise UsageError(f"the report {path} cannot be written: that is a folder, or lies in one that is read-only")


def clear_reports(*paths: Path | None) -> None:
    """Delete the reports of an older run: whatever happens, none shall stand in."""
    for path in filter(None, paths):
        if path.exists() and not is_kept(path):
            path.unlink()


def is_kept(path: Path) -> bool:
    """Whether a link or a device is there, such as /dev/stdout, which is no report: it is written to as it is."""
    return path.exists() and (path.is_symlink() or not path.is_file())


def claim_output(folder: Path) -> IO:
    """An open file that keeps other runs out of the output folder. Raises UsageError where it cannot have one."""
    try:
        claim = (folder / ".lock").open("w")
    except OSError as error:
        message = f"the output folder cannot be written to: {error}. --output names another."
        raise UsageError(message) from error
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        message = f"another run is writing to {folder}. Wait for its end, or name another folder by --output."
        raise UsageError(message) from None
    except OSError as error:  # a network drive that knows no locks
        claim.close()
        raise UsageError(f"the output folder cannot be locked: {error}. --output names another.") from error
    return claim


def read_manifest(output: Path) -> dict[str, dict]:
    """The entries of manifest.json by notebook name; empty if there is none. Raises UsageError if it is damaged."""
    path = output / "manifest.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["notebooks"]
        if all(isinstance(entry[name], kind) for entry in entries.values() for name, kind in READ.items()):
            return entries
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UsageError(f"{path} is not a manifest of this program. Delete it, or name another folder by --output.")


def write_manifest(output: Path, manifest: dict[str, dict]) -> None:
    part = output / "manifest.json.part"
    part.write_text(json.dumps({"notebooks": manifest}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(output / "manifest.json")


def count_complete(
    notebooks: list[Path], inputs: dict[Path, dict], manifest: dict[str, dict], output: Path
) -> tuple[int, str]:
    """How many notebooks, from the first, ran to their end one after the other from what they would be run from.

    Also returns why the next one has to run, empty if all are complete. If one has to, and what the others made was
    removed since, all have to.
    """
    last_start = ""
    removals = {name: entry["started"] for name, entry in manifest.items() if entry.get("removes")}
    for count, notebook in enumerate(notebooks):
        entry = manifest.get(notebook.stem, {})
        if why := why_not_complete(entry, inputs[notebook], last_start, output / notebook.name):
            made = [manifest[earlier.stem]["started"] for earlier in notebooks[:count]]
            remover = next((name for name, removal in removals.items() for start in made if removal > start), None)
            if remover:
                return 0, f"{notebook.stem} has to run again ({why}), and {remover} has removed what it builds on"
            return count, why
        last_start = entry["started"]
    return len(notebooks), ""


def why_not_complete(entry: dict, inputs: dict, last_start: str, executed: Path) -> str:
    """Why a notebook with this manifest entry has to be run; empty if it need not be."""
    if not entry:
        return "it has not been run yet"
    if entry["result"] != "ok":
        return f"it {'was interrupted' if entry['result'] == 'interrupted' else 'failed'}"
    for name, changed in CHANGES.items():
        if name in inputs and entry.get(name) != inputs[name]:
            return changed
    if entry["started"] < last_start:
        return "a notebook before it was run again later"
    if not executed.is_file():
        return f"{executed.name} is no longer in the output folder"
    if inputs["offline_folder"] and not Path(inputs["offline_folder"]).is_dir():
        return "the offline workspace is no longer there"
    return ""
