"""Models: from files, folders and runs; versions, tags, lookup, download and what a model knows of its origin."""

from pathlib import Path

from azureml.core import Dataset, Model
from azureml.core.resource_configuration import ResourceConfiguration
from stage import said


def tree(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def program(ws, folder):
    Path("net/sub").mkdir(parents=True)
    Path("net/weights.txt").write_text("1")
    Path("net/sub/more.txt").write_text("2")
    tags, properties = {"a": "b", "n": None}, {"p": "q", "n": None}
    first = Model.register(ws, "net", "twin", tags=tags, properties=properties, description="whole")
    second = Model.register(
        ws,
        "net/weights.txt",
        "twin",
        model_framework=Model.Framework.TENSORFLOW,
        model_framework_version="2.21",
        resource_configuration=ResourceConfiguration(cpu=1, memory_in_gb=0.5),
    )
    for model in (first, second):
        print(model.id, model.name, model.version, model.tags, model.properties, model.description)
        print(model.model_framework, model.model_framework_version, model.run_id, model.experiment_name, model.unpack)
        print(model.resource_configuration and model.resource_configuration.serialize())
        print(model.download(f"got{model.version}", exist_ok=False), tree(f"got{model.version}"))
    print(said(lambda: first.download("got1"))[:40])
    first.add_tags({"c": "d"})
    first.add_properties({"r": "s"})
    first.remove_tags("a")
    print(said(lambda: first.add_properties({"p": "other"})))
    again = Model(ws, id="twin:1")
    again.add_tags({"late": "1"})
    first.add_properties({"s": "t"})  # which does not know of the tag
    again = Model(ws, id="twin:1")
    print(again.tags, again.properties, Model(ws, "twin").version, Model(ws, "twin", version=1).id)
    print(Model(ws, "twin", tags=["c"]).id, [model.id for model in Model.list(ws, name="twin")])
    print(
        [model.id for model in Model.list(ws, tags=[["c", "d"]])], [model.id for model in Model.list(ws, latest=True)]
    )
    print(said(lambda: Model(ws, "none")), said(lambda: Model.register(ws, "no file", "twin"))[:38])
    for wrong in ({"tags": ["a"]}, {"tags": "a"}, {"properties": ["a"]}):
        print(said(lambda wrong=wrong: Model.register(ws, "net", "wrong", **wrong).id))
    print(sorted(ws.models))

    datastore = ws.get_default_datastore()
    data = Dataset.File.from_files((datastore, "models/x.txt"), validate=False)
    third = Model.register(ws, "net", "with-data", datasets=[("training", data)], sample_input_dataset=data)
    print(data.id == third.sample_input_dataset.id, [one.id == data.id for one in third.datasets["training"]])
    first.delete()
    print(said(first.delete), said(lambda: first.add_tags({"e": "f"})), said(lambda: Model(ws, "twin", version=1)))
    print(said(lambda: Model.list(ws, tags=[("c", "d")])), said(lambda: Model.list(ws, tags=[["c", 1]])))
    print([model.id for model in Model.list(ws, name="twin")])
