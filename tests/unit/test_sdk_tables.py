"""Tabular datasets: what goes wrong, and says so. What goes right is compared with the real SDK's in tests/twins."""

from datetime import date, datetime
from functools import partial

import pandas as pd
import pytest
from azureml.core import Dataset
from azureml.data import DataType
from azureml.data.dataset_error_handling import DatasetValidationError
from azureml.exceptions import AzureMLException, DatasetTimestampMissingError, UserErrorException


@pytest.fixture
def read(workspace, tmp_path):
    """Makes a table of this text in a datastore, read with these settings."""
    datastore = workspace.get_default_datastore()

    def made(content, **settings):
        (tmp_path / "up").mkdir(exist_ok=True)
        (tmp_path / "up" / "table.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        datastore.upload(str(tmp_path / "up"), "tables", overwrite=True, show_progress=False)
        return Dataset.Tabular.from_delimited_files((datastore, "tables/table.csv"), **settings)

    return made


def test_a_value_that_is_not_of_its_columns_kind_is_null_or_told(read):
    table = read("a\n" + "2\n" * 300 + "many\n")
    assert table.to_pandas_dataframe()["a"].isna().sum() == 1
    with pytest.raises(UserErrorException, match=r"Encountered ErrorValue in the data\..*'many' in the column 'a'"):
        table.to_pandas_dataframe(on_error="fail")
    assert len(table.take(300).to_pandas_dataframe(on_error="fail")) == 300  # of the others it is not asked


def test_rows_without_a_value_are_objects(read):
    table = read("a,b,c,d\n1,,2020-01-01,nan\n2,1.5,,nan\n")
    assert [str(kind) for kind in table.to_pandas_dataframe().dtypes] == [
        "int64",
        "float64",
        "datetime64[ns]",
        "float64",
    ]
    first, second = (one.to_pandas_dataframe() for one in (table.take(1), table.skip(1)))
    assert [str(kind) for kind in first.dtypes] == ["int64", "object", "datetime64[ns]", "float64"]
    assert [str(kind) for kind in second.dtypes] == ["int64", "float64", "object", "float64"]
    assert (first["b"][0], second["c"][0]) == (None, None)


@pytest.mark.parametrize(
    ("cells", "moments"),
    [
        (["1/13/2020 3:04:05 PM", "1/14/2020 12:00 AM"], ["2020-01-13 15:04:05", "2020-01-14"]),
        (["1/3/2020  3:04am", "13/1/2020 3:04 PM"], ["2020-03-01 03:04", "2020-01-13 15:04"]),
        (["13-Jan-2020", "3/FEB/21 03:04:05.5"], ["2020-01-13", "2021-02-03 03:04:05.5"]),
        (["2020-01-13 03:04:05 UTC", "2020-1-3"], ["2020-01-13 03:04:05", "2020-01-03"]),
        (["2020-01-13T03:04:05.123456789+0200"], ["2020-01-13 01:04:05.123456789"]),
        (["1/13/20", "12/31/99"], ["2020-01-13", "1999-12-31"]),
        (["1600-01-01", "2300-01-01", "2020-01-01"], ["NaT", "NaT", "2020-01-01"]),
        (["13/1/20"], ["NaT"]),  # which is year first to the library
        (["2020-01-13", "13/1/2020"], ["2020-01-13", "2020-01-13"]),
        (["13.01.2020"], None),
        (["1/13/2020", "13/1/2020"], None),
        (["2020-01-13 03:04"], None),
        (["13 Jan 2020"], None),
        (["1/13/2020 13:04 PM"], None),
        (["2020-02-30"], None),
    ],
)
def test_dates_are_guessed_as_the_sdk_does(read, cells, moments):
    frame = read("a,b\n" + "".join(f"{cell},x\n" for cell in cells)).to_pandas_dataframe()
    expected = cells if moments is None else [pd.Timestamp(moment) for moment in moments]
    assert frame["a"].tolist() == expected or frame["a"].astype(str).tolist() == list(map(str, expected))
    assert str(frame["a"].dtype) == ("object" if moments is None else "datetime64[ns]")


def test_dates_in_a_format_that_is_given(read):
    kinds = {"a": DataType.to_datetime("%d.%m.%Y"), "b": DataType.to_datetime(["%d %B %Y", "%Y-%m-%d %H:%M %p"])}
    frame = read("a,b\n3.1.2020 ,3 May 2020\nx,2020-01-13 15:04 pm\n", set_column_types=kinds).to_pandas_dataframe()
    assert frame["a"][0] == pd.Timestamp("2020-01-03") and frame["a"].isna()[1]
    assert frame["b"].tolist() == [pd.Timestamp("2020-05-03"), pd.Timestamp("2020-01-13 15:04")]


def test_what_cannot_be_read_is_told(read, workspace):
    with pytest.raises(DatasetValidationError, match="is not encoded as utf-8-sig"):
        read("a\né\n".encode("latin-1"))
    assert read("a\né\n".encode("latin-1"), encoding="latin1").to_pandas_dataframe()["a"].tolist() == ["é"]
    with pytest.raises(UserErrorException, match="Invalid encoding 'utf9'"):
        read("a\n1\n", encoding="utf9")
    with pytest.raises(DatasetValidationError, match="is not delimited by ';;'"):
        read("a\n1\n", separator=";;")
    with pytest.raises(DatasetValidationError, match=r"table\.csv is no Parquet file"):
        Dataset.Tabular.from_parquet_files((workspace.get_default_datastore(), "tables/table.csv"))
    with pytest.raises(UserErrorException, match="Cannot infer conversion format for datetime"):
        read("a\nsoon\n", set_column_types={"a": DataType.to_datetime()})
    with pytest.raises(UserErrorException, match="must be a dictionary"):
        read("a\n1\n", set_column_types={"a": "long"})


def test_quoted_fields_of_several_lines_and_decimal_commas(read):
    table = read('a;b\n"x\ny";1,5\n', separator=";", support_multi_line=True)
    assert table.to_pandas_dataframe()["a"].tolist() == ["x\ny"]
    numbers = read("a;b\nx;1,5\n", separator=";", set_column_types={"b": DataType.to_float(decimal_mark=",")})
    assert numbers.to_pandas_dataframe()["b"].tolist() == [1.5]


def test_columns_that_are_kept_can_be_looked_for(read):
    table = read("a,b\n1,2\n")
    assert table.keep_columns("a", validate=True).to_pandas_dataframe().shape == (1, 1)
    with pytest.raises(DatasetValidationError, match=r"with only columns \['c'\] kept"):
        table.keep_columns("c", validate=True)


def test_an_expression_that_cannot_be_is_told(read):
    table = read("a,b\nx,1\n,2\n")
    with pytest.raises(UserErrorException, match="takes an expression"):
        table.filter("b > 1")
    with pytest.raises(RuntimeError, match="expressions cannot be used in conditional expressions"):
        table.filter(table["b"] > 1 and table["a"] == "x")
    for expression, told in (
        (table["a"].contains("x"), r"contains\(\) is of texts; None is none"),
        (table["b"].length() > 0, r"length\(\) is of texts; 1 is none"),
        (table["b"] / 0 > 1, "1 / 0 cannot be computed"),
        (table["b"] & (table["b"] > 0), "1 is neither true nor false"),
        (table["b"], "Expected 'Boolean', got 1"),
    ):
        with pytest.raises(AzureMLException, match=told):
            table.filter(expression).to_pandas_dataframe()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["0", "1"], [False, True]),
        (["T", "f"], [True, False]),
        (["Yes", "NO"], [True, False]),
        (["yes", "NO"], ["yes", "NO"]),
        (["0", "true", ""], [False, True, None]),
        (["0", "1", "2"], [0, 1, 2]),
        ([" 1", "2 "], [1, 2]),
        (["1.5 ", " 2"], [1.5, 2.0]),
        (["1", "٣"], ["1", "٣"]),
        ([" x ", "y"], [" x ", "y"]),
    ],
)
def test_the_kind_of_a_column_is_guessed_as_the_sdk_does(read, cells, values):
    frame = read("i,a\n" + "".join(f"{number},{cell}\n" for number, cell in enumerate(cells))).to_pandas_dataframe()
    assert frame["a"].tolist() == values


def test_a_kind_that_is_asked_for(read):
    cells = "a,b,c\n1.9,1,1\n-1e3,t,Yes\n inf,yes,N\nx,2,?\n99999999999999999999, F ,0\n"
    kinds = {"a": DataType.to_long(), "b": DataType.to_bool(), "c": DataType.to_bool()}
    frame = read(cells, set_column_types=kinds).to_pandas_dataframe()
    assert frame["b"].tolist() == [True, True, None, None, False]
    assert frame["c"].tolist() == [True, True, False, None, False]
    assert frame["a"].tolist()[:3] == [1, -1000, 2**63] and pd.isna(frame["a"][3]) and frame["a"][4] == 2**63


def test_times(read):
    table = read("when,x\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n").with_timestamp_columns("when")
    day = pd.Timestamp("2020-01-02")
    assert table.time_after(day).to_pandas_dataframe()["x"].tolist() == [2, 3]
    assert table.time_before(day, include_boundary=False).to_pandas_dataframe()["x"].tolist() == [1]
    assert table.time_between(day, day).to_pandas_dataframe()["x"].tolist() == [2]
    assert table.drop_columns("when").timestamp_columns == (None, None)
    timed = table.with_timestamp_columns("x")
    for call in (partial(timed.time_after, day), partial(table.with_timestamp_columns, "x")):
        with pytest.raises(DatasetValidationError, match=r"columns \['x'\] do not have the expected types \['DATE'\]"):
            call(validate=True)
    with pytest.raises(DatasetValidationError, match=r"columns \['y'\] do not exist in the current dataset"):
        table.with_timestamp_columns("when", "y", validate=True)
    for share in (2, -1, "x", None):
        with pytest.raises(ValueError, match=r"probability must be a number between 0\.0 and 1\.0"):
            table.take_sample(share)


def test_a_file_that_is_named_twice_is_read_twice(read, workspace):
    read("x\n1\n2\n")
    datastore = workspace.get_default_datastore()
    paths = [(datastore, "tables/*.csv"), (datastore, "tables/table.csv")]
    assert Dataset.Tabular.from_delimited_files(paths).to_pandas_dataframe()["x"].tolist() == [1, 2, 1, 2]
    files = Dataset.File.from_files(paths)
    assert files.to_path() == ["/workspaceblobstore/tables/table.csv"] * 2
    assert len(files.take(2).to_path()) == len(files.download()) == 2
    assert files.skip(1).to_path() == ["/workspaceblobstore/tables/table.csv"]


def test_a_table_is_filtered_by_columns_and_the_sdk_calls_that_experimental(read, caplog):
    table = read("x\n1\n2\n")
    assert table.filter(table["x"] > 1).to_pandas_dataframe()["x"].tolist() == [2]
    (told,) = caplog.messages
    assert told.startswith("Method filter: This is an experimental method, and may change at any time.")
    with pytest.raises(TypeError, match="Unexpected type received"):
        table[["x"]]
    with pytest.raises(DatasetTimestampMissingError, match="Cannot perform time-series filter `time_after` on dataset"):
        table.time_after(datetime(2026, 1, 1))


def test_only_a_data_frame_is_registered_as_one(workspace, capsys):
    place = (workspace.get_default_datastore(), "frames")
    register = Dataset.Tabular.register_pandas_dataframe
    for frame, name, told in (([1], "name", "dataframe of type"), (pd.DataFrame({"a": [1]}), None, "name of type")):
        with pytest.raises(ValueError, match=f"Expected {told}"):
            register(frame, place, name)
    assert capsys.readouterr().out == "Validating arguments.\n" * 2
    register(pd.DataFrame({"a": [1]}), place, "name", make_target_path_unique=False)
    told = capsys.readouterr().out.splitlines()
    assert "Using target path without unique subfolder: frames/." in told and "Creating new dataset" not in told


def test_a_data_frame_that_parquet_cannot_hold_is_told(workspace):
    frame = pd.DataFrame({"a": [1, "x"]})
    place = (workspace.get_default_datastore(), "bad")
    kinds = {"l": [[1], [2]], "t": pd.to_timedelta([1, 2], "s"), "c": pd.Categorical(["a", "b"])}
    for bad, error, told in (
        (frame, ValueError, "Could not convert 'x'"),
        (pd.DataFrame({"l": kinds["l"]}), UserErrorException, r"containing complex data types\. .*<class 'list'>"),
        (pd.DataFrame({"t": kinds["t"]}), DatasetValidationError, "timedelta64"),
        (pd.DataFrame({"c": kinds["c"]}), DatasetValidationError, "category"),
    ):
        with pytest.raises(error, match=told):
            Dataset.Tabular.register_pandas_dataframe(bad, place, "bad", show_progress=False)
    assert "bad" not in workspace.datasets


def test_a_data_frame_keeps_pandas_own_kinds_and_its_days_are_moments(workspace, capsys):
    frame = pd.DataFrame({"n": pd.array([1, None], "Int64"), "b": pd.array([None, True], "boolean")})
    frame["d.d"] = [date(2020, 1, 13), date(2021, 1, 1)]
    place = (workspace.get_default_datastore(), "kinds")
    table = Dataset.Tabular.register_pandas_dataframe(frame, place, "kinds", show_progress=False)
    assert [str(kind) for kind in table.to_pandas_dataframe().dtypes] == ["Int64", "boolean", "datetime64[ns]"]
    first = table.filter(table["n"] > 0).to_pandas_dataframe()  # which the library no longer takes from the file
    assert [str(kind) for kind in first.dtypes] == ["int64", "object", "datetime64[ns]"]
    assert first.astype(object).to_numpy().tolist() == [[1, None, pd.Timestamp("2020-01-13")]]
    assert "Column header contains '.' This period will be translated to '_'" in capsys.readouterr().out


def test_a_column_of_lists_can_be_asked_for_nulls_and_not_compared(workspace, tmp_path):
    frame = pd.DataFrame({"row": [1, 2], "lists": [[1, 2], None]})
    (tmp_path / "lists").mkdir()
    frame.to_parquet(tmp_path / "lists" / "a.parquet")
    datastore = workspace.get_default_datastore()
    datastore.upload(str(tmp_path / "lists"), "lists", show_progress=False)
    table = Dataset.Tabular.from_parquet_files((datastore, "lists/a.parquet"))
    kept = table.filter(table["lists"].is_null()).keep_columns("row").to_pandas_dataframe()
    assert kept["row"].tolist() == [2]
    with pytest.raises(AzureMLException, match="Error processing data"):
        table.filter(table["lists"] + "x" == "x").to_pandas_dataframe()
