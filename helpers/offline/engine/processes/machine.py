"""What of this process's environment variables goes to the programs that the engine starts.

Azure ML gives a job or a service a clean environment: what it sets itself and what the user asked for. What is in a
notebook's environment, its secrets among it, stays there. Offline, a few things belong to the machine and not to the
notebook: where programs and libraries are, who the user is, language and time zone, which GPUs may be used.
"""

import contextlib
import math
import os
from collections.abc import Mapping
from pathlib import Path

from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import Invalid

PASS_ON = "AZUREML_OFFLINE_PASS_ON"  # names of more variables that jobs and services get, separated by commas
DELAY = "AZUREML_OFFLINE_STAGE_SECONDS"  # for teaching: how long Preparing and Queued last at least
OF_MACHINE = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LC_ALL"}
OF_MACHINE |= {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES"}
OF_MACHINE |= {"NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"}
OF_MACHINE |= {folder.VARIABLE, DELAY, PASS_ON}
LOCALE = "LC_"
# What the engine's own processes need besides: to find the engine and interpreters, and to install packages.
OF_ENGINE = {"PYTHONPATH", "PYENV_ROOT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
OF_ENGINE |= {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"}
OF_INSTALLERS = ("PIP_", "UV_")
NEVER_GIVEN = "NUL and halves of UTF-16's pairs"  # what no text has in it that a program is given


def stage_seconds() -> float:
    """How long Preparing and Queued last at least: DELAY. Raises Invalid."""
    text = os.environ.get(DELAY) or "0"
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < math.inf:
            return float(text)
    raise Invalid(f"The environment variable {DELAY} is {text!r}; give a number of seconds, such as 10.")


def can_be_given(text: str) -> bool:
    """Whether a program can be given this text: nothing of NEVER_GIVEN is in it."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def check(asked: Mapping[str, object] | None) -> None:
    """Refuse variables that no script can be given. Raises Invalid."""
    if not isinstance(asked or {}, Mapping):
        raise Invalid(f"The environment variables are {asked!r}; give a dict of names to texts.")
    for name, value in (asked or {}).items():
        if not isinstance(name, str) or not name or "=" in name or not can_be_given(name):
            raise Invalid(f"{name!r} is no name for an environment variable: give a text without '=', {NEVER_GIVEN}.")
        if not isinstance(value, (str, int, float)) or not can_be_given(str(value)):
            raise Invalid(
                f"The environment variable {name} is {value!r}; give a text without {NEVER_GIVEN}, or a number."
            )


def script_variables(
    asked: Mapping[str, object] | None, own: Mapping[str, str], programs: list[Path]
) -> dict[str, str]:
    """All variables of a script: the machine's, those that the user `asked` for, and its `own`.

    Programs are looked for in the folders `programs` first.
    """
    variables = _variables()
    return {
        **variables,
        "PATH": os.pathsep.join([*map(str, programs), variables.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",  # each line is in the log as soon as it is printed
        "PYTHONIOENCODING": "utf-8",
        **{name: str(value) for name, value in (asked or {}).items()},
        **own,
    }


def engine_variables() -> dict[str, str]:
    """The variables of a process of the engine's own, which starts scripts and builds environments."""
    return _variables() | {
        name: value for name, value in os.environ.items() if name.upper() in OF_ENGINE or name.startswith(OF_INSTALLERS)
    }


def _variables() -> dict[str, str]:
    passed_on = OF_MACHINE | {name.strip() for name in os.environ.get(PASS_ON, "").split(",")}
    return {name: value for name, value in os.environ.items() if name in passed_on or name.startswith(LOCALE)}
