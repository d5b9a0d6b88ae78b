"""Outputs of a job that become datasets: where they land, what registers them, and what the run tells of them."""

from azureml.core import Dataset
from azureml.data import OutputFileDatasetConfig
from stage import run_of, said

SCRIPT = """
    import os
    print(sorted(run.output_datasets), len(sys.argv))
    print([run.output_datasets[name] == path for name, path in zip(("plain", "placed", "table"), sys.argv[1:])])
    for path in sys.argv[1:]:
        print(os.path.isdir(path), os.listdir(path))
        os.makedirs(os.path.join(path, "deep"))
        with open(os.path.join(path, "a.csv"), "w") as file:
            file.write("x,y\\n1,a\\n2,b\\n")
        with open(os.path.join(path, "deep", "b.csv"), "w") as file:
            file.write("x,y\\n3,c\\n")
"""


def program(ws, folder):
    datastore = ws.get_default_datastore()
    plain = OutputFileDatasetConfig("plain").as_upload()
    placed = OutputFileDatasetConfig("placed", destination=(datastore, "made/{run-id}/{output-name}"))
    placed = placed.as_upload(overwrite=True)
    table = OutputFileDatasetConfig("table", destination=(datastore, "made/table")).as_upload(overwrite=True)
    table = table.register_on_complete("numbers").read_delimited_files().drop_columns("y")
    print(plain.name, plain.mode, plain.arg_val, OutputFileDatasetConfig().mode, OutputFileDatasetConfig().name[:7])
    print(said(lambda: OutputFileDatasetConfig("no name!")), said(lambda: plain.register_on_complete("")))
    named = [
        plain,
        placed.register_on_complete("placed", description="made by a run", tags={"a": "b", "n": None}),
        table.register_on_complete("of no effect"),
    ]
    run = run_of(ws, folder, SCRIPT, named)
    log = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    print("".join(line for line in log.splitlines(True) if "deprecat" not in line))
    got = Dataset.get_by_name(ws, "placed")
    print(got.version, got.description, got.tags, got.to_path())
    rows = Dataset.get_by_name(ws, "numbers")
    print(type(rows).__name__, rows.version, rows.to_pandas_dataframe().to_dict("list"))
    print(Dataset.File.from_files((datastore, f"made/{run.id}/placed")).to_path())
    print(Dataset.File.from_files((datastore, f"dataset/{run.id}/plain")).to_path())
    for one in sorted(run.get_details()["outputDatasets"], key=lambda one: one["outputDetails"]["outputName"]):
        print(one["outputType"], one["outputDetails"], type(one["dataset"]).__name__, one["dataset"].name)
    for name, data in sorted(run.get_details()["runDefinition"]["outputData"].items()):
        data["additionalOptions"]["registrationOptions"]["datasetRegistrationOptions"] = None  # for its reader alone
        print(name, data)

    again = run_of(ws, folder, SCRIPT, named)
    print(again.get_status(), Dataset.get_by_name(ws, "placed").version)
    failed = run_of(ws, folder, SCRIPT + "\n    raise ValueError('no')", named)
    print(failed.get_status(), Dataset.get_by_name(ws, "placed").version)
