"""What a program in scripts/ answers where the packages of .venv are not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ON_ANY_PYTHON = {"set_up", "endings", "in_venv", "doctor", "draw_pictures", "picture_words", "first_imports"}
PROGRAMS = [path.stem for path in sorted((ROOT / "scripts").glob("*.py")) if path.stem not in ON_ANY_PYTHON]


def without_packages(program: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run it by this interpreter without its site-packages."""
    command = [sys.executable, "-S", "-E", f"scripts/{program}.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("program", PROGRAMS)
def test_without_its_packages_a_program_says_how_it_is_run(program):
    done = without_packages(program, "an argument")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{program}.py: {sys.executable} does not have the package ")
    assert line.endswith(f". `make setup` makes .venv; then run: .venv/bin/python scripts/{program}.py 'an argument'")


def test_an_older_python_is_told_before_its_syntax_fails():
    source = "import sys; sys.version_info = (3, 9); sys.argv = ['scripts/ml.py']; sys.path.insert(0, 'scripts'); "
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", source + "import in_venv"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "is older than Python 3.11." in done.stderr


def test_a_character_that_the_locale_lacks_is_printed_as_its_escape():
    source = "import sys; sys.argv = ['scripts/ml.py']; sys.path.insert(0, 'scripts'); import in_venv; print('é – …')"
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, env=environment)
    assert done.stdout == "é \\u2013 \\u2026\n".encode("latin-1"), done.stderr


def test_ctrl_c_while_packages_are_imported_shows_no_traceback():
    source = "import sys; sys.argv = ['scripts/ml.py']; sys.path.insert(0, 'scripts'); import in_venv; "
    done = subprocess.run(
        [sys.executable, "-c", source + "raise KeyboardInterrupt"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "ml.py: interrupted\n")


def unread(*command: str) -> subprocess.CompletedProcess:
    """Run it with an output whose reader has ended, as of `… | head`."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run([sys.executable, *command], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writer)


@pytest.mark.parametrize("printed", ["'few'", "'more than is kept back' * 9999", "'at once', flush=True"])
def test_a_program_whose_output_nobody_reads_any_more_ends_quietly(printed):
    source = "import sys; sys.argv = ['scripts/ml.py']; sys.path.insert(0, 'scripts'); import in_venv; "
    done = unread("-c", source + f"print({printed})")
    assert (done.returncode in (0, 1), done.stderr) == (True, "")


@pytest.mark.parametrize("command", [("run_notebooks.py", "--help-parameters"), ("doctor.py",)])
def test_a_list_that_nobody_reads_any_more_ends_quietly(command):
    program, *arguments = command
    done = unread("-u", f"scripts/{program}", *arguments)
    assert (done.returncode, done.stderr) == (1, "")


def test_pictures_that_nobody_hears_of_are_drawn_quietly(tmp_path):
    source = (
        "import sys; sys.argv = ['scripts/draw_pictures.py']; sys.path.insert(0, 'scripts'); import draw_pictures; "
    )
    done = unread("-uc", source + f"draw_pictures.IMAGES = draw_pictures.Path({str(tmp_path)!r}); draw_pictures.main()")
    assert (done.returncode, done.stderr) == (1, "")


def test_another_connection_that_breaks_is_still_told():
    source = "import sys; sys.argv = ['scripts/ml.py']; sys.path.insert(0, 'scripts'); import in_venv; "
    command = [sys.executable, "-c", source + "raise BrokenPipeError('of a service')"]
    assert "of a service" in subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stderr
