"""Which events there are. An app registers what it emits in its AppConfig.ready().

event_type_register("broadcast.completed", "A broadcast has been sent", {"id": "0192...", ...})
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEST = "webhook.test"  # what a ping sends

# Full stops part the words, as the Standard Webhooks specification advises (1.0.0, "Event types").
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event: its stable name, what it means, and `data` as receivers would see it."""

    name: str
    title: str
    example: Mapping[str, Any]


_types: dict[str, EventType] = {}


def event_type_register(name: str, title: str, example: Mapping[str, Any]) -> None:
    """Make a type known: endpoints can choose it from now on. Repeating the same changes nothing.

    example: the `data` of such an event; it is shown to people and must be JSON.
    Raises ValueError for a name that is not like `thing.happened`, or is taken by another type.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise ValueError(f"{name!r} is no event type: write it like thing.happened")
    made = EventType(name, title, json.loads(json.dumps(example)))
    if _types.get(name, made) != made:
        raise ValueError(f"two event types are called {name}")
    _types[name] = made


def event_type_find(name: str) -> EventType | None:
    """The type of this name, if somebody registered it."""
    return _types.get(name)


def event_types() -> list[EventType]:
    """All types, by name."""
    return [_types[name] for name in sorted(_types)]


event_type_register(
    TEST, "A test, sent by a person", {"message": "This is a test.", "sent_by": "anna"}
)
