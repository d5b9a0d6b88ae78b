"""Whether every package of the lock is installed as its own list of files says. Prints a line for each fault."""

import platform
from collections import defaultdict
from importlib import metadata

import set_up
import wheelhouse


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
        if found.files is None:
            print(f"{name} has lost its list of files")
        for file in found.files or []:
            if file.suffix != ".pyc":  # which are compiled anew
                sizes[file.locate()].add(file.size)
    for path, known in sizes.items():
        if not path.exists():
            print(f"{path} is gone")
        elif None not in known and path.stat().st_size not in known:
            print(f"{path} has another size than it was installed with")


if __name__ == "__main__":
    main()
