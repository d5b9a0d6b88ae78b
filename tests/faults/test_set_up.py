"""The set-up with a small lock and a folder of wheels: no network, whatever happens in between."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import first_imports
import pytest
import set_up
import wheelhouse
from small_clone import LOCK, ROOT, UV, end, start
from small_jobs import wait_until
from small_packages import THIS_PYTHON, make_wheel


def installed(clone):
    """What can be imported in .venv."""
    program = "import importlib.util as u; print([n for n in ('tiny', 'other', 'own') if u.find_spec(n)])"
    return subprocess.check_output([clone / ".venv" / "bin" / "python", "-c", program], text=True).strip()


def test_a_clone_is_set_up_and_then_left_alone(clone):
    code, told = end(start(clone, "make", "setup"))
    assert code == 0, told
    assert re.search(rf"Setting up .venv with Python {THIS_PYTHON}\.\d+: .* to fetch .*, .* on the disk", told)
    assert installed(clone) == "['tiny', 'own']"
    assert list((clone / ".venv").rglob("tiny.*.pyc"))  # bytecode is there before anything is imported
    assert end(start(clone, "make", "--no-print-directory", "setup")) == (0, "")


def test_a_set_up_that_nobody_hears_of_ends_quietly_and_is_taken_up_again(clone):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "scripts/set_up.py"], cwd=clone, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
    assert end(start(clone))[0] == 0


def test_what_the_lock_no_longer_has_goes_and_the_rest_stays(clone):
    assert end(start(clone))[0] == 0
    (clone / ".venv" / "kept").touch()
    (clone / LOCK).write_text("other==1.0\n")
    code, told = end(start(clone))
    assert code == 0 and "Bringing .venv up to date" in told
    assert installed(clone) == "['other', 'own']"
    assert (clone / ".venv" / "kept").exists()


def test_a_clone_that_was_moved_is_set_up_anew(clone, tmp_path):
    assert end(start(clone))[0] == 0
    moved = clone.rename(tmp_path / "elsewhere")
    code, told = end(start(moved))
    assert code == 0 and "Setting up .venv" in told
    assert installed(moved) == "['tiny', 'own']"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_what_was_interrupted_is_taken_up_again(clone, how):
    (clone / "hold").touch()
    process = start(clone)
    wait_until((clone / "building").exists)
    next((clone / ".venv").rglob("tiny.py")).unlink()  # as a file that was not written yet
    os.killpg(process.pid, how)
    code, told = end(process)
    assert code != 0 and not (clone / ".venv" / "ready").exists()
    assert how == signal.SIGKILL or "interrupted. The same command takes it up again" in told
    (clone / "hold").unlink()
    assert end(start(clone))[0] == 0
    assert installed(clone) == "['tiny', 'own']"


def test_of_two_at_once_the_second_waits_even_if_the_first_is_killed(clone):
    """uv goes on without the set-up that started it; only when it has ended may another begin."""
    (clone / "hold").touch()
    with start(clone) as first:
        wait_until((clone / "building").exists)
        first.kill()
        first.wait()
        with (clone / ".venv" / "turn").open() as turn, pytest.raises(BlockingIOError):
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        second = start(clone)
        assert second.stdout.readline() == "Another set-up is under way; this one waits for it.\n"
        (clone / "hold").unlink()
        code, told = end(second)
    assert code == 0, told
    assert installed(clone) == "['tiny', 'own']"


def test_a_set_up_that_fails_says_so_and_goes_on_once_it_can(clone, index):
    (clone / LOCK).write_text("tiny==1.0\nlacking==1.0\n")
    code, told = end(start(clone))
    assert code == 1 and "lacking" in told and "The same command tries again" in told
    make_wheel(index, "lacking")
    assert end(start(clone))[0] == 0


def test_what_cannot_be_imported_is_not_called_set_up(clone, index):
    make_wheel(index, "tiny", module="raise ImportError('no such instruction')")
    (clone / "scripts" / "first_imports.py").write_text(
        (ROOT / "scripts" / "first_imports.py").read_text().replace(first_imports.AT_ONCE[0], "import tiny")
    )
    code, told = end(start(clone))
    assert code == 1 and "no such instruction" in told and "cannot be imported on this machine" in told
    assert not (clone / ".venv" / "ready").exists()


def test_a_venv_of_the_users_own_is_not_touched(clone):
    (clone / ".venv").mkdir()
    (clone / ".venv" / "mine").write_text("precious")
    code, told = end(start(clone))
    assert code == 1 and "Move it or delete it" in told
    assert [path.name for path in (clone / ".venv").iterdir()] == ["mine"]


def add_uv(index):
    """The installed uv as a wheel."""
    name = f"uv-{metadata.version('uv')}"
    with zipfile.ZipFile(index / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.write(UV, f"{name}.data/scripts/uv")
        wheel.writestr(f"{name}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {name[3:]}\n")
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "".join(f"{file},,\n" for file in wheel.namelist()))


@pytest.fixture
def gather(clone, index, tmp_path):
    """A function that fills a wheelhouse from the folder of wheels, which is pip's index here."""
    (clone / LOCK).write_text("tiny==1.0\nother==1.0 ; sys_platform == 'darwin'\n")

    def gather(*target, folder=tmp_path / "stick für alle"):
        command = [sys.executable, "scripts/wheelhouse.py", folder, *target]
        pip = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
        done = subprocess.run(command, cwd=clone, env=pip, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return folder

    return gather


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_wheelhouse_sets_up_with_no_network_and_no_uv(clone, index, gather):
    add_uv(index)
    with (clone / LOCK).open("a") as lock:
        lock.write(f"uv=={metadata.version('uv')}\n")
    wheelhouse = gather()
    shutil.rmtree(index)
    (Path(os.environ["PATH"]) / "uv").unlink()
    code, told = end(start(clone, "make", "setup", f"WHEELHOUSE={wheelhouse}"))
    assert code == 0, told
    assert f"from {wheelhouse}, with no network" in told
    assert installed(clone) == "['tiny', 'own']"


def test_a_wheelhouse_serves_every_patch_release(clone, index, gather):
    """Of a release of Python, which the lock may tell apart."""
    make_wheel(index, "tiny", "2.0", python=">=3.12.4")
    lines = ("tiny==1.0 ; python_full_version < '3.12.4'", "tiny==2.0 ; python_full_version >= '3.12.4'", "other==1.0")
    (clone / LOCK).write_text("\n".join(lines))
    gathered = names(gather("linux-x86_64-python3.12"))
    assert gathered == [
        *(f"{name}-py3-none-any.whl" for name in ("other-1.0", "tiny-1.0", "tiny-2.0")),
        "wheelhouse.json",
    ]


def test_one_wheelhouse_holds_several_platforms_and_forgets_an_older_lock(clone, gather):
    folder = gather("linux-x86_64-python3.12")
    assert names(folder) == ["tiny-1.0-py3-none-any.whl", "wheelhouse.json"]
    gather("macos-arm64-python3.13")
    assert names(folder) == ["other-1.0-py3-none-any.whl", "tiny-1.0-py3-none-any.whl", "wheelhouse.json"]
    listed = json.loads((folder / "wheelhouse.json").read_text())["platforms"]
    assert {name: len(wheels) for name, wheels in listed.items()} == {
        "linux-x86_64-python3.12": 1,
        "macos-arm64-python3.13": 2,
    }
    (clone / LOCK).write_text("other==1.0\n")
    gather("linux-x86_64-python3.12")
    assert names(folder) == ["other-1.0-py3-none-any.whl", "wheelhouse.json"]


def damage(folder):
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damage, "tiny-1.0-py3-none-any.whl is damaged: its checksum"),
        (lambda folder: (folder / "tiny-1.0-py3-none-any.whl").unlink(), "tiny-1.0-py3-none-any.whl is missing"),
        (lambda folder: (folder / "wheelhouse.json").write_text("{"), "no wheelhouse, or a damaged one"),
        (shutil.rmtree, "no wheelhouse, or a damaged one"),
        (lambda folder: (folder.parent / LOCK).write_text("other==1.0\n"), "another version of the project"),
    ],
)
def test_a_wheelhouse_that_does_not_serve_is_refused(clone, gather, spoil, words):
    folder = gather(folder=clone / "wheels")
    spoil(folder)
    code, told = end(start(clone, "make", "setup", "WHEELHOUSE=wheels"))
    assert code and words in told and "make wheelhouse FOR=" in told
    assert names(clone / ".venv") == ["turn"]  # nothing was begun


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"lock": "a"}', '{"lock": "a", "platforms": {"b": 1}}'])
def test_a_wheelhouse_whose_list_is_damaged_is_refused_and_can_be_made_again(tmp_path, content):
    (tmp_path / "wheelhouse.json").write_text(content)
    with pytest.raises(set_up.Problem, match=r"no wheelhouse, or a damaged one .*make wheelhouse FOR="):
        set_up.open_wheelhouse(tmp_path, THIS_PYTHON)
    wheelhouse.note(tmp_path, "macos-arm64-python3.13", wheels := {"tiny.whl": "its checksum"})
    assert json.loads((tmp_path / "wheelhouse.json").read_text())["platforms"] == {"macos-arm64-python3.13": wheels}


def test_the_wheelhouse_of_another_platform_is_refused(clone, gather):
    folder = gather("macos-arm64-python3.13" if sys.platform == "linux" else "linux-x86_64-python3.13")
    code, told = end(start(clone, "make", "setup", f"WHEELHOUSE={folder}"))
    here = f"{set_up.platform_name()}-python{THIS_PYTHON}"
    assert code and re.search(rf"is for \S+-python3.13; this is {here}. .*make wheelhouse FOR={here}", told)


def fake_python(folder, name, version="", error=""):
    """A program that answers as a Python of that version does, or fails as a shim of pyenv does."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{f'echo {version}; echo {program}' if version else ''}\n")
    if error:
        program.write_text(program.read_text() + f"printf '{error}\\n' >&2\nexit 1\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def pythons(tmp_path, monkeypatch):
    (tmp_path / "pythons").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "pythons"))
    return tmp_path / "pythons"


def test_the_first_python_that_really_runs_is_taken(pythons):
    fake_python(pythons, "python3.11", error="pyenv: python3.11: command not found")
    fake_python(pythons, "python3.12", "3.12.9", "No module named ensurepip")
    fake_python(pythons, "python3.13", "3.13.1")
    found = set_up.choose("")
    assert (found.version, found.path) == ("3.13.1", str(pythons / "python3.13"))
    fake_python(pythons, "python3.12", "3.12.9")
    assert set_up.choose("").release == "3.12"


@pytest.mark.parametrize(
    ("version", "error", "asked", "words"),
    [
        ("", "command not found", "", "Python 3.11, 3.12 or 3.13 is needed, and none was found.*PYTHON="),
        ("3.12.9", "No module named ensurepip", "", "No module named ensurepip.*apt install python3.12-venv.*PYTHON="),
        ("3.12.9", "No module named ensurepip", "python3.12", "cannot make .venv.*apt install python3.12-venv"),
        ("3.10.4", "", "python3.12", "is Python 3.10.4, and the lock is for Python 3.11, 3.12 or 3.13. Install"),
        ("3.14.0", "", "python3.12", "is Python 3.14.0, and the lock is for"),
        ("3.12.9", "", "nonsense", "PYTHON=nonsense does not run.*Install"),
        ("", "", "python3.12", "does not run"),
        ("", "not found\\n\\nNote: see help\\n  to have several.", "python3.12", r"does not run \(not found\)"),
        ("", "Traceback (most recent):\\n  File\\nOSError: no", "python3.12", r"does not run \(OSError: no\)"),
    ],
)
def test_a_python_that_does_not_serve_gets_a_sentence(pythons, version, error, asked, words):
    fake_python(pythons, "python3.12", version, error)
    with pytest.raises(set_up.Problem, match=words):
        set_up.choose(asked)


def test_without_any_python_make_says_what_to_install(clone):
    for python in Path(os.environ["PATH"]).glob("python*"):
        python.unlink()
    code, told = end(start(clone, "make", "setup"))
    assert code and "No Python was found. Install Python 3.11, 3.12 or 3.13; PYTHON=" in told


def test_uv_takes_over_what_pip_is_set_to(monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("PIP_CERT", "/etc/ssl/firm.pem")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "")
    assert "UV_DEFAULT_INDEX" not in set_up.pips_settings(sys.executable)  # uv is set itself
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    found = set_up.pips_settings(sys.executable)
    assert (found["UV_DEFAULT_INDEX"], found["SSL_CERT_FILE"]) == ("https://mirror.example/simple", "/etc/ssl/firm.pem")


def test_whatever_make_runs_in_venv_is_set_up_before():
    rules = re.findall(r"^([\w-]+):(.*)\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    assert len(rules) > 10
    lacking = [name for name, needs, recipe in rules if "$(VENV)/" in recipe and "setup" not in needs.split()]
    assert lacking == ["clean"]  # which looks for itself whether there is one
    assert (ROOT / ".ci" / "run").read_text().endswith("exec make test\n")
