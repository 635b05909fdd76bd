"""What is written to the wire: the bytes that `requests` would write, in one piece."""

import io
import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from lib.http import HttpDoor
from lib.http_request import Letterhead, Unsendable
from tests.lib.wire import Wire, door, read_request, response

BOUNDARY = re.compile(r"[0-9a-f]{32}")

ADDRESSES = [
    "http://example.com",
    "HTTP://Example.COM:80/A%7eb/%c3%a9?q=%41&r=a b#part",
    "https://example.com:8443/a/../b/./c//d;e=1?x",
    "http://example.com/путь/é?ключ=знак&a=[1]",
    "http://bücher.example/%zz/100%",
    "http://user:pa%3Ass%20word@example.com/",
    "http://user@example.com/",
    "http://:secret@example.com/",
    "http://[::1]:8000/a",
    "http://127.1:0/",
    "  http://example.com./?",
    "http://example.com?a=1&a=2",
    "http://example.com/a'b(c)!*$&+,;=:@~",
    'http://example.com/a b"<>\\^`{|}',
]

BELOW = [
    "",
    "/",
    "users/7",
    "//users/",
    "users/../x",
    "./x",
    ".a/b.",
    "é/%7e?b=1",
    "a~b_c-d.e",
    "x#y",
]

QUERIES: list[dict[str, Any] | None] = [
    None,
    {},
    {"q": "a b&c=d/é~", "n": 7, "none": None, "flag": True, "list": ["x", 1, None], "raw": b"\xff"},
    {"none": None},
]

BODIES: list[dict[str, Any]] = [
    {},
    {"json": {"a": [1, 2.5, None, True, "é"]}},
    {"json": []},
    {"data": b"raw \xff"},
    {"data": b""},
    {"data": {"a": "b c", "n": 7, "list": ["é", None, "&"], "none": None}},
    {"data": {}, "json": {"a": 1}},
    {"data": {"a": "1"}, "json": {"b": 2}},
    {"data": {"a": "1"}, "headers": {"content-type": "text/plain"}},
    {"files": {"f": ("näme.txt", b"content", "text/plain")}, "data": {"n": 7, "l": ["a", b"b"]}},
    {"files": {"f": ("a.bin", b"content"), "g": b"plain", "h": "text"}, "json": {"lost": 1}},
    {"files": {"f": ("a.bin", "text", "text/plain", {"X-Part": "1"})}},
    {"headers": {"X-Own": "ü", "accept": "application/json", "X-Empty": ""}},
    {"headers": {"Authorization": "Bearer given"}},
]


def theirs(method: str, url: str, common: dict[str, str], **parts: Any) -> Any:
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update(common)
    return session.prepare_request(requests.Request(method, url, **parts))


def ours(letterhead: Letterhead, method: str, path: str, **parts: Any) -> Any:
    given = {"params": None, "json": None, "data": None, "files": None, "headers": {}, **parts}
    return letterhead.request(method, path, **given)


def normal(prepared: Any, body: bytes | str | None) -> tuple[dict[str, str], bytes | None]:
    """The headers by their small names and the body, with the one boundary that both could draw."""
    found = BOUNDARY.search(prepared.headers.get("Content-Type", ""))
    sent = body.encode() if isinstance(body, str) else body
    headers = {name.lower(): value for name, value in prepared.headers.items()}
    if found is None:
        return headers, sent
    drawn = found[0]
    assert sent is not None
    return (
        {name: value.replace(drawn, "boundary") for name, value in headers.items()},
        sent.replace(drawn.encode(), b"boundary"),
    )


@pytest.mark.parametrize("params", QUERIES)
@pytest.mark.parametrize("url", ADDRESSES)
def test_a_whole_address_leads_where_requests_leads(
    url: str, params: dict[str, Any] | None
) -> None:
    request = ours(Letterhead("", {}), "GET", url, params=params)
    wanted = theirs("GET", url, {}, params=params)
    parts = urlsplit(wanted.url)
    assert request.place.target == wanted.path_url
    assert (request.place.scheme, request.place.host.strip("[]"), request.place.port) == (
        parts.scheme,
        parts.hostname,
        parts.port,
    )
    assert request.headers == dict(wanted.headers)


def test_an_address_of_one_interface_is_a_host() -> None:
    place = ours(Letterhead("", {}), "GET", "http://[FE80::1%25eth0]:81/a").place
    assert place == ("http", "[fe80::1%eth0]", 81, "/a", None)


@pytest.mark.parametrize("params", QUERIES)
@pytest.mark.parametrize("path", BELOW)
@pytest.mark.parametrize(
    "base", ["http://example.com", "https://u:p@example.com:8443/bot12:a_B/", "http://a/b?c=1"]
)
def test_a_path_below_an_address_leads_where_requests_leads(
    base: str, path: str, params: dict[str, Any] | None
) -> None:
    letterhead = Letterhead(base, {})
    wanted = theirs("GET", f"{base.rstrip('/')}/{path.lstrip('/')}", {}, params=params)
    for _ in range(2):  # the second time the address is known
        request = ours(letterhead, "GET", path, params=params)
        assert request.place.target == wanted.path_url
        assert request.headers == dict(wanted.headers)


@pytest.mark.parametrize("parts", BODIES)
@pytest.mark.parametrize("method", ["GET", "head", "POST", "delete"])
def test_headers_and_body_are_those_of_requests(method: str, parts: dict[str, Any]) -> None:
    common = {"Accept": "*/*", "User-Agent": "x"}
    request = ours(Letterhead("http://example.com", common), method, "a", **parts)
    wanted = theirs(method, "http://example.com/a", common, **parts)
    assert request.method == wanted.method
    assert normal(request, request.body) == normal(wanted, wanted.body)


def test_a_file_is_sent_under_its_name(tmp_path: Any) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"a,b")
    with path.open("rb") as one, path.open("rb") as other:
        request = ours(Letterhead("http://a", {}), "POST", "", files={"f": one})
        wanted = theirs("POST", "http://a/", {}, files={"f": other})
    assert normal(request, request.body) == normal(wanted, wanted.body)
    assert b'filename="report.csv"' in (request.body or b"")
    nameless = ours(Letterhead("http://a", {}), "POST", "", files={"f": io.BytesIO(b"x")})
    assert b'filename="f"' in (nameless.body or b"")


def test_a_form_of_nothing_is_an_empty_body() -> None:
    request = ours(Letterhead("http://a", {}), "POST", "", data={"a": None})
    assert (request.body, request.headers["Content-Length"]) == (b"", "0")


def test_a_header_of_a_call_stands_for_that_of_the_door_in_any_case() -> None:
    letterhead = Letterhead("http://a", {"Accept": "*/*", "ACCEPT": "text/plain", "X-Own": "1"})
    request = ours(letterhead, "GET", "", headers={"accept": "application/json"})
    assert request.headers == {"accept": "application/json", "X-Own": "1"}
    assert ours(letterhead, "GET", "").headers == {"ACCEPT": "text/plain", "X-Own": "1"}


@pytest.mark.parametrize(
    "parts",
    [
        {"headers": {"X-Own": "a\r\nEvil: 1"}},
        {"headers": {"X-Own": "a\n"}},
        {"headers": {"X-Own": " a"}},
        {"headers": {"X-Own": "Привет"}},
        {"headers": {"X Own:": "a"}},
        {"headers": {"Ключ": "a"}},
        {"json": float("nan")},
        {"params": {"a": "\ud800"}},
        {"data": {"a": "\ud800"}},
        {"files": {"f": b"a"}, "data": b"b"},
    ],
)
def test_what_cannot_be_sent_is_refused_as_a_value(parts: dict[str, Any]) -> None:
    with HttpDoor("hooks", "http://127.0.0.1:1") as out:
        with pytest.raises(ValueError, match="hooks: no request") as caught:
            out.request("POST", "/", **parts)
        assert caught.value.__context__ is None, "what was given could be told by it"


@pytest.mark.parametrize(
    "url", ["http://*.example.com/", "http://.example.com/", "http://a:99999/", "http://ѣ\u200b/"]
)
def test_an_address_without_a_valid_host_is_refused(url: str) -> None:
    with pytest.raises(Unsendable):
        ours(Letterhead("", {}), "GET", url)


@pytest.mark.parametrize(("length", "pieces"), [(10, 1), (200_000, 2)])
def test_a_short_request_is_written_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, length: int, pieces: int
) -> None:
    seen: list[bytes] = []
    written: list[int] = []
    sendall = socket.socket.sendall

    def script(connection: socket.socket) -> None:
        for _ in range(2):
            seen.append(read_request(connection))
            sendall(connection, response())

    def noted(sock: socket.socket, data: Any, *flags: int) -> None:
        written.append(len(data))
        sendall(sock, data, *flags)

    monkeypatch.setattr(socket.socket, "sendall", noted)
    with Wire(script) as wire, door(wire.url) as out:
        for _ in range(2):
            out.request("POST", "/", data=b"x" * length)
    assert [request.partition(b"\r\n\r\n")[2] for request in seen] == [b"x" * length] * 2
    assert len(written) == 2 * pieces
    assert sum(written) == sum(map(len, seen))
