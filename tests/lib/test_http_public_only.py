"""A door for addresses of strangers: nothing inside is dialled, whatever the name says."""

import socket
import ssl
from typing import Any

import pytest

from lib.http import (
    AddressRefused,
    HttpDoor,
    Unreachable,
)
from tests.lib.wire import Wire, answering, read_request, response


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", "2130706433", "127.1", "[::1]"]
)
def test_a_public_door_does_not_dial_inside(host: str) -> None:
    with Wire(answering()) as wire, HttpDoor("hooks", public_only=True) as out:
        with pytest.raises(AddressRefused):
            out.request("POST", f"http://{host}:{wire.port}/")
        assert wire.accepted == 0


def test_a_name_that_leads_inside_is_refused_when_dialling(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve_to(monkeypatch, ["10.0.0.8", "::ffff:127.0.0.1", "169.254.169.254"])
    with HttpDoor("hooks", public_only=True) as out, pytest.raises(AddressRefused):
        out.request("POST", "https://hook.example/")
    assert asked == ["hook.example"]


def test_the_address_that_was_checked_is_the_one_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    # The second answer of the resolver would lead elsewhere; nobody asks for it.
    asked = resolve_to(monkeypatch, ["10.0.0.8", "127.0.0.1"], ["127.0.0.9"])
    checked: list[str] = []
    seen: list[bytes] = []

    def permits(address: str) -> bool:
        checked.append(address)
        return address == "127.0.0.1"

    def script(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(response())

    with Wire(script) as wire, HttpDoor("hooks") as out:
        monkeypatch.setattr(out, "_permits", permits)
        assert out.request("POST", f"http://hook.example:{wire.port}/in").status == 200
    assert asked == ["hook.example"]
    assert checked == ["10.0.0.8", "127.0.0.1"]
    assert f"Host: hook.example:{wire.port}".encode() in seen[0], (
        "the name stays in the Host header"
    )


def test_the_name_stays_in_the_tls_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"])
    names: list[str | None] = []

    def script(connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = lambda _, name, __: names.append(name)
        with pytest.raises(ssl.SSLError):  # the server has no certificate: the name is all we want
            context.wrap_socket(connection, server_side=True)

    with Wire(script) as wire, HttpDoor("hooks") as out, pytest.raises(Unreachable):
        out.request("POST", f"https://hook.example:{wire.port}/")
    assert names == ["hook.example"]


def test_a_dead_first_address_leaves_time_for_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, ["127.0.0.9", "127.0.0.1"])  # nobody listens on the first
    with Wire(answering()) as wire, HttpDoor("hooks") as out:
        assert out.request("POST", f"http://hook.example:{wire.port}/").status == 200


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the resolver answer with these addresses, call by call; returns the names asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked
