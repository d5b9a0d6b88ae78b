"""The reports for machines and for keeping: JUnit's XML, the HTML page, and the folder of a series."""

import base64
import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from batch import UsageError, outcome, report
from batch.manifest import clear_reports, prepare_reports
from batch.page import STYLE, joined, prose, section
from small_notebooks import record, run, write_notebook

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
PICTURE = f"""
from IPython.display import display
print("\\x1b[31mred\\x1b[0m <b>")
alt = {{"image/png": {{"alt": 'one "black" pixel'}}}}
display({{"image/png": {PIXEL!r}, "text/plain": "a pixel"}}, metadata=alt, raw=True)
display({{"text/html": "<table><tr><td>cell</td></tr></table>", "text/plain": "cell"}}, raw=True)
"""
PROSE = """
## Results

See [the next one](02_b.ipynb), [a file](../docs/azure.md) and [the web](https://example.org).
[A part of it](02_b.ipynb#part) is there, and [another series](v2/02_b.ipynb) is not.

![A map](map.svg) ![Nothing](missing.png)
"""


class Page(HTMLParser):
    """What a browser would see of a page: its elements with their attributes, and its words."""

    def __init__(self, text: str):
        super().__init__()
        self.elements, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Both reports of a batch of three notebooks, of which the second fails."""
    tmp_path = tmp_path_factory.mktemp("batch")
    write_notebook(tmp_path, "01_a", PICTURE, record("accuracy", "0.97"), record("name", "'a\\x00b'"), prose=PROSE)
    (tmp_path / "notebooks" / "map.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    write_notebook(tmp_path, "02_b", "x = 1\nraise ValueError('bad \\x1b[31m<value>\\x1b[0m \\x07')", "print('never')")
    write_notebook(tmp_path, "03_c", "x = 1")
    junit, page = tmp_path / "reports" / "junit.xml", tmp_path / "reports" / "page.html"
    assert run(tmp_path, "--junit", str(junit), "--html", str(page)) == 1
    return ET.parse(junit).getroot(), page.read_text()


def test_junit_has_a_case_for_each_notebook(reports):
    suites, _ = reports
    (suite,) = suites
    counts = {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped")}
    assert counts == {"name": "notebooks", "tests": "3", "failures": "1", "errors": "0", "skipped": "1"}
    good, failed, skipped = suite
    assert [case.get("name") for case in suite] == ["01_a", "02_b", "03_c"]
    assert float(good.get("time")) > 0
    recorded = {each.get("name"): each.get("value") for each in good.iter("property")}
    assert recorded == {"accuracy": "0.97", "name": "a\N{REPLACEMENT CHARACTER}b"}
    (failure,) = failed
    assert failure.get("type") == "ValueError"
    assert failure.get("message") == "ValueError: bad <value> \N{REPLACEMENT CHARACTER}"
    assert failure.text.startswith("failed in code cell 1, line 2: raise ValueError(")
    assert "Traceback" in failure.text
    assert skipped[0].tag == "skipped"


def test_the_page_holds_everything_and_fetches_nothing(reports):
    _, text = reports
    page = Page(text)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert {tag for tag, _ in page.elements} & {"script", "link", "iframe"} == set()
    pictures = {image["alt"]: image["src"] for image in page.all("img")}
    assert pictures['one "black" pixel'] == f"data:image/png;base64,{PIXEL}"
    assert base64.b64decode(pictures["A map"].removeprefix("data:image/svg+xml;base64,")).startswith(b"<svg")
    assert pictures["Nothing"] == ""
    targets = [link.get("href") for link in page.all("a")]
    assert targets == ["#01_a", "#02_b", "#02_b", None, "https://example.org", "#02_b", None]
    assert "prefers-color-scheme: dark" in text


def test_a_picture_is_found_however_its_name_is_written_and_nothing_else_is_embedded(tmp_path):
    for name in ("a map & more.png", "secret.txt", "page.html"):
        (tmp_path / name).write_bytes(b"content")
    embedded = f"data:image/png;base64,{base64.b64encode(b'content').decode()}"
    for source in ("![A](a%20map%20&%20more.png)", "![A](<a map & more.png>)"):
        assert [image["src"] for image in Page(prose(source, tmp_path, {})).all("img")] == [embedded]
    for source in ("![A](secret.txt)", "![A](page.html)"):
        assert [image["src"] for image in Page(prose(source, tmp_path, {})).all("img")] == [""]


def test_a_notebook_whose_name_has_spaces_is_linked(tmp_path):
    (link,) = Page(prose("[B](my%20b.ipynb)", tmp_path, {"my b": {"result": "ok"}})).all("a")
    assert link["href"] == "#my b"


def test_the_page_shows_what_failed_what_was_printed_and_what_was_not_run(reports):
    _, text = reports
    page = Page(text)
    assert "1 of 3 notebooks ran to the end; 02_b failed." in page.words
    assert "02_b: failed in code cell 1, line 2: raise ValueError(" in page.words
    assert "red <b>\n" in page.words and "\x1b" not in text
    assert "accuracy: 0.97" in page.words
    assert [section["class"] for section in page.all("section")] == ["ok", "failed"]
    assert re.search(r"03_c</td><td>not run", text)
    assert "<td>cell</td>" in text
    assert [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)] == ["h1", "h2", "h2", "h3", "h2", "h2"]


def test_what_is_printed_in_pieces_is_one_output_and_words_of_a_table_stay_whole():
    printed = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("..", ".", " done\n")]
    shown = nbformat.v4.new_output("display_data", {"text/plain": "shown"})
    warned = nbformat.v4.new_output("stream", name="stderr", text="a warning")
    later = nbformat.v4.new_output("stream", name="stdout", text="later")
    told = [output.get("text", "shown") for output in joined([*printed, shown, warned, later])]
    assert told == ["... done\n", "shown", "a warning", "later"]
    assert "overflow-wrap: break-word" in STYLE, "`anywhere` lets a table's narrow columns break words"


@pytest.mark.parametrize("option", ["--junit", "--html"])
def test_a_report_that_cannot_be_written_is_told_before_anything_runs(tmp_path, capsys, option):
    write_notebook(tmp_path, "01_a", "x = 1")
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "report"):
        assert run(tmp_path, option, str(path)) == 2
        assert f"the report {path} cannot be written" in capsys.readouterr().err
    assert not (tmp_path / "output").exists()


def test_a_device_is_written_to_by_whoever_may_write_nothing_beside_it(tmp_path, monkeypatch):
    """Such as /dev/stdout by anybody but root."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != Path("/dev"))
    prepare_reports(Path(os.devnull), None)
    with pytest.raises(UsageError, match="cannot be written"):
        prepare_reports(Path("/dev/no-such-report"))


def test_what_is_no_file_stays_where_a_report_is_written_to(tmp_path):
    """`--junit /dev/stdout` as root must not delete that."""
    write_notebook(tmp_path, "01_a", "x = 1")
    link = tmp_path / "link"
    link.symlink_to(os.devnull)
    assert run(tmp_path, "--junit", str(link), "--html", str(link)) == 0
    assert link.is_symlink()
    (report := tmp_path / "of an older run.xml").write_text("")
    clear_reports(report, None, tmp_path / "none")
    assert not report.exists()


@pytest.mark.parametrize("content", [b"", b'{"cells": ["\xc3'], ids=["empty", "cut off"])
def test_the_page_tells_of_a_notebook_that_could_not_be_written(tmp_path, content):
    (tmp_path / "01_a.ipynb").write_bytes(content)
    entry = {"result": "failed", "error": {"message": "OSError: disk full"}, "unfinished_runs": []}
    notebook = tmp_path / "notebooks" / "01_a.ipynb"
    work = SimpleNamespace(notebooks=[notebook], backend="offline", removers=[], output=tmp_path)
    assert "OSError: disk full" in "".join(section(notebook, work, {"01_a": entry}))
    assert outcome.read_outcome(tmp_path / "01_a.ipynb", OSError("disk full"))["error"] == entry["error"]


def test_a_series_is_a_folder_of_notebooks_with_outputs_of_its_own(tmp_path):
    write_notebook(tmp_path, "01_a", "x = 1")
    write_notebook(tmp_path, "01_a", "x = 2", series="v2")
    assert run(tmp_path) == 0
    assert run(tmp_path, "--series", "v2", "1") == 0
    for folder, source in (("", "x = 1"), ("v2", "x = 2")):
        assert source in (tmp_path / "output" / folder / "01_a.ipynb").read_text()
        assert (tmp_path / "output" / folder / "manifest.json").is_file()


@pytest.mark.parametrize("opening", ["Activity Failed:\n", "Exception : \n "])
def test_the_jobs_own_error_is_found_in_what_either_sdk_raises(opening):
    raised = opening + json.dumps({"error": {"code": "UserError", "message": "no such layer {1}"}}, indent=4) + " "
    assert outcome.job_error(raised) == "no such layer {1}"
    wrapped = f"ActivityFailedException:\n\tMessage: {raised}\n\tInnerException None\n\tErrorResponse \n{{}}"
    assert outcome.job_error(wrapped) == "no such layer {1}"
    assert outcome.job_error(f"{opening}Detailed error not set on the Run.") is None


def test_of_the_runs_that_were_streamed_those_go_on_whose_end_was_not_told():
    def cell(code: str, *texts: str):
        outputs = [nbformat.v4.new_output("stream", text=text) for text in texts]
        return nbformat.v4.new_code_cell(code, outputs=outputs)

    ended = cell("client = helpers.ml_client()", "RunId: one\nWeb View: …\n", "\nExecution Summary\nRunId: one\nWeb V")
    streamed = cell("client.jobs.stream(job.name)", "\x1b[39mRunId: two\nWeb View: …\nepoch 1\nMy RunId: three\n")
    assert outcome.unfinished_runs([ended, streamed]) == [{"run_id": "two", "sdk": "v2"}]


def test_what_goes_on_is_ended_by_a_command_that_a_shell_reads_as_it_is_meant(tmp_path):
    notebook = tmp_path / "it's $HOME" / "04_train.ipynb"
    notebook.parent.mkdir()
    work = SimpleNamespace(notebooks=[notebook], backend="azure", removers=[Path("09_clean_up.ipynb")])
    told, command, removed = report.describe_what_goes_on(work, "04_train", [{"run_id": "r1", "experiment": "digits"}])
    assert "in the experiment digits" in told
    change_folder, _, end = command.partition("&&")
    assert subprocess.check_output(f"{change_folder} && pwd", shell=True, text=True) == f"{notebook.parent}\n"
    code = "import helpers; helpers.use_backend('azure'); helpers.connect().get_run('r1').cancel()"
    assert shlex.split(end) == [sys.executable, "-c", code]
    assert "may cost money: 09_clean_up removes it." in removed


@pytest.mark.parametrize(
    ("second", "why"),
    [({"result": "interrupted"}, "02_b was interrupted"), (None, "the batch was interrupted")],
)
def test_the_summary_says_what_was_interrupted(second, why):
    entries = {"01_a": {"result": "ok"}, "02_b": second, "03_c": None}
    told = report.summary(SimpleNamespace(complete=0), entries)
    assert told == f"1 of 3 notebooks ran to the end; {why}. --resume goes on from there."
