"""How webhooks are sent: connections that are kept, and receivers that keep none or talk nonsense."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox.sending import PostFailed, post, post_within
from tests.sandbox_tests.cryptopay import PayApp

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def answered(*answers: bytes, sends: int) -> tuple[list[int | str], int]:
    """Statuses or errors of some POSTs, and over how many connections they came.

    A connection gives one answer after the other; b"" ends it, as does the end of the answers.
    """
    connections = 0
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while left and await reader.readuntil(b"\r\n\r\n{}"):
            answer = left.pop(0)
            if not answer:
                break
            writer.write(answer)
            if b"close" in answer:
                break
        writer.close()

    async def send_all() -> list[int | str]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        found: list[int | str] = []
        for _ in range(sends):
            try:
                found.append(await post_within(5, url, b"{}", {"Content-Type": "application/json"}))
            except PostFailed as error:
                found.append(str(error).partition(":")[0])
        server.close()
        return found

    return asyncio.run(send_all()), connections


def test_a_connection_that_stays_open_is_used_again() -> None:
    with_body = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
    assert answered(EMPTY, with_body, EMPTY, sends=3) == ([200, 503, 200], 1)


def test_a_connection_is_opened_anew_where_the_receiver_closes_it() -> None:
    says_so = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    without_length = b"HTTP/1.1 204 No Content\r\nX-Will: close\r\n\r\n"
    assert answered(says_so, without_length, EMPTY, sends=3) == ([200, 204, 200], 3)


def test_a_receiver_who_hangs_up_or_talks_nonsense_has_not_answered() -> None:
    nonsense = b"hello\r\n\r\n"
    expected = ["IncompleteReadError", "ValueError", 200]
    assert answered(b"", nonsense, EMPTY, sends=3) == (expected, 3)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no http address"):
        asyncio.run(post("ftp://127.0.0.1/", b"", {}))


def test_many_are_paid_in_one_call_each_for_himself(sandbox: Sandbox) -> None:
    app = PayApp(sandbox)
    first, second = (app.order()["invoice_id"] for _ in range(2))
    orders = [
        {"invoice_ids": [first], "amount": "6"},
        {"invoice_ids": [999_999]},
        {"invoice_ids": [second], "silence": True},
        {"invoice_ids": [second], "silent": True},
    ]
    made = sandbox.pay._call("POST", "cryptopay/pay", {"orders": orders})["orders"]
    assert made[0]["invoices"][0]["paid_amount"] == "6"
    assert made[1] == {"error": "there is no invoice 999999"}
    assert made[2]["error"].startswith("silence is unknown")
    assert made[3]["update_ids"] == [None]
    with pytest.raises(SandboxFailed, match="stand alone"):
        sandbox.pay._call("POST", "cryptopay/pay", {"orders": [], "late": True})
    app.http.close()


def test_what_waits_is_told_of_every_service(sandbox: Sandbox) -> None:
    app = PayApp(sandbox)
    assert sandbox.pay._call("GET", "waits") == {"telegram": 0, "remnawave": 0, "cryptopay": 0}
    sandbox.pay.webhooks_to("http://127.0.0.1:9/hook", held=True)
    sandbox.pay.pay(app.order()["invoice_id"])
    assert sandbox.pay._call("GET", "waits")["cryptopay"] == 1
    app.http.close()
