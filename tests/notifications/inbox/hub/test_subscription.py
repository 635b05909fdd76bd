"""Reading Redis' connection: whatever way the bytes are cut, the messages are the same."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.inbox.hub.subscription import _Reader

pytestmark = pytest.mark.unit

Told = list[tuple[bytes, bytes]]


def _array(*words: bytes | int) -> bytes:
    parts = [
        b":%d\r\n" % w if isinstance(w, int) else b"$%d\r\n%b\r\n" % (len(w), w) for w in words
    ]
    return b"*%d\r\n" % len(words) + b"".join(parts)


def _read(stream: bytes, cuts: list[int]) -> tuple[Told, Told]:
    messages: Told = []
    words: Told = []
    reader = _Reader(
        lambda channel, payload: messages.append((channel, payload)),
        lambda word, channel: words.append((word, channel)),
    )
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for begin, end in itertools.pairwise(edges):
        if begin < end:
            reader.data_received(stream[begin:end])
    return messages, words


channels = st.text("abc:0", min_size=1, max_size=6).map(str.encode)
payloads = st.binary(max_size=40) | st.sampled_from(
    [b"\r\n", b"*3\r\n$7\r\nmessage\r\n", b"$-1\r\n"]
)


@given(st.lists(st.tuples(channels, payloads), max_size=8), st.lists(st.integers(0), max_size=10))
def test_messages_survive_any_cut(sent: Told, cuts: list[int]) -> None:
    stream = _array(b"subscribe", b"a", 1) + b"".join(_array(b"message", *each) for each in sent)
    stream += _array(b"pong", b"") + _array(b"unsubscribe", b"a", 0)
    messages, words = _read(stream, cuts)
    assert messages == sent
    assert words == [(b"subscribe", b"a"), (b"pong", b""), (b"unsubscribe", b"a")]


@pytest.mark.parametrize("stream", [b"-NOAUTH Authentication required.\r\n", b"+PONG\r\n"])
def test_an_error_or_a_status_stops_nothing(stream: bytes) -> None:
    messages, words = _read(stream + _array(b"message", b"a", b"b"), [])
    assert messages == [(b"a", b"b")]
    assert words == [(stream.strip(), b"")]
