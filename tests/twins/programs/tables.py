"""Tables: what a tabular dataset reads from delimited and Parquet files, how it is cut, and how a job gets it."""

from pathlib import Path

import pandas as pd
from azureml.core import Dataset
from azureml.data import DataType, TabularDataset
from azureml.data.dataset_type_definitions import PromoteHeadersBehavior
from stage import run_of, said

CSV = """name,count,share,good,when,mixed,empty,code
Ann,1,0.5,true,2020-01-02,1,,001
"Bob, jr",2,1,FALSE,2020-01-03 04:05:06,x,,002
,,,,,,,
Zoe,-4,1e3,true,2021-12-31,2.5,,010
"""
ODD = '''a,,a,not a number,date,day,big,stamp
1,x,2,NaN,01/02/2020,25/12/2020,12345678901234567890,2020-01-02T03:04:05Z

2,"y ""quoted""",3,1.5,03/04/2020,31/01/2021,1,2020-01-02T03:04:05.678
3
4,z,5,inf,05/06/2020,01/02/2021,2,,more
'''
KINDS = """bit,letter,word,spaced,share,mixed,three,lower
0,T,Yes, 1,1.5 ,0,0,yes
1,F,NO,2 , 2,true,2,NO
"""
SCRIPT = """
    table = run.input_datasets["rows"]
    print(type(table).__name__, table.to_pandas_dataframe().to_dict("list"))
    print(run.input_datasets["rows"].name, run.input_datasets["rows"].version)
"""


def show(name, table):
    frame = table.to_pandas_dataframe()
    print(name, {column: str(kind) for column, kind in frame.dtypes.items()})
    print([list(row) for row in frame.astype(object).itertuples(index=frame.index.name is not None)])


def program(ws, folder):
    datastore = ws.get_default_datastore()
    Path("up").mkdir()
    Path("up/a.csv").write_text(CSV)
    Path("up/b.csv").write_text("name,count,other\nEve,7,5\n")
    Path("up/c.csv").write_text(ODD)
    Path("up/d.txt").write_text(KINDS)
    Path("up/bare.txt").write_text("1\t2\n3\t4\n")
    pd.DataFrame({"x": [1, 2], "y": [0.5, None], "z": ["a", None]}).to_parquet("up/p.parquet")
    datastore.upload("up", "tables", overwrite=True, show_progress=False)
    a, b = (datastore, "tables/a.csv"), (datastore, "tables/b.csv")

    read = Dataset.Tabular.from_delimited_files
    table = read(a)
    show("inferred", table)
    print(type(table).__name__, isinstance(table, TabularDataset), table.id, table.name, table.timestamp_columns)
    show("texts", read(a, infer_column_types=False))
    show("types", read(a, set_column_types={"code": DataType.to_string(), "count": DataType.to_float()}))
    show("kinds", read((datastore, "tables/d.txt")))
    asked = {"share": DataType.to_long(), "bit": DataType.to_float(), "three": DataType.to_bool()}
    show("asked", read((datastore, "tables/d.txt"), set_column_types=asked))
    show("both", read([a, b]))
    show("glob", read((datastore, "tables/*.csv"), include_path=True).keep_columns(["Path", "name"]))
    show("path", read(a, include_path=True).keep_columns("Path").take(1))
    show("bare", read((datastore, "tables/bare.txt"), separator="\t", header=False))
    show("parquet", Dataset.Tabular.from_parquet_files((datastore, "tables/p.parquet")))
    show("odd", read((datastore, "tables/c.csv")))
    for header in PromoteHeadersBehavior:
        show(header.name, read([a, b], header=header, infer_column_types=False))
        print(read([a, b], header=header.name).take(1).keep_columns("name").timestamp_columns)

    show("take", table.take(2).keep_columns(["name", "count"]))
    show("skip", table.skip(2).drop_columns(["when", "mixed", "empty", "good"]))
    show("filter", table.filter(table["count"] > 1).keep_columns("name"))
    show("unequal", table.filter(table["count"] != 1).keep_columns(["count", "name"]))
    show("null", table.filter(table["count"].is_null() | (table["share"] * 2 == 1)).keep_columns(["share", "count"]))
    show("text", table.filter(~table["name"].is_null()).filter(~table["name"].starts_with("A")).keep_columns(["name"]))
    show("filters", table.filter((table["count"] > 1) | (table["name"] == "Zoe")).keep_columns(["name"]))
    one, other = table.random_split(0.5, seed=1)
    print(len(one.to_pandas_dataframe()) + len(other.to_pandas_dataframe()))
    print(len(table.take_sample(1.0, seed=1).to_pandas_dataframe()))
    print(table.drop_columns("none").to_pandas_dataframe().shape)
    print(said(lambda: table.keep_columns("none").to_pandas_dataframe())[:90])
    timed = table.with_timestamp_columns("when")
    print(timed.timestamp_columns, timed.to_pandas_dataframe().index.dtype)
    print(said(lambda: table.with_timestamp_columns(partition_timestamp="when")))

    named = table.take(2).keep_columns(["name", "count"]).register(ws, "rows", description="some", tags={"a": "b"})
    print(named.name, named.version, named.description, named.tags)
    got = Dataset.get_by_name(ws, "rows")
    show("registered", got)
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", "b"], "z": [True, False]})
    made = Dataset.Tabular.register_pandas_dataframe(frame, (datastore, "frames"), "frame", show_progress=False)
    print(type(made).__name__, made.name, made.version)
    show("frame", made)
    print(said(lambda: read("no address")).splitlines()[0][:40])
    print(said(lambda: read((datastore, "tables/none.csv"))).splitlines()[0][:40])
    print(said(lambda: read(a, header="no")).splitlines()[0])

    run = run_of(ws, folder, SCRIPT, [got.as_named_input("rows")])
    print(run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"])
    print([type(one["dataset"]).__name__ for one in run.get_details()["inputDatasets"]])
