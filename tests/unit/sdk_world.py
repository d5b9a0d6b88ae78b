"""What tests of runs share."""

import time


def source(folder, script, name="train.py"):
    """Write a script into a folder; both as arguments for ScriptRunConfig(**…)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(script, encoding="utf-8")
    return {"source_directory": str(folder), "script": name}


def wait_for(condition, what, seconds=60):
    """Wait until condition() is true; AssertionError after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)
