"""What tests of runs share."""


def source(folder, script):
    """Write a script into a folder; both as arguments for ScriptRunConfig(**…)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(script, encoding="utf-8")
    return {"source_directory": str(folder), "script": "train.py"}
