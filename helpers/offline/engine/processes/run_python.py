"""The Python of one job or service: a virtual environment of its own, over the interpreter that its environment is.

What is installed there is found as ever. Besides, every Python that starts from it finds what stands for the SDK,
whatever PYTHONPATH says and whatever flags it has, and gets back the variables that tell it of its run where it was
started without them. What a job installs goes into it, and ends with the run.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

SDK = Path(__file__).resolve().parents[2] / "sdk_v1"  # the mocked SDK v1
IN_RUN = Path(__file__).with_name("in_run.py")
START = "_offline_run"  # the module that IN_RUN is in there
RECORD = "run.json"  # what start-up reads: the variables, and the interpreter below
SHARED = ("etc", "share")  # data of installed packages, such as nbconvert's templates
HEAD = 1024  # bytes of a script in which it names its interpreter


def own() -> Path:
    """The interpreter that runs this; in a job, the one that the job's own stands on, which outlives it."""
    record = Path(sys.prefix, RECORD)
    return Path(json.loads(record.read_text())["python"]) if record.is_file() else Path(sys.executable)


def make(
    place: Path,
    python: Path,
    variables: Mapping[str, str],
    *,
    path: Iterable[str | Path] = (),
    first: Iterable[str] = (),
    missing: Mapping[str, str] | None = None,
) -> Path:
    """Make it in the folder `place`, which is not there yet; its `python`.

    `python` is the interpreter below, this one or that of a virtual environment. `variables` are given back to a
    Python that has none of them. The mocked SDK and what is in `path` are found before what is installed. `first` are
    modules that each Python imports as it starts. Packages that are `missing`, for a reason, are not found at all.
    """
    prefix = python.parent.parent
    if (prefix / "pyvenv.cfg").is_file():
        packages = sorted({folder.resolve() for folder in prefix.glob("lib*/python3.*/site-packages")})
        version, settings = packages[0].parent.name, (prefix / "pyvenv.cfg").read_text(encoding="utf-8")
    else:
        packages, version = [], "python{}.{}".format(*sys.version_info)
        settings = f"home = {python.parent}\ninclude-system-site-packages = true\n"
    own_packages = place / "lib" / version / "site-packages"
    own_packages.mkdir(parents=True)
    (place / "bin").mkdir()
    (place / "pyvenv.cfg").write_text(settings, encoding="utf-8")
    (place / RECORD).write_text(json.dumps({"python": str(python), "variables": dict(variables)}))
    for name in ("python", "python3", version):
        (place / "bin" / name).symlink_to(os.path.realpath(python))
    for name in SHARED:
        if (prefix / name).is_dir():
            (place / name).symlink_to(prefix / name)
    shutil.copyfile(IN_RUN, own_packages / f"{START}.py")
    lines = [f"import site; site.addsitedir({str(folder)!a})" for folder in [SDK, *path, *packages]]
    lines += [f"import {START}; {START}.start({dict(missing or {})!a})", *(f"import {name}" for name in first), ""]
    (own_packages / "offline_run.pth").write_text("\n".join(lines), encoding="ascii")
    _copy_scripts(python.parent, place / "bin")
    return place / "bin" / "python"


def _copy_scripts(source: Path, target: Path) -> None:
    """Copy the programs of installed packages, which an interpreter in `source` runs: the copies are run by `target`'s.

    What only calls that interpreter, such as a shell's script, is none of them.
    """
    python = re.escape(f"{source}{os.sep}python".encode())
    # The second is the way in which pip and uv start a program whose interpreter's path is long or has spaces.
    begin = re.compile(rb"#! *%b.*\n|#!/bin/sh\n'''exec' [\"\x27]?%b.*\n' '''\n" % (python, python))
    start = f"#!/bin/sh\n'''exec' \"{target / 'python'}\" \"$0\" \"$@\"\n' '''\n".encode()
    for script in source.iterdir():
        if not script.is_file() or (target / script.name).exists():
            continue
        with script.open("rb") as file:
            head = file.read(HEAD)
            if not (found := begin.match(head)):
                continue
            body = head[found.end() :] + file.read()
        copy = target / script.name
        copy.write_bytes(start + body)
        copy.chmod(0o755)
