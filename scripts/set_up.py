"""Sets up .venv from the lock, with uv. `make` calls it before everything else; it returns at once when all is done.

It runs on any Python from 3.8, without packages, and chooses the one that .venv is made with itself. What was begun and
not finished is begun again (uv keeps what it has fetched); of two at once the second waits.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import endings  # noqa: F401 - before all else

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.txt"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
READY = VENV / "ready"  # what .venv was made from; written last
TURN = VENV / "turn"  # whoever holds its lock works on .venv
WHEELHOUSE = "wheelhouse.json"

RELEASES = ("3.11", "3.12", "3.13")  # the lock has wheels for these
PLATFORMS = ("linux-x86_64", "linux-aarch64", "macos-arm64")  # and for these
OLDEST_UV = (0, 5)  # that was tried with the lock

# For Python 3.11 on Linux. Fetched: the sizes that `uv pip compile requirements.txt --format pylock.toml` lists;
# written: `du -sm .venv`.
FETCHED, WRITTEN = "760 MB", "3.1 GB"

ANY_RELEASE = f"Python {', '.join(RELEASES[:-1])} or {RELEASES[-1]}"
INSTALL = "Install one, e.g. by `sudo apt install python3.12 python3.12-venv` or `brew install python@3.12`"
QUESTION = """
import sys
print(*sys.version_info[:3], sep=".")
print(getattr(sys, "_base_executable", sys.executable))
import ensurepip, venv
"""


class Problem(Exception):
    """What ends the set-up: a sentence that says what to do."""


# An interpreter that was asked who it is. `path` is the one behind a shim or a virtual environment; `version` is None
# where nothing runs; `fault` is None where virtual environments can be made with it.
Interpreter = namedtuple("Interpreter", "path version release fault")


def main():
    parser = argparse.ArgumentParser(description="Set up .venv from the lock.")
    parser.add_argument("--python", default="", metavar="NAME", help="the interpreter to make it with")
    parser.add_argument(
        "--wheelhouse", default="", metavar="FOLDER", help="made by `make wheelhouse`: no network is used"
    )
    options = parser.parse_args()
    try:
        if not is_done(options.python):
            with my_turn() as turn:
                set_up(options.python, options.wheelhouse, turn)
    except BrokenPipeError:  # nobody reads any more: see endings.py
        raise
    except (Problem, OSError) as problem:
        sys.exit(f"Set-up: {problem}")
    except KeyboardInterrupt:
        print("\nThe set-up was interrupted. The same command takes it up again.", file=sys.stderr)
        sys.exit(130)


def set_up(asked, wheelhouse, turn):
    """Make .venv what the lock says. Raises Problem.

    `turn` is a descriptor that whatever writes there inherits: its lock is held until the last of them has ended.
    """
    if is_done(asked):  # by whoever had the turn before
        return
    begun, wanted = time.monotonic(), state()
    update = is_usable(asked)
    python = ask(VENV_PYTHON) if update else choose(asked)
    source = open_wheelhouse(wheelhouse, python.release) if wheelhouse else None
    print(announcement(python, update, source), flush=True)
    same_lock = update and noted()["lock"] == wanted["lock"]
    READY.unlink(missing_ok=True)
    if not update:
        clear()
        run([python.path, "-m", "venv", *(["--without-pip"] if uv_on_path() else []), VENV], turn)
    uv = find_uv(source, turn)
    if not same_lock:
        uv("sync", LOCK)
    uv("install", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    if not same_lock:
        print("  Importing TensorFlow, MLflow and the like once, which compiles them", flush=True)
        run([VENV_PYTHON, ROOT / "scripts" / "first_imports.py"], turn)
    part = READY.with_suffix(".part")
    part.write_text(json.dumps(wanted), encoding="utf-8")
    part.replace(READY)
    print(f"The set-up took {time.monotonic() - begun:.0f} s.", flush=True)


def announcement(python, update, source):
    what = "Bringing .venv up to date with the lock" if update else f"Setting up .venv with Python {python.version}"
    if source:
        return f"{what} from {source}, with no network: about a minute, {WRITTEN} on the disk."
    return f"{what}: up to {FETCHED} to fetch (uv keeps them), {WRITTEN} on the disk, a minute or two on a fast line."


# The interpreter


def choose(asked):
    """The one that is asked for, otherwise the first of RELEASES on PATH that serves. Raises Problem."""
    if asked:
        found = ask(Path(asked).expanduser() if asked.startswith("~") else asked)
        if not found.version:
            raise Problem(f"PYTHON={asked} does not run ({found.fault}). {INSTALL}.")
        if found.release not in RELEASES:
            raise Problem(f"PYTHON={asked} is Python {found.version}, and the lock is for {ANY_RELEASE}. {INSTALL}.")
        if found.fault:
            raise Problem(f"PYTHON={asked} cannot make .venv ({found.fault}). {_lacks_venv(found.release)}")
        return found
    faults = []
    for release in RELEASES:
        found = ask(f"python{release}")
        if found.release == release and not found.fault:
            return found
        if found.version:
            faults.append(f"python{release} cannot make .venv ({found.fault}). {_lacks_venv(release)} ")
    raise Problem(
        f"{''.join(faults)}{ANY_RELEASE} is needed, and none was found on PATH. {INSTALL}; "
        "`make PYTHON=/path/to/python` names one that is elsewhere."
    )


def ask(python):
    """The Interpreter that this name or path runs.

    A file on PATH does not have to run (pyenv leaves such), and Debian's Python makes no virtual environments until
    another package is installed.
    """
    try:
        answer = subprocess.run([str(python), "-c", QUESTION], capture_output=True, text=True, timeout=60)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Interpreter(str(python), None, None, str(error))
    told = re.match(r"((3\.\d+)\.\d+)\n(.+)\n", answer.stdout)
    errors = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
    error = errors[-1 if errors[0].startswith("Traceback ") else 0]  # pyenv's has advice after it
    fault = error if answer.returncode or not told else None
    if not told:
        return Interpreter(str(python), None, None, fault)
    return Interpreter(told[3], told[1], told[2], fault)


def _lacks_venv(release):
    return f"On Debian and Ubuntu, `sudo apt install python{release}-venv` brings what is missing."


# The state of .venv


def state():
    """What .venv follows from: the lock, the project's own metadata, and the folder, which its scripts name."""
    return {"lock": digest(LOCK), "project": digest(ROOT / "pyproject.toml"), "folder": str(ROOT)}


def noted():
    """The state that .venv was made from; None where it was not finished."""
    try:
        return {"lock": None, "folder": str(ROOT), **json.loads(READY.read_text(encoding="utf-8") or "{}")}
    except (OSError, ValueError):
        return None


def is_done(asked):
    return noted() == state() and is_usable(asked)


def is_usable(asked):
    """Whether .venv needs no more than to be brought up to date.

    That is, it was finished, was not moved since, runs, and is of the Python that is asked for.
    """
    made_from, release = noted(), ask(VENV_PYTHON).release
    if not made_from or made_from["folder"] != str(ROOT) or release not in RELEASES:
        return False
    return not asked or choose(asked).release == release


def clear():
    """Remove what is in .venv."""
    for entry in VENV.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != TURN:
            entry.unlink()


@contextlib.contextmanager
def my_turn():
    """Wait until nobody else works on .venv. Yields the descriptor of the lock. Raises Problem."""
    if VENV.exists() and not TURN.exists() and not READY.exists() and any(VENV.iterdir()):
        raise Problem(f"{VENV} is there, and this project did not make it. Move it or delete it, and try again.")
    VENV.mkdir(exist_ok=True)
    with TURN.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is under way; this one waits for it.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


# Installing


def find_uv(source, turn):
    """A function that runs uv's pip on .venv: with the uv on PATH, otherwise with the lock's, which pip fetches."""
    offline = ["--no-index", "--find-links", source] if source else []
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1")
    if source:  # and nothing else, whatever uv is set to here
        environment.update(UV_OFFLINE="1", UV_NO_CONFIG="1")
        environment.pop("UV_CONFIG_FILE", None)
    uv = uv_on_path()
    if not uv:
        uv = VENV / "bin" / "uv"
        if uv_version(uv) < OLDEST_UV:
            pinned = re.search(r"^uv==[^\s;]+", LOCK.read_text(encoding="utf-8"), re.M)[0]
            pip = [VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", *(["--isolated"] if source else [])]
            run([*pip, "install", "--quiet", "--no-deps", *offline, pinned], turn)
        environment.update(pips_settings(VENV_PYTHON))

    def run_uv(command, *arguments):
        run([uv, "pip", command, "--python", VENV_PYTHON, *offline, *arguments], turn, environment)

    return run_uv


def uv_on_path():
    """None where there is none, or one too old."""
    found = shutil.which("uv")
    return found if found and uv_version(found) >= OLDEST_UV else None


def uv_version(uv):
    """(0, 13) for 0.13.9; (0, 0) where none runs."""
    try:
        answer = subprocess.run([str(uv), "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return 0, 0
    version = re.match(r"uv (\d+)\.(\d+)", answer.stdout)
    return (int(version[1]), int(version[2])) if version else (0, 0)


def pips_settings(python):
    """The index and the certificates that pip is set to, as uv reads them: who needs a mirror has told pip of it."""
    answer = subprocess.run([str(python), "-m", "pip", "config", "list"], stdout=subprocess.PIPE, text=True)
    values = dict(re.findall(r"^(.+?)='(.*)'$", answer.stdout, re.M))
    found = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}  # as pip does; the second is the older name
    for ours, theirs in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        told = [values.get(f"{section}.{theirs}") for section in (":env:", "install", "global")]
        if any(told) and ours not in os.environ:
            found[ours] = next(filter(None, told))
    return found


def run(command, turn, environment=None):
    """Run it and pass its lines on, but for uv's line for each package. Raises Problem."""
    words = list(map(str, command))
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with subprocess.Popen(words, cwd=str(ROOT), env=environment, pass_fds=[turn], **output) as process:
        for line in process.stdout:
            if line.strip() and not re.match(r" [+~-] ", line):
                print(f"  {line.strip()}", flush=True)
    if process.returncode:
        raise Problem(
            f"`{' '.join([Path(words[0]).name, *words[1:3]])}` failed, see above. The same command tries again; where "
            "there is no network, WHEELHOUSE=folder takes what `make wheelhouse` has gathered."
        )


# A wheelhouse


def open_wheelhouse(folder, release):
    """The folder's path, once it is known to hold what this lock needs here, undamaged. Raises Problem."""
    path, here = Path(folder).expanduser().resolve(), f"{platform_name()}-python{release}"
    remedy = f"Where there is a network, `make wheelhouse FOR={here}` makes what is needed."
    try:
        listed = json.loads((path / WHEELHOUSE).read_text(encoding="utf-8"))
        lock, platforms = listed["lock"], {name: dict(files) for name, files in listed["platforms"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{path} is no wheelhouse, or a damaged one ({error!r}). {remedy}") from error
    if lock != digest(LOCK):
        raise Problem(f"{path} was made for another version of the project: its lock differs. {remedy}")
    if here not in platforms:
        raise Problem(f"{path} is for {', '.join(sorted(platforms))}; this is {here}. {remedy}")
    for name, expected in sorted(platforms[here].items()):
        if not (path / name).is_file():
            raise Problem(f"{name} is missing in {path}. {remedy}")
        if digest(path / name) != expected:
            raise Problem(f"{path / name} is damaged: its checksum is not the one noted. {remedy}")
    return path


def platform_name():
    """Such as linux-x86_64 or macos-arm64."""
    return f"{ {'darwin': 'macos'}.get(sys.platform, sys.platform) }-{platform.machine()}"


def digest(path):
    """The file's SHA-256."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


if __name__ == "__main__":
    main()
