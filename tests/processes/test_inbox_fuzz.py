"""Nothing that a client sends harms anybody else.

INBOX_FUZZ_S=60 makes a long run, INBOX_FUZZ_SEED repeats one.
"""

import json
import os
import random
import socket
import struct
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.processes.pod import Pod
from tests.processes.post import Post
from tests.processes.site import Site
from tests.processes.sockets import AWAY, Person, Socket
from tests.processes.waiting import until

pytestmark = pytest.mark.process

FUZZ_S = float(os.environ.get("INBOX_FUZZ_S", "10"))
SEED = int(os.environ.get("INBOX_FUZZ_SEED", random.SystemRandom().randrange(10**9)))
CALM: Person = (901, "calm")
WILD: Person = (902, "wild")
KINDS = (
    "notification.read",
    "sync.request",
    "retention.set",
    "ping",
    "notification.push",
    "",
    "🙂",
)
FIELDS = ("notification_id", "stream_id", "limit", "before", "days", "type", "data", "\0", "x")


@pytest.fixture(scope="module")
def pod(scratch_site: Site) -> Iterator[Pod]:
    pod = Pod(scratch_site, "fuzzed")
    try:
        yield pod.wait_ready()
    finally:
        pod.end()


@pytest.mark.timeout(FUZZ_S + 120)
def test_whatever_clients_send_the_others_are_served(site: Site, pod: Pod) -> None:
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    ids = [pod.notify(f"prey {n}", WILD)[0] for n in range(3)]
    foreign = pod.notify("not yours", (903, "else"))[0]
    acts: list[Callable[[Pod, random.Random, list[str]], None]] = [_talk, _talk, _break, _vanish]
    began_at = site.value("SELECT clock_timestamp()")
    over = "SELECT clock_timestamp() > %s + make_interval(secs => %s)"
    post = Post(lambda: [pod], [CALM, WILD], pace_s=0.02)
    with Socket(pod, CALM) as calm:
        calm.session()
        while not site.value(over, [began_at, FUZZ_S]):
            chance.choice(acts)(pod, chance, [*ids, foreign])
        accepted = post.stop()
        assert accepted
        until(lambda: set(calm.texts()) >= set(accepted), "the calm one has heard everything")
        calm.say("ping")
        calm.wait_for("pong")
        assert calm.error_codes() == []
    errors = pod.errors()
    print(*errors, sep="\n")
    assert errors == []
    state = pod.ask("GET", f"/api/v1/notify/{foreign}")[1]["state"]
    assert state == "unread", "a foreign one was touched"
    until(lambda: pod.metric("websocket_connections") == 0, "no socket is left behind")


def test_a_refused_message_and_a_close_in_one_packet_are_no_fault_of_ours(
    pod: Pod,
) -> None:
    binary = bytes((0x82, 0x80 | 3)) + b"\0" * 4 + b"abc"  # closes: not text
    close = bytes((0x88, 0x80)) + b"\0" * 4
    with socket.create_connection(("127.0.0.1", pod.port), timeout=30) as raw:
        raw.sendall(_handshake(pod))
        heard = b""
        while b'"session"' not in heard:
            heard += raw.recv(65_536)
        raw.sendall(binary + close)
        while raw.recv(65_536):
            pass
    assert pod.errors() == []


def _talk(pod: Pod, chance: random.Random, ids: list[str]) -> None:
    """A client that speaks WebSocket, and nonsense."""
    with Socket(pod, WILD) as wild:
        try:
            for _ in range(chance.randrange(1, 60)):
                wild.say_raw(_message(chance, ids))
        except ConnectionClosed:
            return


def _message(chance: random.Random, ids: list[str]) -> str | bytes:
    pick = chance.random()
    if pick < 0.02:
        return chance.randbytes(chance.randrange(200))  # closes: not text
    if pick < 0.03:
        return "x" * chance.choice([65_537, 1_000_000])  # closes: too large
    if pick < 0.2:
        return chance.randbytes(chance.randrange(40)).decode("latin-1")
    if pick < 0.3:
        return chance.choice('[{"') * chance.randrange(1, 20_000)
    data = {chance.choice(FIELDS): _value(chance, ids, 2) for _ in range(chance.randrange(4))}
    message = {"type": chance.choice(KINDS), "data": data if pick < 0.9 else _value(chance, ids, 2)}
    text = json.dumps(message)
    return text[: chance.randrange(len(text))] if pick > 0.97 else text


def _value(chance: random.Random, ids: list[str], depth: int) -> object:
    plain = [
        *ids, str(uuid4()), "", "\0", "0-0", "9" * 30 + "-0", -1, 0, 7, 100, 101, 2**63, 2**70,
        1.5, 1e308, True, None, "urn:uuid:" + ids[0], ids[0].upper(), "{" + ids[0] + "}", "й" * 50,
    ]  # fmt: skip
    if depth and chance.random() < 0.2:
        return [_value(chance, ids, depth - 1) for _ in range(chance.randrange(4))]
    if depth and chance.random() < 0.2:
        return {"x": _value(chance, ids, depth - 1)}
    return chance.choice(plain)


def _break(pod: Pod, chance: random.Random, ids: list[str]) -> None:
    """A client that speaks broken WebSocket: wrong masks, lengths, opcodes, fragments."""
    del ids
    with socket.create_connection(("127.0.0.1", pod.port), timeout=30) as raw:
        raw.sendall(_handshake(pod))
        raw.recv(65_536)
        try:
            for _ in range(chance.randrange(1, 20)):
                raw.sendall(_frame(chance))
        except OSError:
            return


def _frame(chance: random.Random) -> bytes:
    payload = chance.randbytes(chance.randrange(60))
    first = chance.choice([0x81, 0x81, 0x01, 0x80, 0x82, 0x88, 0x89, 0x8A, 0xC1, 0x83, 0xFF])
    if chance.random() < 0.1:
        return struct.pack("!BBQ", first, 0xFF, 2**62) + payload  # says that it is enormous
    masked = 0x80 if chance.random() < 0.8 else 0
    return bytes((first, masked | len(payload))) + (b"\0" * 4 if masked else b"") + payload


def _vanish(pod: Pod, chance: random.Random, ids: list[str]) -> None:
    """A client that is gone at some moment, without a word or with half of one."""
    del ids
    handshake = _handshake(pod)
    with socket.create_connection(("127.0.0.1", pod.port), timeout=30) as raw:
        linger = struct.pack("ii", 1, 0)  # a reset instead of an end
        if chance.random() < 0.5:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        try:
            raw.sendall(handshake[: chance.randrange(len(handshake) + 1)])
            if chance.random() < 0.5:
                raw.settimeout(0.05)
                raw.recv(chance.randrange(1, 500))
        except AWAY:
            return


def _handshake(pod: Pod) -> bytes:
    return (
        f"GET /ws?user_id={WILD[0]}&login={WILD[1]} HTTP/1.1\r\nHost: 127.0.0.1:{pod.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
