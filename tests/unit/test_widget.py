"""RunDetails: the block in a notebook, the lines without one, and the thread that follows a run."""

import base64
import math
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree

import nbformat
import pytest
from azureml import _html
from azureml.core import Experiment, ScriptRunConfig
from azureml.widgets import RunDetails, _block, _state, run_details
from batch.kernels import ThisInterpreter
from matplotlib.figure import Figure
from nbclient import NotebookClient
from sdk_world import source
from small_jobs import wait_until

from helpers.offline.engine.history import studio

STATE = {
    "run_id": "one",
    "experiment": "exp",
    "workbench_run_details_uri": "http://127.0.0.1:5000/#/x",
    "studio": True,
    "status": "Running",
    "final": False,
    "stages": [
        {"status": "NotStarted", "seconds": 0.1},
        {"status": "Queued", "seconds": 0.4},
        {"status": "Running", "seconds": 185},
    ],
    "run_metrics": {"Accuracy": [0.5, 0.75], "Final": 0.9},
    "images": {},
    "run_logs": "epoch 1\nepoch 2",
    "run_properties": {},
    "error": None,
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(run_details, "_INTERVAL", 0.05)


@pytest.fixture
def run(workspace):
    run = Experiment(workspace, "widget").start_logging(outputs=False, snapshot_directory=None)
    yield run
    if run.get_status() == "Running":
        run.complete()
    wait_until(lambda: not threads(run))


def threads(run):
    return [thread for thread in threading.enumerate() if thread.name == f"azureml.widgets.run_details-{run.id}"]


def test_the_block_has_all_parts():
    html = _block.html(STATE)
    ElementTree.fromstring(html)  # well-formed
    for part in ("… Running", "Queued 0 s → Running 3 min 05 s", "Accuracy", "0.75", "epoch 2", "of exp"):
        assert part in html
    assert "NotStarted" not in html
    assert "word-break:normal" in ElementTree.fromstring(html).find("pre").get("style")
    (curve,) = ElementTree.fromstring(html).iter("img")
    assert curve.get("alt") == "Accuracy: from 0.5 to 0.75"
    svg = base64.b64decode(curve.get("src").removeprefix("data:image/svg+xml;base64,"))
    assert next(iter(ElementTree.fromstring(svg))).get("points") == "0.0,23.0 120.0,1.0"
    assert not re.search(r"color:|background", html), "a colour of its own may be unreadable in one of the themes"


def test_text_of_the_run_is_escaped():
    evil = "<script>alert(1)</script>"
    state = {**STATE, "error": evil, "run_logs": evil, "experiment": evil, "run_metrics": {f'{evil}"': [1, 2]}}
    html = _block.html(state)
    assert evil not in html and html.count("&lt;script&gt;") >= 4
    ElementTree.fromstring(html)


@pytest.mark.parametrize("series", [[math.nan, math.inf], [1.0, math.nan, 3.0], [2, 2], [1], [], ["text", "more"]])
def test_any_series_has_a_row(series):
    ElementTree.fromstring(_block.html({**STATE, "run_metrics": {"m": series}}))


def test_lines_tell_what_is_new(capsys):
    lines = _block.Lines()
    lines.render(STATE)
    assert capsys.readouterr().out == "Run one: Running\nRun one: Accuracy 0.75, Final 0.9\n"
    lines.render(STATE)
    assert capsys.readouterr().out == ""
    lines.render({**STATE, "run_metrics": {"Accuracy": [0.5, 0.75, 0.8], "Final": 0.9}})
    lines.render({**STATE, "status": "Failed", "error": "it broke"})
    assert capsys.readouterr().out == (
        "Run one: Accuracy 0.8\nRun one: Failed\nRun one: Accuracy 0.75\nRun one: it broke\n"
    )


def test_the_thread_follows_the_run_to_its_end(run):
    blocks = []
    RunDetails(run).show(render_lib=blocks.append)
    assert len(blocks) >= 1 and "Running" in blocks[0]
    assert len(threads(run)) == 1 and threads(run)[0].daemon
    run.log("Loss", 0.125)
    wait_until(lambda: "0.125" in blocks[-1])
    run.complete()
    wait_until(lambda: not threads(run))
    assert "✓ Completed" in blocks[-1]
    shown = len(blocks)
    RunDetails(run).show(render_lib=blocks.append)  # of a run that has ended: one block and no thread
    assert len(blocks) == shown + 1 and not threads(run)


def test_without_a_notebook_lines_are_printed(run, capsys):
    RunDetails(run).show()
    run.fail("no more data")
    wait_until(lambda: not threads(run))
    assert capsys.readouterr().out == (f"Run {run.id}: Running\nRun {run.id}: Failed\nRun {run.id}: no more data\n")


def test_an_error_of_a_look_is_shown_and_the_next_look_goes_on(run, monkeypatch):
    blocks, read = [], _state.read
    failing = iter([True, True])

    def read_or_fail(run):
        if next(failing, False):
            raise OSError("the disk <is> away")
        return read(run)

    monkeypatch.setattr(_state, "read", read_or_fail)
    RunDetails(run).show(render_lib=blocks.append)
    assert "OSError: the disk &lt;is&gt; away" in blocks[0]
    wait_until(lambda: "Running" in blocks[-1])


def test_a_thread_gives_up_where_no_look_succeeds(run, monkeypatch):
    monkeypatch.setattr(_state, "read", lambda run: 1 / 0)
    blocks = []
    RunDetails(run).show(render_lib=blocks.append)
    wait_until(lambda: not threads(run))
    assert len(blocks) == 1 + run_details._PATIENCE
    assert "ZeroDivisionError" in blocks[-1]


def test_data_of_a_submitted_run(workspace, tmp_path):
    script = "for i in range(40):\n    print('line', i)\nprint('10 %\\r50 %\\r100 %')\nprint('x' * 1000)\n"
    run = Experiment(workspace, "widget").submit(ScriptRunConfig(**source(tmp_path, script)))
    run.wait_for_completion()
    data = RunDetails(run).get_widget_data()
    assert (data["status"], data["final"], data["error"]) == ("Completed", True, None)
    assert [stage["status"] for stage in data["stages"]] == [
        "NotStarted", "Preparing", "Queued", "Running", "Finalizing",
    ]  # fmt: skip
    lines = data["run_logs"].splitlines()
    assert lines[-3:] == ["line 39", "100 %", "x" * _state.LINE_LENGTH]
    assert len(lines) == _state.LOG_LINES


def test_an_image_that_the_run_has_logged_is_shown_as_one(run):
    run.log_image("Accuracy vs Loss", plot=Figure(figsize=(1, 1)))
    run.log_confusion_matrix("Mistakes", {"schema_type": "confusion_matrix", "data": {}})
    html = _block.html(RunDetails(run).get_widget_data())
    assert "aml://" not in html and re.search("<td[^>]*>Mistakes", html)
    (image,) = ElementTree.fromstring(html).iter("img")
    assert image.get("alt") == "Accuracy vs Loss, an image that the run has logged"
    kind, content = image.get("src").split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content).startswith(b"\x89PNG")


def test_the_link_is_there_only_while_it_leads_somewhere(run, monkeypatch):
    class Studio(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(server.answer)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Studio) as server:
        monkeypatch.setattr(studio, "PORT", server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for server.answer, is_link in ((b"OK", True), (b"another program", False)):
            shown = [_block.html(RunDetails(run).get_widget_data()), run._repr_html_(), run.experiment._repr_html_()]
            assert [f'href="{studio.ADDRESS}' in html for html in shown] == [is_link] * 3
        server.shutdown()
    shown = [_block.html(RunDetails(run).get_widget_data()), run._repr_html_(), run.experiment._repr_html_()]
    assert not any(f'href="{studio.ADDRESS}' in html for html in shown)
    assert f"Run {run.id} of widget" in shown[0] and _html.NO_STUDIO in shown[1]


def test_settings_are_refused(run):
    with pytest.raises(NotImplementedError, match="widget_settings"):
        RunDetails(run).show(widget_settings={"debug": True})


NOTEBOOK = """
import sys
sys.path.insert(0, {sdk!r})
from azureml.core import Experiment, Workspace
from azureml.widgets import RunDetails, run_details
run = Experiment(Workspace.from_config(), "widget").start_logging(outputs=False, snapshot_directory=None)
RunDetails(run).show()
---
run.log("Loss", 0.125)
run.complete()
run.wait_for_completion()
print("kernel lives")
"""


def test_in_a_notebook_one_block_is_updated_and_shows_the_end_before_what_waits_for_it_returns(workspace, request):
    sdk = str(request.config.rootpath / "helpers" / "offline" / "sdk_v1")
    cells = [nbformat.v4.new_code_cell(text) for text in NOTEBOOK.format(sdk=sdk).split("---")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_manager_class=ThisInterpreter, timeout=120).execute()
    (block,) = notebook.cells[0].outputs
    assert re.fullmatch(r"Run \S+: Completed", block["data"]["text/plain"])
    assert "✓ Completed" in block["data"]["text/html"] and "0.125" in block["data"]["text/html"]
    assert [output["text"] for output in notebook.cells[1].outputs] == ["kernel lives\n"]
