"""The output folder and its manifest.json: what each notebook was made from, and which need not be run again."""

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import IO

from batch import UsageError
from batch.parameters import Parameter


def describe_inputs(
    notebook: Path, code_hash: str, parameters: dict[str, Parameter], values: dict[str, object]
) -> dict[str, object]:
    """What decides a notebook's outcome: if none of this has changed, a run need not be repeated."""
    backend = values.get("backend", parameters["backend"].default if "backend" in parameters else None)
    folder = os.environ.get("AZUREML_OFFLINE_FOLDER") or "../.offline"
    return {
        "source": notebook.name,
        "source_sha256": hashlib.sha256(notebook.read_bytes()).hexdigest(),
        "code_sha256": code_hash,
        "parameters": values,
        "removes": any(name.startswith("delete_") for name in parameters),
        "offline_folder": str((notebook.parent / folder).resolve()) if backend == "offline" else None,
    }


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
    """The output folder, made if need be. Raises UsageError if it cannot be, or holds the notebooks themselves."""
    folder = folder.resolve()
    if any(notebook.parent == folder for notebook in notebooks):
        raise UsageError(f"the output folder {folder} holds the notebooks that are to run: they would be overwritten")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the output folder cannot be made: {error}. --output names another.") from error
    return folder


def claim_output(folder: Path) -> IO:
    """An open file that keeps other runs out of the output folder. Raises UsageError where another run has it."""
    claim = (folder / ".lock").open("w")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        message = f"another run is writing to {folder}. Wait for its end, or name another folder by --output."
        raise UsageError(message) from None
    return claim


def read_manifest(output: Path) -> dict[str, dict]:
    """The entries of manifest.json by notebook name; empty if there is none. Raises UsageError if it is damaged."""
    path = output / "manifest.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["notebooks"]
        if all(isinstance(entry, dict) for entry in entries.values()):
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


def count_complete(notebooks: list[Path], inputs: dict[Path, dict], manifest: dict[str, dict], output: Path) -> int:
    """How many notebooks, from the first, ran to their end one after the other from what they would be run from.

    If one has to be run, and what the others made was removed since, all have to.
    """
    last_start = ""
    removals = [entry["started"] for entry in manifest.values() if entry.get("removes")]
    for count, notebook in enumerate(notebooks):
        entry = manifest.get(notebook.stem, {})
        folder = inputs[notebook]["offline_folder"]
        complete = (
            entry.get("result") == "ok"
            and inputs[notebook].items() <= entry.items()
            and entry["started"] >= last_start  # one before it was run again later: this one saw the old state
            and (output / notebook.name).is_file()
            and (folder is None or Path(folder).is_dir())
        )
        if not complete:
            made = [manifest[earlier.stem]["started"] for earlier in notebooks[:count]]
            return 0 if any(removal > start for removal in removals for start in made) else count
        last_start = entry["started"]
    return len(notebooks)
