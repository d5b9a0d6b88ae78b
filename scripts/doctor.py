"""Checks a machine before a workshop: `make doctor`. One line for each finding, and what to do about it.

Exit code 1 where something must be done. Like the set-up it runs on any Python from 3.8, without packages: also where
nothing is set up yet. Nothing is fetched.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

import endings  # noqa: F401 - before all else
import set_up

GB = 1e9
SPACE = {False: 5 * GB, True: 1 * GB}  # to set up, with what uv keeps (see set_up.FETCHED); to run once that is done
MEMORY = 4 * GB  # the notebooks take 2.5 GB at most; the rest is for the system and a browser
PORTS = {8888: "JupyterLab takes the next one", 5000: "`make studio PORT=5001` takes another one"}
TRAINING_SECONDS = 300

# `verdict` is "ok", "note", or "to do", where something will not work before it is done.
Finding = namedtuple("Finding", "verdict subject text")


def main():
    parser = argparse.ArgumentParser(description="Check this machine before a workshop.")
    parser.add_argument("--python", default="", metavar="NAME", help="the interpreter to set up with")
    options = parser.parse_args()
    findings = []
    for finding in examine(options.python):
        print(f"{finding.verdict:6} {finding.subject:9} {finding.text}", flush=True)
        findings.append(finding)
    to_do = [finding.subject for finding in findings if finding.verdict == "to do"]
    if to_do:
        sys.exit(f"To be done before the workshop: {', '.join(to_do)}.")
    print("This machine is ready.", flush=True)


def examine(asked):
    """Each finding as it comes; what takes longest comes last, and only where it can succeed."""
    yield platform()
    yield python(asked)
    try:
        done = set_up.is_done(asked)
    except set_up.Problem:  # of the interpreter that is asked for, which python() has told
        done = False
    yield disk(set_up.ROOT, done)
    yield memory(memory_here())
    yield cores(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    yield from ports()
    yield clock(time.time())
    yield proxy(os.environ)
    yield git()
    if not done:
        yield Finding("to do", "set-up", "not done, or not up to date: `make setup`, offline with WHEELHOUSE=folder.")
        return
    faults = damages()
    yield packages(faults)
    if not faults:
        yield training()


def platform():
    name = set_up.platform_name()
    if name in set_up.PLATFORMS:
        return Finding("ok", "platform", name)
    known = ", ".join(set_up.PLATFORMS)
    return Finding(
        "to do", "platform", f"{name}: TensorFlow has no wheels for it, but for {known}. Take another machine."
    )


def python(asked):
    try:
        found = set_up.choose(asked)
    except set_up.Problem as problem:
        return Finding("to do", "Python", str(problem))
    return Finding("ok", "Python", f"{found.version}, {found.path}")


def disk(folder, done):
    free, needed = shutil.disk_usage(folder).free, SPACE[done]
    text = f"{free / GB:.1f} GB free in {folder}"
    if free >= needed:
        return Finding("ok", "disk", text)
    why = "to run" if done else "to set up"
    return Finding("to do", "disk", f"{text}: {needed / GB:.0f} GB are needed {why}. Free some, or move the project.")


def memory_here():
    """This machine's memory in bytes, or a container's where that is less."""
    amounts = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            amounts.append(int(Path(limit).read_text()))
        except (OSError, ValueError):  # none such, or `max`
            continue
    return min(amounts)


def memory(amount):
    if amount >= 0.9 * MEMORY:  # a part is the system's own, and not counted
        return Finding("ok", "memory", f"{amount / GB:.1f} GB")
    text = f"{amount / GB:.1f} GB: {MEMORY / GB:.0f} GB are needed. Give the container more, or take another machine."
    return Finding("to do", "memory", text)


def cores(count):
    if count >= 2:
        return Finding("ok", "cores", str(count))
    return Finding("note", "cores", f"{count}: all works, in about twice the time that the notebooks say.")


def ports():
    """Whether a program here can talk with another, and which of the usual ports are taken."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
        yield Finding("ok", "loopback", "127.0.0.1 answers")
    except OSError as error:
        text = f"127.0.0.1 does not answer ({error}). Allow Python in the firewall or the virus scanner."
        yield Finding("to do", "loopback", text)
    for port, remedy in PORTS.items():
        with socket.socket() as client:
            client.settimeout(5)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                yield Finding("note", "port", f"{port} is in use. {remedy}.")


def clock(now):
    """A clock that is behind breaks certificates and Azure's tokens; one before the last change must be."""
    changed = last_change()
    told = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    if now > changed - 24 * 3600:  # time zones apart
        return Finding("ok", "clock", told)
    last = time.strftime("%Y-%m-%d", time.localtime(changed))
    return Finding("to do", "clock", f"{told} is before the project's last change, {last}. Set it by the network.")


def last_change():
    """Of the project, in seconds of the epoch: the last release's day, or git's last commit."""
    days = re.findall(r"^## .*(\d{4}-\d\d-\d\d)", (set_up.ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    moments = [time.mktime(time.strptime(day, "%Y-%m-%d")) for day in days]
    commit = output_of("git", "-C", set_up.ROOT, "log", "-1", "--format=%ct")
    return max([*moments, float(commit or 0)])


def proxy(environment):
    """A proxy serves the set-up; between two programs of this machine it must not stand."""
    lower = {name.lower(): value for name, value in environment.items() if value}
    proxies = [name for name in ("http_proxy", "https_proxy", "all_proxy") if name in lower]
    if not proxies:
        return Finding("ok", "proxy", "none")
    without = re.split(r"[\s,]+", lower.get("no_proxy", ""))
    if "*" in without or {"127.0.0.1", "localhost"} <= set(without):
        return Finding("ok", "proxy", f"{', '.join(proxies)}, and not for this machine itself")
    text = f"{', '.join(proxies)} is set for this machine itself, too: `export NO_PROXY=127.0.0.1,localhost`."
    return Finding("to do", "proxy", text)


def git():
    version = output_of("git", "--version")
    if version:
        return Finding("ok", "git", version)
    return Finding(
        "note", "git", "not found. Only a clone and its updates need it: a copy of the folder works as well."
    )


def output_of(*command):
    """What the command prints; None where it is not there or fails."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def damages():
    """A line for each package of the lock that is not whole in .venv; see check_packages.py."""
    checker = set_up.ROOT / "scripts" / "check_packages.py"
    done = subprocess.run([str(set_up.VENV_PYTHON), str(checker)], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()


def packages(faults):
    if not faults:
        return Finding("ok", "set-up", "every file of the lock's packages is there")
    text = f"Faults: {len(faults)}, such as: {faults[-1]}. Delete the folder .venv, then `make setup`."
    return Finding("to do", "set-up", text)


def training():
    """One epoch by hand, as a job would run it."""
    script, data = set_up.ROOT / "scripts" / "training" / "keras_mnist.py", set_up.ROOT / "data" / "mnist"
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--data-folder", data, "--epochs", 1, "--output-folder", folder]
        command = [str(word) for word in (set_up.VENV_PYTHON, script, *options)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TRAINING_SECONDS)
        except subprocess.TimeoutExpired:
            text = f"one epoch is not done after {TRAINING_SECONDS} s. Close other programs, or take another machine."
            return Finding("to do", "training", text)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or ["it says nothing"]
    if done.returncode:
        text = f"fails with exit code {done.returncode}: {lines[-1]}. `{' '.join(command[:4])}` shows all."
        return Finding("to do", "training", text)
    return Finding("ok", "training", f"one epoch in {time.monotonic() - begun:.0f} s: {lines[-1]}")


if __name__ == "__main__":
    main()
