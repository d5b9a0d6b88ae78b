"""A job, however it starts Python: it finds its run, the user's own variables, and none of the notebook's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from azureml.exceptions import UserErrorException
from small_jobs import job_of, submit, wait_for, wait_until

from helpers.offline.engine import jobs
from helpers.offline.engine.history import job_states, logs
from helpers.offline.engine.jobs import run_records, supervisor
from helpers.offline.engine.processes import in_run, run_python
from helpers.offline.engine.workspace import folder

LOGS = """
import sys
sys.path.insert(0, "lib")
from azureml.core import Run
import mine
run = Run.get_context()
run.log("x", mine.VALUE)
print("run", run.id, "prefix", sys.prefix)
"""


@pytest.fixture
def opened(offline_folder):
    return folder.open_folder()


@pytest.fixture
def source(tmp_path):
    """A source directory with a module in `lib`."""
    (tmp_path / "source" / "lib").mkdir(parents=True)
    (tmp_path / "source" / "lib" / "mine.py").write_text("VALUE = 5")
    return tmp_path / "source"


def log_of(opened, run_id):
    return logs.log_path(opened, run_id).read_text()


def run_shell(opened, source, command, script=LOGS, **changes):
    """Run a command line beside a script `script.py`; the job's state, its log and its metrics."""
    given = job_of(source, script) | {"shell": command, "script": None} | changes
    del given["command"]
    run_id = jobs.submit(opened, "tests", given)
    state = wait_for(opened, run_id)
    return state, log_of(opened, run_id), run_records.get_metrics(opened, run_id)


@pytest.mark.parametrize(
    "command",
    [
        "export PYTHONPATH=$PWD/lib && python script.py",
        "python -I script.py",
        "python -E -s script.py",
        'env -i PATH="$PATH" python script.py',
        'code=$PWD; cd / && env -i "$(which python3)" "$code/script.py"',
        "python -c 'import subprocess, sys; subprocess.run([sys.executable, \"script.py\"], env={}, check=True)'",
        "bash -c 'python script.py'",
        "printf '#!/usr/bin/env python\\nimport runpy; runpy.run_path(\"script.py\")' > run && chmod +x run && ./run",
        "coverage run script.py",  # a program of an installed package
    ],
)
def test_a_job_finds_its_run_however_it_starts_python(opened, source, command):
    text = LOGS.replace('"lib"', f'"{source / "lib"}"')
    if command.startswith("coverage"):
        pytest.importorskip("coverage")
    state, log, metrics = run_shell(opened, source, command, text)
    assert state["status"] == "Completed", log
    assert metrics == {"x": 5}, log


def test_the_users_own_python_path_arrives_untouched(opened, source, monkeypatch):
    monkeypatch.setenv("AZUREML_OFFLINE_PASS_ON", "")
    script = 'import os; print("path", os.environ.get("PYTHONPATH"))' + LOGS.replace('sys.path.insert(0, "lib")', "")
    run_id = submit(opened, source, script, environment_variables={"PYTHONPATH": f"{source / 'lib'}:more"})
    state = wait_for(opened, run_id)
    log = log_of(opened, run_id)
    assert state["status"] == "Completed", log
    assert f"path {source / 'lib'}:more\n" in log
    assert run_records.get_metrics(opened, run_id) == {"x": 5}
    run_id = submit(opened, source, 'import os; print("path", os.environ.get("PYTHONPATH"))')
    wait_for(opened, run_id)
    assert "path None\n" in log_of(opened, run_id)


@pytest.mark.parametrize(
    ("packages", "completes"),
    [(["azureml-defaults"], True), (["azureml-core==1.62"], True), (["numpy", "azureml-inference-server-http"], False)],
)
def test_the_sdk_is_there_only_where_the_environment_brings_it(opened, source, packages, completes):
    """Outside a job it is: the interpreter that runs the tests has the real one."""
    environment = {"name": "mine", "python": {"condaDependencies": {"dependencies": [{"pip": packages}]}}}
    run_id = submit(opened, source, "from azureml.core import Run", environment=environment)
    state = wait_for(opened, run_id)
    assert (state["status"] == "Completed") is completes, log_of(opened, run_id)
    if not completes:
        assert state["error"]["message"].endswith(
            "Error: ModuleNotFoundError: No module named 'azureml'. The environment 'mine' has no package that brings "
            "it: add azureml-defaults to them."
        )


def test_metrics_that_no_run_gets_fail_the_run(opened, source):
    """The interpreter that runs the tests has an azureml of its own, the real one."""
    state, log, metrics = run_shell(
        opened, source, f"{sys.executable} -I script.py", LOGS.replace('"lib"', repr(str(source / "lib")))
    )
    assert "Attempted to log scalar metric x" in log
    assert (state["status"], metrics) == ("Failed", {})
    assert "printed to 'user_logs/std_log.txt' and not logged" in state["error"]["message"]


def test_a_job_has_a_clean_environment(opened, source, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "hush")
    monkeypatch.setenv("MPLBACKEND", "notebook's")
    monkeypatch.setenv("LC_TIME", "C")
    monkeypatch.setenv("PASSED", "on")
    monkeypatch.setenv("AZUREML_OFFLINE_PASS_ON", "PASSED, MISSING")
    script = """
    import os, pathlib
    for name in sorted(os.environ):
        print("has", name)
    print(os.environ["OWN"], os.environ["LC_TIME"], os.environ["PASSED"])
    parent = pathlib.Path(f"/proc/{os.getppid()}/environ")
    print("above", "hush" in (parent.read_text() if parent.exists() else ""))
    """
    run_id = submit(opened, source, script, environment_variables={"OWN": 1})
    assert wait_for(opened, run_id)["status"] == "Completed"
    log = log_of(opened, run_id)
    assert "\n1 C on\n" in log and "above False" in log
    names = {line.removeprefix("has ") for line in log.splitlines() if line.startswith("has ")}
    machine = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LD_LIBRARY_PATH"}
    own = {name for name in names if name.startswith(("AZUREML_", "MLFLOW_", "PYTHON", "LC_", "CUDA_", "NVIDIA_"))}
    assert names - machine - own == {"DO_NOT_TRACK", "OWN", "PASSED"}


def test_the_python_of_a_run_ends_with_it(opened, source):
    run_id = submit(opened, source, "import sys; print('prefix', sys.prefix)")
    wait_for(opened, run_id)
    assert f"prefix {job_states.run_folder(opened, run_id) / 'python'}" in log_of(opened, run_id)
    left = {"errors", "spool"}
    wait_until(lambda: {path.name for path in job_states.run_folder(opened, run_id).iterdir() if path.is_dir()} == left)


@pytest.mark.skipif(sys.platform != "linux", reason="a process without a parent can only be found on Linux")
def test_what_a_job_leaves_behind_ends_with_it_even_without_variables(opened, source):
    script = """
    import os, subprocess, sys, time
    if "detached" in sys.argv:
        if os.fork():
            os._exit(0)
        print("pid", os.getpid(), flush=True)
        time.sleep(600)
    subprocess.run([sys.executable, "-S", "script.py", "detached"], env={}, start_new_session=True, check=True)
    while "pid" not in open("/proc/self/fd/1").read():  # the log
        time.sleep(0.01)
    """
    run_id = submit(opened, source, script)
    assert wait_for(opened, run_id)["status"] == "Completed"
    process = int(log_of(opened, run_id).split("pid ")[1].split()[0])
    assert not psutil.pid_exists(process)


def test_a_job_that_a_job_submits_goes_on_after_it(opened, source, tmp_path):
    (tmp_path / "go").mkdir()
    inner = f"""
    import os, time
    from azureml.core import Run
    while not os.path.exists({str(tmp_path / "go" / "on")!r}):
        time.sleep(0.05)
    Run.get_context().log("inner", 1)
    """
    job = job_of(tmp_path / "inner", inner)
    outer = f"""
    from pathlib import Path
    from helpers.offline.engine import jobs
    print("inner", jobs.submit(Path({str(opened)!r}), "tests", {job!r}))
    """
    run_id = submit(opened, source, outer)
    state = wait_for(opened, run_id)
    log = log_of(opened, run_id)
    assert state["status"] == "Completed", log
    inner_id = log.split("inner ")[1].split()[0]
    wait_until(lambda: job_states.get(opened, run_id)["status"] == "Completed")
    (tmp_path / "go" / "on").touch()
    assert wait_for(opened, inner_id)["status"] == "Completed", log_of(opened, inner_id)
    assert run_records.get_metrics(opened, inner_id) == {"inner": 1}


HANDLED = "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()\n"
RAISES = {
    "plain": ("raise ValueError('no data')", "ValueError: no data"),
    "output at exit": (
        "import atexit; atexit.register(print, 'bye'); raise ValueError('no data')",
        "ValueError: no data",
    ),
    "several lines": ("raise ValueError('no data:\\n  • a\\n  • b')", "ValueError: no data:\n  • a\n  • b"),
    "notes": (
        "error = ValueError('no data'); error.add_note('look into a'); raise error",
        "ValueError: no data\nlook into a",
    ),
    "a cause": ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e", "KeyError: 'k'"),
    "a group": (
        "raise ExceptionGroup('both', [ValueError('a'), KeyError('b')])",
        "ExceptionGroup: both (2 sub-exceptions): ValueError: a; KeyError: 'b'",
    ),
    "no words": ("assert False", "AssertionError"),
    "syntax": ("x = = 1", "SyntaxError: invalid syntax (script.py, line 1)"),
    "another hook": (
        "import sys; sys.excepthook = lambda *error: print('it went wrong'); raise ValueError('no data')",
        "ValueError: no data",
    ),
    "a class of a module": (
        "from azureml.exceptions import UserErrorException; raise UserErrorException('no data')",
        f"azureml.exceptions.UserErrorException: {UserErrorException('no data')}",  # of nine lines
    ),
    "a module": ("import nowhere.at_all", "ModuleNotFoundError: No module named 'nowhere'"),
    "a module that is missing for a reason": (
        "import importlib.util; assert not importlib.util.find_spec('wave'); from wave import open",
        "ModuleNotFoundError: No module named 'wave'. It cannot be had.",
    ),
    "handled before": (
        HANDLED + "raise ValueError('later')",
        "ValueError: later",
    ),
    "handled, then the end": (
        HANDLED + "import os; os._exit(1)",
        "ZeroDivisionError: division by zero",
    ),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The Python of a run."""
    place = tmp_path_factory.mktemp("run") / "pythön of a run"
    missing = {"wave": "It cannot be had."}
    return run_python.make(place, run_python.own(), {}, missing=missing)


def test_programs_of_packages_start_the_runs_python_and_shell_scripts_stay_what_they_are(tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (tmp_path / "venv" / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages").mkdir(parents=True)
    (tmp_path / "venv" / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix, 'bin')}\n")
    python.symlink_to(sys.executable)
    said = "import sys; print(sys.prefix)"
    scripts = {
        "short": f"#!{python}\n{said}\n",
        "long": f"#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n{said}\n",
        "long of uv": f"#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''\n{said}\n",
        "shell": f'#!/bin/sh\n"{python}" -c "{said}"\n',
        "longer shell": f'#!/bin/sh\nset -e\ncd /\n"{python}" -c "{said}"\n',
    }
    for name, text in scripts.items():
        (python.parent / name).write_text(text)
        (python.parent / name).chmod(0o755)
    program = run_python.make(tmp_path / "run", python, {})
    path = os.pathsep.join(map(str, [program.parent, python.parent]))
    told = {name: subprocess.check_output(shutil.which(name, path=path), text=True).strip() for name in scripts}
    for name, prefix in told.items():
        assert prefix == str(tmp_path / ("venv" if "shell" in name else "run")), name


def cause_told(program, folder, script):
    """What is told of a script that ended: its exit code, what it printed, and the exception that is its error."""
    (folder / "script.py").write_text(script)
    environment = {in_run.FOLDER: str(folder), in_run.ERROR: str(folder / "error.txt")}
    with (folder / "log.txt").open("wb") as log:
        ended = subprocess.run([program, "script.py"], cwd=folder, env=environment, stdout=log, stderr=log)
    told = supervisor.cause(folder / "error.txt", folder / "log.txt")
    return ended.returncode, (folder / "log.txt").read_text(), told


@pytest.mark.parametrize("case", RAISES)
def test_the_error_is_the_exceptions_own(program, tmp_path, case):
    script, expected = RAISES[case]
    exit_code, log, told = cause_told(program, tmp_path, script)
    assert exit_code == 1
    assert told == expected, log


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("sys.exit('no data:\\n  • a')", "no data:\n  • a"),
        ("import atexit; atexit.register(print, 'bye'); sys.exit(OSError('no data'))", "no data"),
        ("sys.exit('x' * 30_000)", "x" * in_run.LONGEST),
        ("try:\n    sys.exit('no data')\nexcept SystemExit:\n    print('on')\nsys.exit(1)", None),
        ("import os\nif os.fork() == 0:\n    sys.exit('no data')\nos.wait()\nsys.exit(1)", None),
        (
            "import subprocess\nsubprocess.run([sys.executable, '-c', 'import sys; sys.exit(\"no\")'])\nsys.exit(1)",
            None,
        ),
        ("try:\n    sys.exit('no data')\nexcept SystemExit:\n    1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_the_text_that_ends_a_job_is_its_error(program, tmp_path, script, expected):
    exit_code, log, told = cause_told(program, tmp_path, f"import sys\n{script}")
    assert exit_code == 1
    assert told == expected, log


@pytest.mark.parametrize(
    "script",
    [
        HANDLED + "print('on')\nraise SystemExit(3)",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', '1 / 0'])\nprint('on')\nraise SystemExit(3)",
        "import os\nif os.fork() == 0:\n    1 / 0\nos.wait()\nprint('on')\nraise SystemExit(3)",
    ],
)
def test_an_exception_that_did_not_end_the_job_is_not_its_error(program, tmp_path, script):
    exit_code, log, told = cause_told(program, tmp_path, script)
    assert exit_code == 3
    assert "ZeroDivisionError: division by zero\n" in log and told is None


def test_a_failed_job_tells_what_ended_it_and_where_to_look(opened, source):
    script = "import atexit; atexit.register(print, 'bye'); raise ValueError('no data:\\n  • a\\n  • b')"
    run_id = submit(opened, source, script)
    state = wait_for(opened, run_id)
    assert state["status"] == "Failed"
    assert state["error"]["message"] == (
        "Execution failed. User process 'python' exited with status code 1. Please check log file "
        "'user_logs/std_log.txt' for error details. Error: ValueError: no data:\n  • a\n  • b"
    )


def test_of_several_processes_the_error_is_that_of_the_one_that_failed(opened, source):
    script = """
    import os, time
    if os.environ["RANK"] == "1":
        raise ValueError("rank 1 it was")
    time.sleep(600)
    """
    distribution = {"kind": "PyTorch", "node_count": 1, "process_count": 2}
    run_id = submit(opened, source, script, distribution=distribution)
    message = wait_for(opened, run_id)["error"]["message"]
    assert "User process 'python' of rank 1" in message and message.endswith("Error: ValueError: rank 1 it was")
