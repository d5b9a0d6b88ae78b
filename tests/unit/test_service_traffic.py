"""How an endpoint's requests are shared out, and how one scoring server hands over to the next."""

import random
import threading
from collections import Counter

import pytest
from small_jobs import wait_until

from helpers.offline.engine.services import handover, traffic
from helpers.offline.engine.workspace.errors import Invalid, NotFound

THERE = ("blue", "green")


@pytest.mark.parametrize(
    ("shares", "mirrored"),
    [({}, {}), ({"blue": 0}, {}), ({"blue": 100}, {}), ({"blue": 90, "green": 10}, {}), ({"blue": 100}, {"green": 50})],
)
def test_traffic_that_can_be(shares, mirrored):
    traffic.check("e", shares, mirrored, THERE)


@pytest.mark.parametrize(
    ("shares", "mirrored", "message"),
    [
        ({"blue": 90}, {}, "add up to 100 per cent, or to 0; blue 90 is 90"),
        ({"blue": 60, "green": 60}, {}, "blue 60, green 60 is 120"),
        ({"blue": -10, "green": 110}, {}, "0 to 100, not -10"),
        ({"blue": 50.5, "green": 49.5}, {}, "whole number of per cent, 0 to 100, not 50.5"),
        ({"red": 100}, {}, "names 'red', which is none of its deployments; they are: blue, green"),
        ({"blue": 100}, {"red": 10}, "mirrored traffic .* names 'red'"),
        ({"blue": 100}, {"green": 51}, "At most 50 per cent"),
        ({"blue": 100}, {"blue": 10}, "'blue' has 100 per cent .* not both"),
        ({}, {"blue": 10, "green": 10}, "to one deployment, not to 2: blue, green"),
    ],
)
def test_traffic_that_cannot_be(shares, mirrored, message):
    with pytest.raises(Invalid, match=message):
        traffic.check("e", shares, mirrored, THERE)


def test_requests_are_shared_out_by_lot():
    random.seed(1)
    got = Counter(traffic.choose("e", {"blue": 90, "green": 10}, None, THERE) for _ in range(2000))
    assert 1740 < got["blue"] < 1860 and set(got) == set(THERE)
    assert {traffic.choose("e", {"blue": 100, "green": 0}, None, THERE) for _ in range(100)} == {"blue"}
    copies = sum(traffic.drawn({"green": 30}, THERE) == ["green"] for _ in range(2000))
    assert 500 < copies < 700
    assert traffic.drawn({"gone": 50}, THERE) == traffic.drawn({"green": 0}, THERE) == []


def test_a_request_may_ask_for_a_deployment_whatever_its_share():
    assert traffic.choose("e", {"blue": 100}, "green", THERE) == "green"
    with pytest.raises(NotFound, match="no deployment 'red'; it has: blue, green"):
        traffic.choose("e", {"blue": 100}, "red", THERE)


def test_nobody_gets_a_request_of_an_endpoint_without_traffic():
    for shares in ({}, {"blue": 0}, {"gone": 100}):
        with pytest.raises(NotFound, match=r"'e' has no deployment with traffic.*blue, green"):
            traffic.choose("e", shares, None, THERE)


def test_a_server_is_kept_until_its_requests_are_answered(tmp_path):
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
    with handover.in_use(tmp_path) as server:
        assert server is None
    handover.point(tmp_path, "1")
    ended = threading.Event()

    def end():
        handover.wait_until_unused(tmp_path / "1", 60)
        ended.set()

    with handover.in_use(tmp_path) as server, handover.in_use(tmp_path) as other:
        assert server == other == tmp_path / "1" / "server.sock"
        handover.point(tmp_path, "2")
        with handover.in_use(tmp_path) as following:
            assert following == tmp_path / "2" / "server.sock"
        threading.Thread(target=end, daemon=True).start()
        assert not ended.wait(0.3)
    wait_until(ended.is_set)
    handover.wait_until_unused(tmp_path / "gone", 60)


def test_a_server_is_not_waited_for_without_end(tmp_path):
    (tmp_path / "1").mkdir()
    handover.point(tmp_path, "1")
    with handover.in_use(tmp_path):
        handover.wait_until_unused(tmp_path / "1", 0.2)
    handover.point(tmp_path, None)
    with handover.in_use(tmp_path) as server:
        assert server is None
