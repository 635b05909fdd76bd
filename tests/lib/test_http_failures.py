"""What surely did not arrive, and what nobody can know."""

import socket
import threading
from typing import Any

import pytest

from lib.http import (
    OutcomeUnknown,
    Unreachable,
)
from tests.lib.wire import Wire, answering, door, read_request, reset, response, silent


def test_a_refused_connection_is_unreachable(refused_port: int) -> None:
    with door(f"http://127.0.0.1:{refused_port}") as out, pytest.raises(Unreachable) as caught:
        out.request("POST", "/")
    assert caught.value.reason == "connection refused"


def test_a_name_that_does_not_exist_is_unreachable() -> None:
    with door("http://no-such-host.invalid") as out, pytest.raises(Unreachable) as caught:
        out.request("POST", "/")
    assert caught.value.reason == "name not found"


def test_a_connect_timeout_is_unreachable() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        while True:  # fill the queue of connections that nobody accepts
            one = socket.socket()
            one.settimeout(0.2)
            waiting.append(one)
            try:
                one.connect(full.getsockname())
            except TimeoutError:
                break
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with door(url, connect_timeout_s=0.2) as out, pytest.raises(Unreachable) as caught:
            out.request("POST", "/")
        for one in waiting:
            one.close()
    assert caught.value.reason == "connect timeout"


def test_a_tls_handshake_that_gets_no_answer_is_unreachable() -> None:
    with Wire(silent) as wire:
        url = wire.url.replace("http:", "https:")
        with door(url, connect_timeout_s=0.3) as out, pytest.raises(Unreachable):
            out.request("POST", "/")


def test_a_tls_handshake_with_a_server_that_speaks_no_tls_is_unreachable() -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with (
        Wire(script) as wire,
        door(wire.url.replace("http:", "https:")) as out,
        pytest.raises(Unreachable) as caught,
    ):
        out.request("POST", "/")
    assert caught.value.reason == "TLS failed"


def test_a_tls_handshake_cut_by_a_reset_is_unreachable() -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        reset(connection)

    with (
        Wire(script) as wire,
        door(wire.url.replace("http:", "https:")) as out,
        pytest.raises(Unreachable),
    ):
        out.request("POST", "/")


def test_a_connection_that_the_server_closed_meanwhile_is_replaced() -> None:
    closed = threading.Event()

    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(response())
        connection.close()
        closed.set()

    with Wire(once, answering(b"[2]")) as wire, door(wire.url) as out:
        out.request("POST", "/")
        assert closed.wait(5)
        assert out.request("POST", "/").json() == [2]


def test_silence_after_the_request_leaves_the_outcome_unknown() -> None:
    with (
        Wire(silent) as wire,
        door(wire.url, read_timeout_s=0.2) as out,
        pytest.raises(OutcomeUnknown) as caught,
    ):
        out.request("POST", "/", json={})
    assert caught.value.reason == "no answer in time"


@pytest.mark.parametrize("hang_up", [reset, socket.socket.close])
def test_a_cut_after_the_request_leaves_the_outcome_unknown(hang_up: Any) -> None:
    def script(connection: socket.socket) -> None:
        read_request(connection)
        hang_up(connection)

    with Wire(script) as wire, door(wire.url) as out, pytest.raises(OutcomeUnknown) as caught:
        out.request("POST", "/", json={})
    assert caught.value.reason == "the connection was cut before the answer"
    assert wire.accepted == 1, "the door must not try again by itself"


def test_a_stale_pooled_connection_that_is_reset_leaves_the_outcome_unknown() -> None:
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(response())
        connection.recv(1)  # the second request has begun to arrive
        reset(connection)

    with Wire(script) as wire, door(wire.url) as out:
        out.request("POST", "/")
        with pytest.raises(OutcomeUnknown):
            out.request("POST", "/", json={"pay": 1})
        assert wire.accepted == 1, "the second request went over the pooled connection"


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
    ids=["in the status", "in a header", "after the headers", "in the body", "between chunks"],
)
def test_a_cut_in_the_middle_of_the_answer_leaves_the_outcome_unknown(beginning: bytes) -> None:
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(beginning)

    with Wire(script) as wire, door(wire.url) as out, pytest.raises(OutcomeUnknown):
        out.request("POST", "/", json={})


@pytest.mark.parametrize(
    "beginning",
    [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["in the head", "in the body"],
)
def test_an_answer_that_drips_ends_at_the_total_timeout(beginning: bytes) -> None:
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(beginning)
        stop = threading.Event()
        while not stop.wait(0.02):
            connection.sendall(b"x")

    with (
        Wire(script) as wire,
        door(wire.url, total_timeout_s=0.5) as out,
        pytest.raises(OutcomeUnknown) as caught,
    ):
        out.request("GET", "/")
    assert caught.value.reason == "no answer in time"
