"""File datasets: what to_path and download give, versions, names, and what a job finds of each."""

from pathlib import Path

from azureml.core import Dataset
from stage import run_of, said

WEB = "https://azureopendatastorage.blob.core.windows.net/mnist/t10k-labels-idx1-ubyte.gz"
OTHER = WEB.replace("t10k", "train")
SCRIPT = """
    import os
    for argument in sys.argv[1:]:
        if os.path.isdir(argument):
            found = [os.path.join(top, name) for top, _, names in os.walk(argument) for name in names]
            print("folder", sorted(os.path.relpath(path, argument) for path in found))
        else:
            print("file", os.path.basename(argument) if os.path.exists(argument) else "that is none")
    print(sorted(run.input_datasets))
    print(run.input_datasets["direct"].to_path())
"""


def program(ws, folder):
    datastore = ws.get_default_datastore()
    for name in ("a.txt", "b/c.txt", "b/d.txt"):
        Path("up", name).parent.mkdir(parents=True, exist_ok=True)
        Path("up", name).write_text(name)
    uploaded = Dataset.File.upload_directory("up", (datastore, "twins"), overwrite=True, show_progress=False)
    paths = {
        "folder": (datastore, "twins"),
        "file": (datastore, "twins/a.txt"),
        "deep": (datastore, "twins/b"),
        "star": (datastore, "twins/*.txt"),
        "stars": (datastore, "twins/**/c.txt"),
        "files": [(datastore, "twins/a.txt"), (datastore, "twins/b/c.txt")],
        "web": WEB,
        "webs": [WEB, OTHER],
        "twice": [(datastore, "twins/a.txt"), (datastore, "twins/*.txt")],  # which a mount cannot hold
    }
    made = {name: Dataset.File.from_files(path) for name, path in paths.items()}
    print(uploaded.to_path(), uploaded.id, uploaded.name, uploaded.version, uploaded.tags)
    for name, dataset in made.items():
        got = sorted(Path(path).relative_to(Path.cwd()).as_posix() for path in dataset.download(f"got-{name}"))
        print(name, dataset.to_path(), got)
    for name in ("a1.txt", "a[1].txt", "b#.txt"):
        Path("odd").mkdir(exist_ok=True)
        Path("odd", name).write_text(name)
    datastore.upload("odd", "twins-odd", show_progress=False)
    for path in ("**.txt", "**c.txt", "b**", "*/", "**/", "**/*.txt"):
        print(path, Dataset.File.from_files((datastore, f"twins/{path}")).to_path())
    for path in ("a[1].txt", "*[1]*", "b#.txt", "*"):
        odd = Dataset.File.from_files((datastore, f"twins-odd/{path}"))
        got = odd.take(9).download(f"odd-{len(path)}")
        print(path, odd.to_path(), sorted(Path(one).read_text() for one in got))
    print(said(lambda: made["file"].download("got-file")).splitlines()[0][:30])
    for path in ((datastore, "twins/none"), [(datastore, "twins/a.txt"), (datastore, "none/*")]):
        gone = Dataset.File.from_files(path)
        for ignored in (False, True):
            print(said(lambda one=gone, ignored=ignored: one.download("got-none", ignore_not_found=ignored))[:99])

    first = made["files"].register(ws, "twin", description="first", tags={"a": "b", "n": None})
    print(first.name, first.version, first.description, first.tags, first.id == made["files"].id)
    print(said(lambda: made["folder"].register(ws, "twin")).splitlines()[0])
    second = made["folder"].register(ws, "twin", create_new_version=True)
    print(second.version, made["folder"].register(ws, "twin", create_new_version=True).version)
    print(Dataset.get_by_name(ws, "twin").version, Dataset.get_by_name(ws, "twin", version=1).to_path())
    changed = second.update(description="changed", tags={"c": "d"}).add_tags({"e": "f"}).remove_tags(["c"])
    print(changed.version, changed.description, changed.tags, Dataset.get_by_name(ws, "twin", version=2).tags)
    print(said(lambda: changed.add_tags({"e": "g"})).splitlines()[0])
    print(Dataset.get_by_id(ws, first.id).version, said(lambda: Dataset.get_by_name(ws, "none")).splitlines()[0])
    print(sorted(name for name in ws.datasets), first.take(1).to_path(), first.skip(1).to_path())

    inputs = [made[name].as_named_input(name).as_mount() for name in paths if name != "twice"]
    run = run_of(ws, folder, SCRIPT, [*inputs, second.as_named_input("direct")])
    print(run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"])
    for one in sorted(run.get_details()["inputDatasets"], key=lambda one: one["consumptionDetails"]["inputName"]):
        told = one["consumptionDetails"]
        print(
            told["type"], told["inputName"], told["mechanism"], type(one["dataset"]).__name__, bool(one["dataset"].id)
        )
    second.unregister_all_versions()
    print(said(lambda: Dataset.get_by_name(ws, "twin")).splitlines()[0])
