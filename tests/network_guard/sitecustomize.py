"""Refuses every connection outside loopback, in each Python process that the tests start (and in pytest's own).

tests/conftest.py puts this folder on PYTHONPATH, where Python finds a `sitecustomize` at its start. A refusal is also
written to the file that NETWORK_GUARD_LOG names, so that a test fails even where its error was caught.

It also lets Python look for garbage less often, and not at the end: a fifth of all the tests' time went into that. And
what costs a second or two and serves no test is as if it were not installed: for jsonschema, which comes with
notebooks, its grammar of addresses; for Keras, while it is imported, what it takes tables and draws with.
"""

import atexit
import gc
import ipaddress
import os
import socket
import sys

_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
_sendto, _sendmsg = socket.socket.sendto, socket.socket.sendmsg
_gethostbyname, _gethostbyname_ex = socket.gethostbyname, socket.gethostbyname_ex


def _refuse(host):
    message = f"tests open no connection outside loopback: {host} was asked for by {sys.argv[:3]}"
    log = os.environ.get("NETWORK_GUARD_LOG")
    if log:
        with open(log, "a") as file:  # noqa: PTH123 - pathlib is not imported for this
            file.write(message + "\n")
    raise ConnectionRefusedError(message)


def _check(host):
    if not isinstance(host, str) or host in ("", "localhost"):
        return
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        _refuse(host)  # a name that would have to be looked up
    if not address.is_loopback and not address.is_unspecified:
        _refuse(host)


def _check_address(sock, address):
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        _check(address[0])


def _check_name(host):
    if host not in (None, socket.gethostname()):
        _check(host.decode() if isinstance(host, bytes) else host)


def connect(self, address):
    _check_address(self, address)
    return _connect(self, address)


def connect_ex(self, address):
    _check_address(self, address)
    return _connect_ex(self, address)


def getaddrinfo(host, *args, **kwargs):
    _check_name(host)
    return _getaddrinfo(host, *args, **kwargs)


def sendto(self, data, *rest):
    _check_address(self, rest[-1])
    return _sendto(self, data, *rest)


def sendmsg(self, buffers, ancdata=(), flags=0, address=None):
    if address is not None:
        _check_address(self, address)
    return _sendmsg(self, buffers, ancdata, flags, *([] if address is None else [address]))


def gethostbyname(host):
    _check_name(host)
    return _gethostbyname(host)


def gethostbyname_ex(host):
    _check_name(host)
    return _gethostbyname_ex(host)


socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = connect, connect_ex, getaddrinfo
socket.socket.sendto, socket.socket.sendmsg = sendto, sendmsg
socket.gethostbyname, socket.gethostbyname_ex = gethostbyname, gethostbyname_ex


class KerasDoesWithout:
    """Finds nothing, and says at once of a few modules that they are missing, as long as Keras is being imported."""

    NAMES = frozenset({"sklearn", "pandas", "pyarrow", "matplotlib.pyplot", "IPython"})

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in cls.NAMES and getattr(getattr(sys.modules.get("keras"), "__spec__", None), "_initializing", False):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, KerasDoesWithout)
sys.modules["rfc3987_syntax"] = None
gc.set_threshold(100_000, 50, 1_000)
atexit.register(gc.freeze)
