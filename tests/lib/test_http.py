"""What goes out through the door, and what comes back, over a real socket."""

import gzip
import os
import socket

import pytest

from lib import dial
from lib.context import correlated, correlation_id
from lib.http import (
    BadAnswer,
    HttpDoor,
)
from tests.lib.wire import Wire, answering, door, read_request, response


def test_an_answer_has_status_headers_and_body() -> None:
    with (
        Wire(answering(b'{"a": 1}', status="418 Teapot", headers="X-Kind: Tea\r\n")) as wire,
        door(wire.url) as out,
    ):
        answer = out.request("POST", "pot", json={"b": 2})
    assert (answer.status, answer.json(), answer.headers["x-kind"]) == (418, {"a": 1}, "Tea")


def test_the_request_carries_our_name_and_the_correlation_id() -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(response())

    with Wire(script) as wire, door(wire.url, headers={"X-Own": "1"}) as out, correlated("abc-1"):
        out.request("POST", "/v1/do", json={"b": 2}, params={"q": "x"})
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/do?q=x HTTP/1.1\r\n")
    for line in (b"User-Agent: Switchboard/1", b"X-Correlation-ID: abc-1", b"X-Own: 1"):
        assert line in head.split(b"\r\n")
    assert body == b'{"b": 2}'


@pytest.mark.parametrize("hostile", ["", "a b", "x\r\nEvil: 1", "é", "x" * 200])
def test_a_correlation_id_that_could_do_harm_is_not_sent(hostile: str) -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(response())

    token = correlation_id.set(hostile)
    with Wire(script) as wire, door(wire.url) as out:
        out.request("GET", "/")
    correlation_id.reset(token)
    assert b"Correlation" not in seen[0]
    assert b"Evil" not in seen[0]


def test_a_redirect_is_an_answer() -> None:
    headers = "Location: http://127.0.0.1:1/elsewhere\r\n"
    with Wire(answering(status="302 Found", headers=headers)) as wire, door(wire.url) as out:
        assert out.request("GET", "/").status == 302


def test_when_to_come_again_is_for_the_caller_to_judge() -> None:
    headers = "Retry-After: 0\r\n"
    with Wire(answering(status="503 Busy", headers=headers)) as wire, door(wire.url) as out:
        answer = out.request("GET", "/")
        assert (answer.status, answer.headers["retry-after"]) == (503, "0")
    assert wire.accepted == 1


def test_cookies_are_not_kept() -> None:
    seen: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(response(headers="Set-Cookie: a=b; Path=/\r\n"))

    with Wire(script) as wire, door(wire.url) as out:
        out.request("GET", "/")
        out.request("GET", "/")
    assert b"Cookie" not in seen[1]


def test_a_connection_is_used_again() -> None:
    with Wire(answering()) as wire, door(wire.url) as out:
        for _ in range(5):
            out.request("GET", "/")
        assert wire.accepted == 1


def test_a_connection_idle_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with Wire(answering()) as wire, door(wire.url) as out:
        out.request("GET", "/")
        monkeypatch.setattr(dial, "MAX_IDLE_S", 0.0)
        out.request("GET", "/")
        assert wire.accepted == 2


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_speak_on_the_parents_connection() -> None:
    with Wire(answering()) as wire, door(wire.url) as out:
        out.request("GET", "/")
        child = os.fork()
        if child == 0:
            status = 0
            try:
                status = out.request("GET", "/").status
            finally:
                os._exit(status == 200)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1, "the child was answered"
        assert wire.accepted == 2
        out.request("GET", "/")
        assert wire.accepted == 2, "the parent's connection is as it was"


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with Wire(answering()) as wire, door(wire.url) as out:
        assert out.request("GET", "/").status == 200


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"x" * 2001, ""), (gzip.compress(b"x" * 100_000), "Content-Encoding: gzip\r\n")],
    ids=["plain", "packed"],
)
def test_an_answer_over_the_limit_is_refused(body: bytes, headers: str) -> None:
    with (
        Wire(answering(body, headers=headers)) as wire,
        door(wire.url, max_body_bytes=2000) as out,
        pytest.raises(BadAnswer) as caught,
    ):
        out.request("GET", "/")
    assert (caught.value.status, "larger" in caught.value.reason) == (200, True)


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n[1]")

    with Wire(script) as wire, door(wire.url) as out:
        assert out.request("GET", "/").json() == [1]


def test_an_answer_in_chunks_is_put_together() -> None:
    def script(connection: socket.socket) -> None:
        while read_request(connection):
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head + b"2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n")

    with Wire(script) as wire, door(wire.url) as out:
        assert [out.request("GET", "/").json() for _ in range(2)] == [[1], [1]]
        assert wire.accepted == 1


def test_an_answer_of_exactly_the_limit_is_taken() -> None:
    with Wire(answering(b"x" * 2000)) as wire, door(wire.url, max_body_bytes=2000) as out:
        assert len(out.request("GET", "/").body) == 2000


def test_an_answer_packed_wrongly_is_refused() -> None:
    with (
        Wire(answering(b"not gzip", headers="Content-Encoding: gzip\r\n")) as wire,
        door(wire.url) as out,
        pytest.raises(BadAnswer),
    ):
        out.request("GET", "/")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_an_answer_that_is_not_json_says_so(body: bytes) -> None:
    with Wire(answering(body, status="502 Bad Gateway")) as wire, door(wire.url) as out:
        answer = out.request("GET", "/")
    with pytest.raises(BadAnswer) as caught:
        answer.json()
    assert caught.value.status == 502


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "file:///etc/passwd", "no-scheme", "http://", "http://[x"]
)
def test_an_address_that_is_not_http_is_refused_as_a_value(url: str) -> None:
    with HttpDoor("hooks") as out, pytest.raises(ValueError, match="hooks: no request"):
        out.request("POST", url)


def test_a_door_to_one_service_leads_nowhere_else() -> None:
    with door("http://127.0.0.1:1") as out, pytest.raises(ValueError, match="one service"):
        out.request("GET", "http://example.com/")
