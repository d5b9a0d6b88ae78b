"""The job's side of a run: what the script logs goes into a folder, the spool, whence the offline engine carries it
into the run history while the script runs.

    events.jsonl     one JSON object a line, each appended by a single write, so that several processes may write;
                     a line break comes before it, too, so that one which a full disk has cut off spoils no other
    files/           copies of the files that events name
    names/           the names that files have, one empty file for each: no name is used twice

Standard library only, and valid on Python 3.7.
"""

import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path

from azureml.exceptions import AzureMLAggregatedException, UserErrorException

FOLDER = "AZUREML_OFFLINE_SPOOL"  # environment variable, set in a job only

_descriptor = None


def append(event):
    """Add one event, a dict of JSON values. Raises OSError where the disk is full."""
    global _descriptor
    if _descriptor is None:
        _descriptor = os.open(str(_folder() / "events.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    line = ("\n" + json.dumps(event, separators=(",", ":")) + "\n").encode()
    if os.write(_descriptor, line) != len(line):
        raise OSError("The disk is full: {!r} of the run was not logged.".format(event.get("name")))


def add_file(name, source):
    """Add a file to the run as `name`.

    source: a path, or a binary stream that is read to its end. Raises UserErrorException for a name that is no path
    inside the run, and AzureMLAggregatedException for one that a file of the job has already.
    """
    parts = name.replace("\\", "/").split("/")
    if "\0" in name or Path(name).is_absolute() or ".." in parts or not any(part.strip(".") for part in parts):
        raise UserErrorException(
            f"{name!r} is no name for a file of a run: give a relative path without '..', "
            "such as 'outputs/model.keras'."
        )
    relative = "files/" + uuid.uuid4().hex
    path = _folder() / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, str):
        shutil.copyfile(source, str(path))
    else:
        with path.open("wb") as target:
            shutil.copyfileobj(source, target)
    try:
        _take_name("/".join(part for part in parts if part not in ("", ".")))
    except FileExistsError:
        path.unlink()
        conflict = f"UserError: Resource Conflict: The run has a file {name!r} already."
        raise AzureMLAggregatedException([conflict]) from None
    append({"kind": "file", "name": name, "path": relative})


def _take_name(name):
    """Have a file's name to ourselves, among all processes of the job. Raises FileExistsError."""
    names = _folder() / "names"
    names.mkdir(exist_ok=True)
    (names / hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()).touch(exist_ok=False)


def flush():
    """Have everything appended so far on the disk, where no crash can take it; whoever reads the run finds it there."""
    if _descriptor is not None:
        os.fsync(_descriptor)


def _folder():
    return Path(os.environ[FOLDER])
