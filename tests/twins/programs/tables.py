"""Tables: what a tabular dataset reads from delimited and Parquet files, how it is cut, and how a job gets it."""

from datetime import date, datetime
from functools import partial
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
# Files that are easily read otherwise: what they are called, and what is in each file.
FILES = {
    "spaced names": ['"a", b,c \n1,2,3\n'],
    "an empty first file": ["", "a,b\n3,2\n"],
    "a header alone": ["a,b\n"],
    "days of several files": ["a\n1/3/2020 3:04 AM\n", "a\n13/1/2020 3:04 PM\n"],
    "days in several formats": ["a\n13-Jan-2020\n2020-01-14\n1/15/2020 10:00\n"],
    "a header alone and more": ["a,b\n", "a,b\n3,2\n"],
    "old line ends": ["a,b\r5,2\r"],
    "quoted and empty": ['a,b\n"",1\nx,""\n,3\n'],
    "zeros": ["a,b,c\n00,00,1\n00,01,00\n"],
    "a blank first line": ["\na,b\n1,2\n"],
    "blank lines": ["a,b\n\n1,2\n\n\n3,4\n"],
    "a line of spaces": ["a,b\n   \n1,2\n"],
    "a quote that goes on": ['a,b\n"x\ny",1\nz,2\n'],
    "a quote within": ['a,b\nx"y"z,1\n"x"y,2\n'],
    "quote and comma that go on": ['a,b\n"x,1\ny",2\n'],
    "quote in second": ['a,b\n1,"x\n2,y"\n'],
    "quoted blank": ['a,b\n" ",1\n"",2\n'],
    "flags": ["a,b,c,d,e\n+1,-0,1.0,000,01\n0,1,0,1,1\n"],
    "true and numbers": ["a,b,c\ntrue,00,01\n00,true,2\n"],
    **{f"names {names}": [f"{names}\n{','.join('2345'[: names.count(',') + 1])}\n"] for names in (
        "a,a,a,a", "a,a_1,a,a", "a_1,a,a", "a,a,a_1", "a,a,a_1,a", " a,a", "Column2,,x", ", ,x",
    )},
    **{f"times {time}": [f"k,v\na,{time}\nb,{time}\n"] for time in (
        "2020-01-01 10:00", "2020-01-01T10:00", "2020-01-01 10:00+0100", "2020-01-01 10:00:05+0100",
        "2020/01/01 10:00", "01/13/2020 10:00", "13/01/2020 10:00", "2020-01-01 10:00:05.5",
        "1/13/2020 3:04:05 PM", "13-Jan-2020 03:04", "13/jan/20", "1/13/20", "13/1/20", "13.01.2020", "13 Jan 2020",
        "2020-01-01 10:00:05 UTC", "2020-01-01T10:00:05.123456789Z", "1600-01-01", "01/13/2020 10:00:05.5",
    )},
}  # fmt: skip
EMPTIES = ("a,b\n1,\n,2\n3,x\n", 'a,b\n"",1\n2,""\n', "a,b\ntrue,\n,2020-01-01\n")
NULLS = "a,c,b,d,e\n1,1.5,x,2020-01-01,true\n2,,y,2020-01-02,false\n3,2.5,z,,true\n4,0.5,,2020-01-04,\n"
FILTERS = {
    "not with null": lambda t: ~(t["c"] > 1),
    "not unequal": lambda t: ~(t["c"] != 1.5),
    "null and false": lambda t: ~((t["c"] > 1) & (t["a"] > 9)),
    "false and null": lambda t: ~((t["a"] > 9) & (t["c"] > 1)),
    "null or true": lambda t: (t["c"] > 1) | (t["a"] == 2),
    "null or false": lambda t: ~((t["c"] > 1) | (t["a"] > 9)),
    "none equal": lambda t: t["c"] == None,  # noqa: E711
    "none unequal": lambda t: t["c"] != None,  # noqa: E711
    "no such column": lambda t: t["zz"] != 1,
    "no such column is null": lambda t: t["zz"].is_null(),
    "no such column, or": lambda t: (t["zz"] > 1) | (t["a"] == 1),
    "text above number": lambda t: t["b"] > 1,
    "number above text": lambda t: t["a"] > "x",
    "text is no number": lambda t: t["b"] != 1,
    "flag below number": lambda t: t["e"] < 1,
    "flag is no number": lambda t: t["e"] == 1,
    "date above text": lambda t: t["d"] > "x",
    "date is no text": lambda t: t["d"] == "2020-01-01",
    "date": lambda t: t["d"] > datetime(2020, 1, 1),
    "column below column": lambda t: t["a"] < t["b"],
    "flag": lambda t: ~t["e"],
    "rest": lambda t: (t["a"] % 2) == 1,
    "text of null": lambda t: t["b"].contains("x"),
    "text of null, but so": lambda t: t["b"].contains("x") | (t["a"] > 0),
    "length of a number": lambda t: t["a"].length() > 0,
    "by zero": lambda t: (t["a"] / 0) > 1,
}
# Moments are compared as whole seconds.
TIMES = """when,day,x
2020-01-01T00:00:00,2020-01-01,1
2020-01-02T06:00:00.400,2020-01-02,2
2020-01-02T18:00:01,2020-01-02,3
2020-01-03T00:00:00,2020-01-03,4
"""
MOMENTS = (
    datetime(2020, 1, 2),
    datetime(2020, 1, 2, 6, 0, 0, 900_000),
    datetime(2020, 1, 2, 12),
    datetime(2020, 1, 2, 18, 0, 0, 500_000),
    datetime(2020, 1, 2, 18, 0, 0, 500_001),
)
SCRIPT = """
    table = run.input_datasets["rows"]
    print(type(table).__name__, table.to_pandas_dataframe().to_dict("list"))
    print(run.input_datasets["rows"].name, run.input_datasets["rows"].version)
"""


def read(path, **settings):
    return Dataset.Tabular.from_delimited_files(path, **settings)


def written(name, content):
    Path(name).write_bytes(content.encode())  # line ends as they are
    return name


def rows(table):
    return table.to_pandas_dataframe().to_dict("list")


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
    Path("up/times.txt").write_text(TIMES)
    Path("up/nulls.txt").write_text(NULLS)
    pd.DataFrame({"x": [1, 2], "y": [0.5, None], "z": ["a", None]}).to_parquet("up/p.parquet")
    datastore.upload("up", "tables", overwrite=True, show_progress=False)

    table = read((datastore, "tables/a.csv"))
    kinds_and_headers(datastore, table)
    parts(table)
    times(datastore, table)
    odd_files(datastore)
    filters(read((datastore, "tables/nulls.txt")))
    got = registered(ws, datastore, table)

    print(said(lambda: read("no address")).splitlines()[0][:40])
    print(said(lambda: read((datastore, "tables/none.csv"))).splitlines()[0][:40])
    print(said(lambda: read((datastore, "tables/a.csv"), header="no")).splitlines()[0])

    run = run_of(ws, folder, SCRIPT, [got.as_named_input("rows")])
    print(run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"])
    print([type(one["dataset"]).__name__ for one in run.get_details()["inputDatasets"]])


def kinds_and_headers(datastore, table):
    a, b = (datastore, "tables/a.csv"), (datastore, "tables/b.csv")
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


def parts(table):
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


def times(datastore, table):
    timed = table.with_timestamp_columns("when")
    print(timed.timestamp_columns, timed.to_pandas_dataframe().index.dtype)
    print(said(lambda: table.with_timestamp_columns(partition_timestamp="when")))
    exact = read((datastore, "tables/times.txt")).with_timestamp_columns("when")
    for name, one in {"one column": exact, "two": exact.with_timestamp_columns("when", "day")}.items():
        for moment in MOMENTS:
            for inclusive in (True, False):
                found = [rows(call(moment, inclusive))["x"] for call in (one.time_before, one.time_after)]
                print(name, moment, inclusive, found)
        print(rows(one.time_between(datetime(2020, 1, 2), datetime(2020, 1, 3)))["x"])
    for wrong in (["x"], ["none"], ["when", "x"]):
        print(said(lambda wrong=wrong: exact.with_timestamp_columns(*wrong).time_after(MOMENTS[0])))


def odd_files(datastore):
    for place, content in enumerate(EMPTIES):
        datastore.upload_files([written(f"{place}.csv", content)], target_path="tables/empty", show_progress=False)
        for choice in (False, True):
            table_of = partial(read, (datastore, f"tables/empty/{place}.csv"), empty_as_string=choice)
            print("empty", place, choice, said(lambda table_of=table_of: rows(table_of())))
    for place, (name, contents) in enumerate(FILES.items()):
        files = [written(f"{number}.csv", content) for number, content in enumerate(contents)]
        datastore.upload_files(files, target_path=f"tables/odd/{place}", show_progress=False)
        paths = [(datastore, f"tables/odd/{place}/{file}") for file in files]
        print(name, said(lambda paths=paths: rows(read(paths))).splitlines()[0][:150])


def filters(nulls):
    for name, expression in FILTERS.items():
        kept = nulls.filter(expression(nulls)).keep_columns("a")
        print(name, said(partial(rows, kept)).splitlines()[0][:70])
    for count in (0, -1, 1.5, "x", None):
        print("take", count, said(lambda count=count: rows(nulls.take(count))))
    print(rows(nulls.skip(99)), rows(nulls.filter(nulls["a"] > 9).keep_columns("none")))


def registered(ws, datastore, table):
    named = table.take(2).keep_columns(["name", "count"]).register(ws, "rows", description="some", tags={"a": "b"})
    print(named.name, named.version, named.description, named.tags)
    got = Dataset.get_by_name(ws, "rows")
    show("registered", got)
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", "b"], "z": [True, False]})
    own = frame.assign(n=pd.array([1, None], "Int64"), b=pd.array([None, True], "boolean"), d=date(2020, 1, 13))
    made = Dataset.Tabular.register_pandas_dataframe(own, (datastore, "frames"), "own", show_progress=False)
    print({name: str(kind) for name, kind in made.to_pandas_dataframe().dtypes.items()})
    show("a part of it", made.take(1))
    for bad in ({"x": [[1], [2]]}, {"x": [1, "a"]}):
        call = partial(Dataset.Tabular.register_pandas_dataframe, pd.DataFrame(bad), (datastore, "frames"), "bad")
        print(said(partial(call, show_progress=False)))
    made = Dataset.Tabular.register_pandas_dataframe(frame, (datastore, "frames"), "frame", show_progress=False)
    print(type(made).__name__, made.name, made.version)
    show("frame", made)
    return got
