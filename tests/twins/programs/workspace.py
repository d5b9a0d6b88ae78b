"""The workspace: what it is, what is in it, its datastore."""

import json
from pathlib import Path

from azureml.core import Datastore, Experiment, Workspace
from stage import said

import helpers


def program(ws, folder):
    print(ws, ws.name, ws.subscription_id, ws.resource_group, ws.location, ws.sku, ws.tags)
    details = ws.get_details()
    print([details[key] for key in ("name", "type", "sku", "location", "provisioningState")])
    print(said(lambda: ws.write_config(path="written"))[:50])
    Path("written").mkdir()
    ws.write_config(path="written", file_name="mine.json")
    print(json.loads(Path("written/.azureml/mine.json").read_text()))
    again = Workspace.from_config(path="written/.azureml/mine.json", auth=helpers.credential())
    print(again.name, again == ws)
    experiment = Experiment(ws, "twins-made")
    print(experiment.name, experiment.workspace.name, "twins-made" in ws.experiments, experiment.tags)
    experiment.tag("a", "b")
    experiment.set_tags({"c": "d"})
    experiment.remove_tags(["a"])
    print(experiment.tags)
    experiment.refresh()
    print(experiment.tags, [one.name for one in Experiment.list(ws, tags={"c": "d"})], experiment.archived_time)
    experiment.archive()
    print(type(experiment.archived_time), experiment.archived_time.tzname())
    print("twins-made" in ws.experiments, [one.name for one in Experiment.list(ws, view_type="ArchivedOnly")])
    experiment.reactivate(new_name=None)
    print("twins-made" in ws.experiments, said(lambda: Experiment(ws, "not a name"))[:50])
    datastore = ws.get_default_datastore()
    print(type(datastore).__name__, datastore.name, datastore.datastore_type, datastore.name in ws.datastores)
    print(Datastore.get(ws, "workspaceblobstore").name, said(lambda: Datastore.get(ws, "none"))[:18])
    Path("sent/deep").mkdir(parents=True)
    Path("sent/deep/x.txt").write_text("x")
    datastore.upload("sent", target_path="twins-sent", show_progress=False)
    datastore.upload_files(["sent/deep/x.txt"], target_path="twins-one", show_progress=False)
    print(datastore.upload_files([], target_path="twins-none").path_on_datastore)
    print(datastore.download("back", prefix="twins-sent", show_progress=False))
    print(sorted(path.as_posix() for path in Path("back").rglob("*") if path.is_file()))
    reference = datastore.path("twins-sent/deep").as_mount()
    print(type(reference).__name__, reference.path_on_datastore, reference.mode, str(reference)[:23])
