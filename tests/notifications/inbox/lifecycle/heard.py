"""What was published, as a hub hears it."""

import time
from dataclasses import dataclass
from typing import Any

import orjson

from notifications.inbox import keys, publisher

LONG_S = 10.0


@dataclass(frozen=True)
class Heard:
    """One published change. data: what the screens are told."""

    channel: str
    position: int
    prev: int
    kind: str
    notification_id: str
    type: str
    data: dict[str, Any]


class Ear:
    """A subscription to the channels of all inboxes."""

    def __init__(self, pubsub: Any) -> None:
        self._pubsub = pubsub
        pubsub.psubscribe(f"{keys.channel(0).removesuffix('0')}*")
        assert self._message(LONG_S)["type"] == "psubscribe"

    def changes(self, count: int) -> list[Heard]:
        """The next so many changes. Fails if they do not come."""
        return [_heard(self._message(LONG_S)) for _ in range(count)]

    def nothing(self) -> bool:
        """Is there nothing more, once everything that waits in this process was published?"""
        assert publisher.flush(LONG_S)
        return self._pubsub.get_message(timeout=0.05) is None

    def control(self) -> bytes:
        """The next message to all pods."""
        message = self._message(LONG_S)
        assert message["channel"].decode() == keys.CONTROL  # stands among those of the inboxes
        found: bytes = message["data"]
        return found

    def _message(self, within_s: float) -> dict[str, Any]:
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            found: dict[str, Any] | None = self._pubsub.get_message(timeout=0.2)
            if found is not None:
                return found
        raise AssertionError("nothing was published")


def _heard(message: dict[str, Any]) -> Heard:
    head, frame = message["data"].decode().split("\n", 1)
    position, prev, kind, notification_id = head.split(" ")
    said = orjson.loads(frame)
    return Heard(
        message["channel"].decode(), int(position), int(prev), kind, notification_id,
        said["type"], said["data"],
    )  # fmt: skip
