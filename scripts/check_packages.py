"""Whether every package of the lock is installed as its own list of files says. Prints a line for each fault."""

import csv
import platform
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import set_up
import wheelhouse

ADDED_TO = "cacert.pem"  # where an organisation adds its own certificate authority, by which its proxy is known
SETTINGS = "azureml/telemetry/telemetry.json"  # which the real SDK's set_diagnostics_collection() writes anew


def main() -> None:
    sizes = defaultdict(set)  # a file has several where packages write over each other's, as Azure's do
    for line in wheelhouse.requirements(set_up.platform_name(), platform.python_version()):
        name, version = line.split("==")
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            print(f"{name} is not installed")
            continue
        if found.version != version:
            print(f"{name} {found.version} is installed, not {version}")
        listed = found.read_text("RECORD")  # files leaves out what is gone, from Python 3.12 on
        if listed is None:
            print(f"{name} has lost its list of files")
        for file, _, size in csv.reader((listed or "").splitlines()):
            if not file.endswith(".pyc") and file != SETTINGS:  # the former are compiled anew
                sizes[Path(found.locate_file(file))].add(int(size) if size else None)
    for path, known in sizes.items():
        if not path.exists():
            print(f"{path} is gone")
        elif None not in known and not is_whole(path, known):
            print(f"{path} has another size than it was installed with")


def is_whole(path: Path, known: set[int]) -> bool:
    size = path.stat().st_size
    return size in known or (path.name == ADDED_TO and size > min(known))


if __name__ == "__main__":
    main()
