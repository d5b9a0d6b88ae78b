"""Which notebooks the batch runner is told to run."""

import pytest
from batch import UsageError
from batch.command_line import series_of
from batch.selection import select_notebooks
from small_notebooks import run, write_notebook


@pytest.fixture
def series(tmp_path):
    return [write_notebook(tmp_path, name) for name in ("01_setup", "02_data", "04_train", "10_more", "appendix")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["01_setup", "02_data", "04_train", "10_more", "appendix"]),
        (["04_train"], ["04_train"]),
        (["04_train.ipynb"], ["04_train"]),
        (["4", "02"], ["04_train", "02_data"]),
        (["01-04"], ["01_setup", "02_data", "04_train"]),
        (["2-"], ["02_data", "04_train", "10_more"]),
        (["1-2", "02_data", "1"], ["01_setup", "02_data"]),
        (["appendix"], ["appendix"]),
    ],
)
def test_notebooks_are_chosen_by_name_number_and_range(series, words, expected):
    chosen = select_notebooks(words, series[0].parent, series[0].parent)
    assert [path.stem for path in chosen] == expected


def test_a_notebook_is_chosen_by_its_path(series, tmp_path):
    elsewhere = write_notebook(tmp_path / "notebooks", "mine")
    assert select_notebooks([str(elsewhere)], series[0].parent, series[0].parent) == [elsewhere]


@pytest.mark.parametrize("word", ["3", "05-09", "4-1", "4-12", "3-4", "12-", "train", "04_train.py", "notebooks"])
def test_a_word_that_names_no_notebook_is_an_error_that_lists_them(series, tmp_path, capsys, word):
    assert run(tmp_path, word) == 2
    error = capsys.readouterr().err
    assert repr(word) in error
    assert "01_setup, 02_data, 04_train, 10_more, appendix" in error
    assert ("A range goes from the smaller number" in error) == (word == "4-1")


def test_a_notebook_of_another_series_is_told_and_by_its_path_runs_as_of_that(series, tmp_path, capsys):
    notebooks = series[0].parent
    other = write_notebook(tmp_path, "11_last", series="v2")
    assert run(tmp_path, "11") == 2
    assert "The series v2 has it: give --series v2." in capsys.readouterr().err
    assert series_of([str(other)], notebooks) == "v2"
    assert series_of([], notebooks) == series_of(["11_last"], notebooks) == ""
    assert series_of([str(other), str(series[0])], notebooks) == series_of([str(series[0])], notebooks) == ""


def test_what_another_series_has_is_told_wherever_it_is_asked_for(series, tmp_path, capsys):
    for name in ("01_setup", "11_last"):
        write_notebook(tmp_path, name, series="v2")
    write_notebook(tmp_path, "01_setup", series="pt")
    for words, told in (
        (("11",), "The series v2 has it: give --series v2."),
        (("1-11",), "The series v2 has it: give --series v2."),
        (("11", "--series", "pt"), "The series v2 has it: give --series v2."),
        (("10", "--series", "pt"), "It is there without --series."),
        (("v2/01-11",), "The series v2 has it: give --series v2 01-11."),
        (("notebooks/v2/01_setup",), "The series v2 has it: give --series v2 01_setup."),
        (("v2/12",), "appendix."),
        (("v2/",), "appendix."),
        (("1-60", "--series", "v2"), "1- goes to the last one."),
        (("60", "--series", "v2"), "11_last."),
        (("0-1", "--series", "v2"), "11_last."),
    ):
        assert run(tmp_path, *words) == 2
        assert capsys.readouterr().err.rstrip().endswith(told), words


def test_two_notebooks_of_one_name_are_refused(series, tmp_path):
    other = write_notebook(tmp_path / "notebooks", "01_setup")
    with pytest.raises(UsageError, match=r"two notebooks are named 01_setup\.ipynb"):
        select_notebooks(["1", str(other)], series[0].parent, series[0].parent)


def test_a_series_that_there_is_not_is_told_with_those_that_there_are(series, tmp_path, capsys):
    write_notebook(tmp_path, "01_setup", series="v2")
    write_notebook(tmp_path, "01_setup", series=".ipynb_checkpoints")
    write_notebook(tmp_path, "01_setup", series="pt")
    assert run(tmp_path, "--series", "v1") == 2
    told = f"Give --series pt or --series v2, or leave --series out to run those in {tmp_path / 'notebooks'}."
    assert capsys.readouterr().err.rstrip().endswith(told)


def test_an_empty_folder_is_refused(tmp_path, capsys):
    (tmp_path / "notebooks").mkdir()
    assert run(tmp_path) == 2
    assert "there is no notebook in" in capsys.readouterr().err
