"""From the text of a request to the text of a message.

The order is that of the server: raw size, markup, cleaning, trimming, then the length that counts.
Equal texts of a broadcast are parsed once and share their memory.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import orjson

from tests.sandbox.telegram.entities import Entity, tidy, utf16_length, utf16_slice
from tests.sandbox.telegram.errors import bad_request
from tests.sandbox.telegram.html import parse_html
from tests.sandbox.telegram.markdown import parse_markdown, parse_markdown_v2

TEXT_LIMIT = 4096  # code points after parsing
CAPTION_LIMIT = 1024
RAW_LIMIT_BYTES = 32768

_PARSERS = {"html": parse_html, "markdown": parse_markdown, "markdownv2": parse_markdown_v2}
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2060\u2800\ufeff"


@dataclass(slots=True, eq=False)
class Formatted:
    """A text with its markup read: raw as sent, text as shown, entities as JSON text.

    Shared between messages, so it is never changed; only the store counts its uses. Entities are
    kept as text ("" for none) because objects would weigh more than the message itself.
    """

    raw: str
    text: str
    entities: str
    parse_mode: str  # html, markdown, markdownv2 or ""
    uses: int = 0


@lru_cache(maxsize=256)
def format_text(raw: str, parse_mode: str) -> Formatted:
    """Parse a text; parse_mode in any case. Raises ApiError 400, also for a text of only spaces."""
    mode = parse_mode.lower()
    if mode == "none":
        mode = ""
    if mode and mode not in _PARSERS:
        raise bad_request("unsupported parse_mode")
    check_raw_size(raw)
    text, entities = _PARSERS[mode](raw) if mode else (raw, [])
    return build(raw, text, entities, mode)


def check_raw_size(raw: str) -> None:
    """Refuse what the server does not even parse."""
    if len(raw) * 4 > RAW_LIMIT_BYTES and len(raw.encode()) > RAW_LIMIT_BYTES:
        raise bad_request("text is too long")


def build(raw: str, text: str, entities: list[Entity], mode: str) -> Formatted:
    """Clean and trim a parsed text and fit its entities to it. Raises ApiError 400 if it is empty.

    The entities are changed in place.
    """
    cleaned = _clean(text) if _CONTROL.search(text) else text
    if cleaned is not text:
        _shift_for_removed(text, entities)
    shown = cleaned.strip(" \n")
    if not shown.strip(_INVISIBLE + " \n\u00a0\u3000"):
        raise bad_request("text must be non-empty")
    lead = len(cleaned) - len(cleaned.lstrip(" \n"))
    fitted = _fit(entities, shown, lead)
    if shown == raw:
        shown = raw  # one object instead of two
    shown_entities = [entity.as_json() for entity in tidy(fitted)]
    encoded = orjson.dumps(shown_entities).decode() if shown_entities else ""
    return Formatted(raw, shown, encoded, mode)


def check_length(formatted: Formatted, limit: int, reason: str) -> None:
    """Refuse a text of more code points than the limit."""
    if len(formatted.text) > limit:
        raise bad_request(reason)


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text.replace("\r", ""))


def _shift_for_removed(text: str, entities: list[Entity]) -> None:
    """Move entities to the left for every carriage return that cleaning takes away."""
    if "\r" not in text:
        return
    units = text.encode("utf-16-le", "surrogatepass")
    return_unit = "\r".encode("utf-16-le")
    removed = [at // 2 for at in range(0, len(units), 2) if units[at : at + 2] == return_unit]
    for entity in entities:
        before = sum(at < entity.offset for at in removed)
        inside = sum(entity.offset <= at < entity.end for at in removed)
        entity.offset -= before
        entity.length -= inside


def _fit(entities: list[Entity], text: str, lead: int) -> list[Entity]:
    """Move entities by the trimmed lead, cut what hangs over, drop those that show nothing."""
    total = utf16_length(text)
    kept: list[Entity] = []
    for entity in entities:
        begin = min(max(entity.offset - lead, 0), total)
        end = min(max(entity.end - lead, 0), total)
        entity.offset, entity.length = begin, end - begin
        if entity.length > 0 and utf16_slice(text, entity).strip():
            kept.append(entity)
    return kept
