"""What Postgres can store: no NUL characters, and no halves of letters (lone surrogates).

Where the caller can be told they are refused (jobs/specs.py); where a job has run they are dropped.
"""

import re
from typing import Any

import orjson

# In JSON; before it there may be backslashes that stand for themselves.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_TEXT = re.compile("[^\x00\ud800-\udfff]*")


def is_storable(text: str) -> bool:
    """Can Postgres store the text as it is?"""
    return _TEXT.fullmatch(text) is not None


def storable(text: str) -> str:
    """The text without what Postgres cannot store."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def holds_nul(json: bytes) -> bool:
    """Does a text in this JSON hold a NUL character? It is escaped there."""
    return _NUL.search(json) is not None


def json_storable(value: Any, option: int = 0) -> str:
    """The value as JSON without NUL characters. Raises TypeError for what is not JSON."""
    return _NUL.sub(rb"\1", orjson.dumps(value, option=option)).decode()
