"""No test reaches anything outside loopback, by whatever call, and it fails even where it caught the refusal."""

import socket

import pytest

OUTSIDE = "192.0.2.1"  # belongs to nobody (RFC 5737)


@pytest.mark.parametrize(
    "call",
    [
        lambda stream, datagrams: stream.connect((OUTSIDE, 9)),
        lambda stream, datagrams: stream.connect_ex((OUTSIDE, 9)),
        lambda stream, datagrams: datagrams.sendto(b"x", (OUTSIDE, 9)),
        lambda stream, datagrams: datagrams.sendto(b"x", 0, (OUTSIDE, 9)),
        lambda stream, datagrams: datagrams.sendmsg([b"x"], [], 0, (OUTSIDE, 9)),
        lambda stream, datagrams: socket.getaddrinfo(OUTSIDE, 9),
        lambda stream, datagrams: socket.gethostbyname(OUTSIDE),
        lambda stream, datagrams: socket.gethostbyname_ex(OUTSIDE),
    ],
)
def test_what_leads_outside_is_refused_and_noted(tmp_path, monkeypatch, call):
    log = tmp_path / "refused.txt"
    monkeypatch.setenv("NETWORK_GUARD_LOG", str(log))
    stream, datagrams = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
    with stream, datagrams, pytest.raises(ConnectionRefusedError, match=OUTSIDE):
        call(stream, datagrams)
    assert OUTSIDE in log.read_text()


def test_loopback_can_be_reached():
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        one.sendto(b"first", other.getsockname())
        one.sendmsg([b"second"], [], 0, other.getsockname())
        one.connect(other.getsockname())
        one.sendmsg([b"third"])
        assert [other.recv(10) for _ in range(3)] == [b"first", b"second", b"third"]
    assert socket.gethostbyname("localhost") == "127.0.0.1"
