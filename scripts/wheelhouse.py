"""Gathers in one folder all wheels that the set-up needs, for machines with no network: `make wheelhouse`.

`make wheelhouse FOLDER=/media/stick FOR=macos-arm64-python3.12` does so for another platform; one folder can hold
several. `make run WHEELHOUSE=/media/stick` sets up from it. The folder's wheelhouse.json lists the files of each
platform with their checksums, and is written last.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import in_venv  # noqa: F401 - before what may not be there
import set_up
from packaging import tags
from packaging.requirements import Requirement

EVERY_PATCH = ("99", "0")  # of a release: the lock tells some of them apart, and any may be found on the machine

# What pip is told of each platform. Linux: glibc 2.28 (Debian 10, Ubuntu 20.04, RHEL 8) or later. macOS: 14 or later.
MANYLINUX = [f"manylinux_2_{minor}" for minor in range(28, 4, -1)] + ["manylinux2014", "manylinux2010", "manylinux1"]
TAGS = {
    "linux-x86_64": [f"{name}_x86_64" for name in MANYLINUX],
    "linux-aarch64": [f"{name}_aarch64" for name in MANYLINUX],
    "macos-arm64": list(tags.mac_platforms((14, 0), "arm64")),
}
TARGETS = [f"{name}-python{release}" for name in set_up.PLATFORMS for release in set_up.RELEASES]


def main() -> None:
    here = f"{set_up.platform_name()}-python{set_up.ask(sys.executable).release}"
    parser = argparse.ArgumentParser(description="Gather all wheels that the set-up needs in one folder.")
    parser.add_argument("folder", type=Path, help="where they are put, e.g. on a USB stick")
    parser.add_argument("target", nargs="?", default=here, help=f"the platform and Python: {', '.join(TARGETS)}")
    options = parser.parse_args()
    if options.target not in TARGETS:
        parser.error(f"no wheels can be gathered for {options.target!r}; there is: {', '.join(TARGETS)}")
    try:
        count = gather(options.folder, options.target)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"The wheelhouse is not complete: {error}. The same command tries again.")
    size = sum(file.stat().st_size for file in options.folder.glob("*.whl"))
    print(f"{options.folder} has the {count} wheels for {options.target}; it holds {size / 1e6:,.0f} MB.")
    print(f"On a machine with no network: make run WHEELHOUSE={options.folder}")


def gather(folder: Path, target: str) -> int:
    """Put the wheels of `target` in the folder, beside those of other platforms, and return their number."""
    folder.mkdir(parents=True, exist_ok=True)
    name, release = target.rsplit("-python", 1)
    newest, oldest = (f"{release}.{patch}" for patch in EVERY_PATCH)
    most, rest = requirements(name, newest), requirements(name, oldest)
    print(f"Gathering {len(most)} wheels for {target}: up to {set_up.FETCHED} to fetch.", flush=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
        download(most, name, newest, Path(part))
        download(
            [line for line in rest if line not in most], name, oldest, Path(part)
        )  # pip takes one version at a time
        wheels = {wheel.name: set_up.digest(wheel) for wheel in sorted(Path(part).iterdir())}
        for wheel in wheels:
            (Path(part) / wheel).replace(folder / wheel)
    note(folder, target, wheels)
    return len(wheels)


def requirements(name: str, version: str) -> list[str]:
    """The lock's lines that a platform, such as linux-x86_64, and a Python, such as 3.11.7, need, without markers."""
    system, machine = name.split("-")
    environment = {
        "sys_platform": {"macos": "darwin"}.get(system, system),
        "platform_system": {"macos": "Darwin", "linux": "Linux"}[system],
        "platform_machine": machine,
        "os_name": "posix",
        "python_version": version.rsplit(".", 1)[0],
        "python_full_version": version,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    lines = set_up.LOCK.read_text(encoding="utf-8").splitlines()
    asked = [Requirement(line) for line in lines if re.match(r"\w", line)]
    return [f"{one.name}{one.specifier}" for one in asked if not one.marker or one.marker.evaluate(environment)]


def download(lines: list[str], name: str, version: str, folder: Path) -> None:
    """The lines' wheels for a platform and a Python, by pip. Raises CalledProcessError, of which pip has said why."""
    if not lines:
        return
    abi = "cp" + "".join(version.split(".")[:2])
    options = ["--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={version}", f"--abi={abi}"]
    options += [f"--platform={tag}" for tag in TAGS[name]]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--progress-bar=off", *options]
    with subprocess.Popen([*command, "--dest", folder, *lines], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if re.search(r"(Downloading|Using cached) .* MB\)", line):
                print(f"  {line.strip()}", flush=True)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "pip download")


def note(folder: Path, target: str, wheels: dict[str, str]) -> None:
    """Write the list, and remove what neither it nor the project's lock needs any longer."""
    path, lock = folder / set_up.WHEELHOUSE, set_up.digest(set_up.LOCK)
    before = noted(path)
    platforms = (before["platforms"] if before["lock"] == lock else {}) | {target: wheels}
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"lock": lock, "platforms": platforms}, indent=1), encoding="utf-8")
    part.replace(path)
    needed = {name for listed in platforms.values() for name in listed}
    for listed in before["platforms"].values():
        for name in listed.keys() - needed:
            (folder / name).unlink(missing_ok=True)


def noted(path: Path) -> dict:
    """The list as it was written before; empty where there is none, or one that was damaged."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        return {"lock": before["lock"], "platforms": {name: dict(files) for name, files in before["platforms"].items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"lock": None, "platforms": {}}


if __name__ == "__main__":
    main()
