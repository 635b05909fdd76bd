"""Frames as RFC 6455 wants them, read by the library that clients use."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from notifications.inbox.hub.tide import Tide
from notifications.inbox.hub.wire import encode

pytestmark = pytest.mark.unit


def _parsed(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    frame: Frame = done.value.value
    return frame


@given(st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000]))
def test_a_frame_of_any_length_is_read_as_it_was_written(size: int) -> None:
    text = b"x" * size
    frame = _parsed(encode(text))
    assert (frame.opcode, frame.fin, frame.data) == (Opcode.TEXT, True, text)


def test_one_that_fails_keeps_nobody_else_from_being_flushed() -> None:
    flushed: list[str] = []

    class Vessel:
        def __init__(self, name: str) -> None:
            self.name = name

        def flush(self) -> None:
            flushed.append(self.name)
            if self.name == "broken":
                raise ValueError(self.name)

    async def scenario() -> list[str]:
        failures: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(str(context["exception"])))
        tide = Tide()
        for name in ("first", "broken", "last"):
            tide.rise(Vessel(name))
        for _ in range(5):
            await asyncio.sleep(0)
        return failures

    assert asyncio.run(scenario()) == ["broken"]
    assert flushed == ["first", "broken", "last"]
