"""How fast a service answers: what is measured, and that a request which is lost is not counted."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import requests

from helpers import plots, scoring


@pytest.fixture
def server():
    """A service that answers with status 200 after a moment, and every tenth request with status 500."""

    class Handler(BaseHTTPRequestHandler):
        asked, lock, answering = [], threading.Lock(), ["blue"]

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with self.lock:
                self.asked.append((self.headers["Authorization"], body))
                number = len(self.asked)
            time.sleep(0.01)
            self.send_response(200 if number % 10 else 500)
            self.send_header("Content-Length", "0")
            self.send_header(scoring.DEPLOYMENT, self.answering[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        made.address = f"http://127.0.0.1:{made.server_port}/score"
        yield made
        made.shutdown()


def test_each_request_is_timed(server):
    seconds = scoring.latencies(server.address, {"Authorization": "Bearer k"}, {"data": [1]}, count=5)
    assert seconds.shape == (5,)
    assert seconds.min() >= 0.01
    assert server.RequestHandlerClass.asked == [("Bearer k", {"data": [1]})] * 5


def test_a_bad_answer_is_no_measurement(server):
    with pytest.raises(requests.HTTPError, match="500"):
        scoring.latencies(server.address, {}, 1, count=10)


def test_lost_requests_are_not_counted(server):
    load = scoring.load(server.address, {}, 1, count=40, clients=8)
    assert load.answered == 36
    assert 0.05 <= load.seconds < 40 * 0.01 * 8
    server.shutdown()
    server.server_close()
    assert scoring.load(server.address, {}, 1, count=3, clients=2).answered == 0


def test_who_answered_is_told_of_each_request_with_the_steps_that_were_done(server, monkeypatch):
    asked = server.RequestHandlerClass.asked

    def until_more_are_asked(_=None):
        enough = len(asked) + 20  # a tenth is lost
        deadline = time.monotonic() + 60
        while len(asked) < enough:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def step():
        server.RequestHandlerClass.answering[0] = "green"
        until_more_are_asked()

    monkeypatch.setattr(scoring, "time", SimpleNamespace(perf_counter=time.perf_counter, sleep=until_more_are_asked))
    answers = scoring.while_asked(server.address, {}, 1, clients=4, steps=[step])
    assert [answer.sent for answer in answers] == sorted(answer.sent for answer in answers)
    assert len(answers) == len(asked)
    assert sum(answer.deployment is None for answer in answers) == len(answers) // 10
    assert {answer.deployment for answer in answers if answer.done == 1} == {"green", None}
    first = [answer.deployment for answer in answers if answer.done == 0]
    assert "blue" in first[:5] and "green" not in first[:5]
    assert "green" in {answer.deployment for answer in answers if answer.done is None}


def test_a_step_that_fails_ends_the_asking_and_is_raised(server):
    def step():
        raise ValueError("no such deployment")

    with pytest.raises(ValueError, match="no such deployment"):
        scoring.while_asked(server.address, {}, 1, clients=4, steps=[step], pause=0.05)
    asked = len(server.RequestHandlerClass.asked)
    time.sleep(0.05)
    assert len(server.RequestHandlerClass.asked) == asked


def test_the_picture_tells_the_median(monkeypatch):
    shown = []
    monkeypatch.setattr(plots.display, "show", lambda data, handle=None: shown.append(data["text/plain"]))
    plots.latency([0.001, 0.002, 0.009])
    name, words = shown[0].split("\nThe picture in words: ")
    assert name == "[picture: latency]"
    assert words == "Histogram of the time that 3 requests took: half of them less than 2.0 ms, the slowest 9.0 ms"


def test_the_picture_of_the_traffic_tells_the_shares_of_each_stage(monkeypatch):
    shown = []
    monkeypatch.setattr(plots.display, "show", lambda data, handle=None: shown.append(data["text/plain"]))
    stages = [(0, ["blue"] * 4), (None, ["blue"]), (1, ["blue", "green", "green", None]), (2, ["green"] * 2)]
    given = [(done, name) for done, names in stages for name in names]
    plots.traffic([scoring.Answer(7 + 0.1 * place, *one) for place, one in enumerate(given)])
    name, words = shown[0].split("\nThe picture in words: ")
    assert name == "[picture: traffic]"
    assert words == (
        "Who answered 11 requests, 1 of them lost, one stage after another: blue 100%, green 0%; "
        "blue 25%, green 50%; blue 0%, green 100%"
    )
