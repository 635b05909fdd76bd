"""One request over a real socket: what is sent, what is kept of an answer, when it is given up."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from notifications.webhooks.wire import KEPT_BYTES, Reply, Wire
from tests.notifications.webhooks.receiver import Answer, Receiver

pytestmark = pytest.mark.unit


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire(lambda _: True)
    yield made
    made.close()


@pytest.fixture
def plain() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def post(wire: Wire, url: str, *, timeout_s: float = 10, body: bytes = b"{}") -> Reply:
    return wire.post(url, body, {"webhook-id": "msg_1"}, timeout_s=timeout_s)


@contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads one request and answers as the test says, byte by byte if it wants."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                speak(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        stack.callback(thread.join)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def test_a_request_carries_its_headers_and_its_body_as_it_is(wire: Wire, plain: Receiver) -> None:
    reply = post(wire, plain.url("/a?b=c"), body='{"ä": 1}'.encode())
    assert (reply.status, reply.error) == (204, "")
    (request,) = plain.received
    assert request.body == '{"ä": 1}'.encode()
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["User-Agent"].startswith("Switchboard/")
    assert "Cookie" not in request.headers
    assert "Authorization" not in request.headers


def test_a_connection_is_used_again(wire: Wire, plain: Receiver) -> None:
    for _ in range(5):
        post(wire, plain.url())
    assert plain.connections == 1


def test_a_cookie_is_not_sent_back(wire: Wire, plain: Receiver) -> None:
    plain.default["/"] = Answer(204, {"Set-Cookie": "session=1"})
    post(wire, plain.url())
    post(wire, plain.url())
    assert "Cookie" not in plain.received[1].headers


@pytest.mark.parametrize("size", [0, 1, KEPT_BYTES, KEPT_BYTES + 1, 300_000])
def test_of_a_body_the_beginning_is_kept(wire: Wire, plain: Receiver, size: int) -> None:
    plain.default["/"] = Answer(200, body=b"x" * size)
    reply = post(wire, plain.url())
    assert (reply.status, len(reply.body)) == (200, min(size, KEPT_BYTES))


def test_a_packed_body_is_kept_as_it_came(wire: Wire, plain: Receiver) -> None:
    plain.default["/"] = Answer(200, {"Content-Encoding": "gzip"}, b"not gzip at all")
    assert post(wire, plain.url()).body == b"not gzip at all"


def test_an_answer_that_drips_is_given_up_at_the_deadline(wire: Wire) -> None:
    is_over = threading.Event()

    def drip(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not is_over.wait(0.05):
                connection.sendall(b"X-Drop: 1\r\n")
        except OSError:
            return  # it was cut, as it should be

    with speaking(drip) as url:
        reply = post(wire, url, timeout_s=0.5)
        is_over.set()
    assert (reply.status, reply.error) == (None, "no answer in time")


def test_a_body_that_breaks_off_leaves_the_status(wire: Wire) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with speaking(lambda connection: connection.sendall(head)) as url:
        reply = post(wire, url)
    assert reply.status == 200


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"], ids=str)
def test_an_answer_that_is_none_is_a_cut_connection(wire: Wire, said: bytes) -> None:
    with speaking(lambda connection: connection.sendall(said)) as url:
        reply = post(wire, url)
    assert (reply.status, reply.error) == (None, "the connection was cut before the answer")


def test_a_port_where_nobody_listens_is_a_refusal(wire: Wire, closed_port: int) -> None:
    reply = post(wire, f"http://127.0.0.1:{closed_port}/")
    assert (reply.status, reply.error) == (None, "connection refused")


def test_a_name_that_is_not_there_is_said_so(wire: Wire) -> None:
    assert post(wire, "https://no.such.name.invalid/").error == "name not found"


def test_a_receiver_without_tls_is_told_as_tls(wire: Wire, plain: Receiver) -> None:
    reply = post(wire, plain.url().replace("http://", "https://"))
    assert reply.status is None
    assert reply.error.startswith("TLS failed")
    assert plain.received == []


def test_every_address_is_judged_before_it_is_dialled(plain: Receiver) -> None:
    judged: list[str] = []

    def refuse(address: str) -> bool:
        judged.append(address)
        return False

    wire = Wire(refuse)
    reply = post(wire, plain.url(host="localhost"))
    wire.close()
    assert (reply.error, reply.is_refused) == ("the address is not public", True)
    assert set(judged) <= {"127.0.0.1", "::1"}
    assert judged
    assert plain.received == []
