"""Telegram HTML as a row of cells: each visible character with the tags that stand around it.

On such a row cutting is slicing: no cut can fall into a tag or an entity, and tags are written
anew from the cells, so that whatever is rendered is well-formed.

The rules are those of the server (tdlib/td, MessageEntity.cpp, parse_html, 2026-07-17): which tags
there are, that only four named entities and short numeric ones are decoded, that the semicolon
after an entity may be missing, that a bare "&" is a character. Where the server is lenient about
odd spelling (`<b/ >`, an attribute without a tag's end), this parser refuses: never the reverse.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_TAGS = re.compile(
    "a|b|strong|i|em|u|ins|s|strike|del|span|tg-spoiler|code|pre|blockquote|tg-emoji|tg-time"
)
_SPACE = r"[ \t\r\n\v]"
_ATTRIBUTE = (
    rf"{_SPACE}+[^ \t\r\n\v=>/\"'<]+"
    rf"(?:{_SPACE}*={_SPACE}*(?:\"[^\"]*\"|'[^']*'|[A-Za-z0-9.\-]+))?"
)
_TOKEN = re.compile(
    rf"<(?P<start>[A-Za-z][A-Za-z0-9-]*)(?P<attributes>(?:{_ATTRIBUTE})*){_SPACE}*>"
    rf"|</(?P<end>[A-Za-z0-9-]*){_SPACE}*>"
    r"|(?P<entity>&(?:\#x[0-9A-Fa-f]*|\#[0-9]*|[A-Za-z]+);?)"
    r"|(?P<text>[^<&]+|&)"
)
_VALUE = re.compile(
    rf"({_SPACE}+)([^ \t\r\n\v=>/\"'<]+)"
    rf"(?:{_SPACE}*={_SPACE}*(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9.\-]+)))?"
)
_ENTITY = re.compile(r"&(?:#x[0-9A-Fa-f]*|#[0-9]*|[A-Za-z]+);?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_MAX_DEPTH = 32  # ours; people stay below 5, and a text of a million <b> must not hold a worker
_WRITTEN = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class MarkupInvalid(ValueError):
    """Telegram would refuse this text; the message says why, for the person who wrote it."""


@dataclass(frozen=True, eq=False, slots=True)
class Tag:
    """One tag of the text, compared by identity: two <b> in a row are two tags."""

    name: str
    opening: str  # as it was written, with its attributes


class Cell(NamedTuple):
    """One visible character (code point) and its tags, the outermost first."""

    char: str
    tags: tuple[Tag, ...]


def read(text: str) -> list[Cell]:
    """The cells of a text in Telegram HTML. Raises MarkupInvalid."""
    return [Cell(char, tags) for chars, tags in _pieces(text) for char in chars]


def seen(text: str) -> str:
    """What is seen of a text in Telegram HTML. Raises MarkupInvalid."""
    return "".join([chars for chars, _ in _pieces(text)])


def _pieces(text: str) -> Iterator[tuple[str, tuple[Tag, ...]]]:
    """Stretches of visible characters, each with its tags."""
    tags: tuple[Tag, ...] = ()
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise MarkupInvalid(_broken_tag(text, position))
        if token["text"] is not None:
            yield token["text"], tags
        elif token["entity"] is not None:
            yield _decoded(token["entity"]), tags
        elif token["start"] is not None:
            if len(tags) == _MAX_DEPTH:
                raise MarkupInvalid(f"More than {_MAX_DEPTH} tags stand inside each other.")
            tags = (*tags, _opened(token))
        else:
            _check_closing(token, tags)
            tags = tags[:-1]
        position = token.end()
    if tags:
        raise MarkupInvalid(f"The tag <{tags[-1].name}> is never closed.")


def write(cells: list[Cell]) -> str:
    """Telegram HTML that shows these cells. Tags that hold no character are left out."""
    parts: list[str] = []
    tags: tuple[Tag, ...] = ()
    for cell in cells:
        if cell.tags is not tags:
            parts.append(_step(tags, cell.tags))
            tags = cell.tags
        parts.append(_WRITTEN.get(cell.char, cell.char))
    parts.append(_step(tags, ()))
    return "".join(parts)


def _step(before: tuple[Tag, ...], after: tuple[Tag, ...]) -> str:
    common = 0
    while common < min(len(before), len(after)) and before[common] is after[common]:
        common += 1
    closing = "".join(f"</{tag.name}>" for tag in reversed(before[common:]))
    return closing + "".join(tag.opening for tag in after[common:])


def _opened(token: re.Match[str]) -> Tag:
    name = token["start"].lower()
    if _TAGS.fullmatch(name) is None:
        raise MarkupInvalid(
            f"Telegram has no tag <{name}> (at character {token.start() + 1}). "
            "For a new line just begin one; for < write &lt;."
        )
    values = {
        found[2]: _attribute(found[3] or found[4] or found[5] or "")
        for found in _VALUE.finditer(token["attributes"])
    }
    if name == "span" and values.get("class") != "tg-spoiler":
        raise MarkupInvalid('The tag <span> must have class="tg-spoiler".')
    if name == "tg-emoji" and not _is_number(values.get("emoji-id", "")):
        raise MarkupInvalid("The tag <tg-emoji> must have an emoji-id that is a number.")
    if name == "tg-time" and not _is_number(values.get("unix", "")):
        raise MarkupInvalid("The tag <tg-time> must have a time in unix.")
    return Tag(name, token[0])


def _attribute(value: str) -> str:
    return _ENTITY.sub(lambda entity: _decoded(entity[0]), value)


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and 0 < int(value[:20]) < 2**63


def _check_closing(token: re.Match[str], tags: tuple[Tag, ...]) -> None:
    name = token["end"].lower()
    where = f"at character {token.start() + 1}"
    if not tags:
        raise MarkupInvalid(f"The end tag </{name}> {where} closes nothing.")
    if name and name != tags[-1].name:
        raise MarkupInvalid(f"The end tag </{name}> {where} should be </{tags[-1].name}>.")


def _decoded(entity: str) -> str:
    body = entity.removesuffix(";")
    if not body.startswith("&#"):
        return _NAMED.get(body[1:], entity)
    digits = body[3:] if body.startswith("&#x") else body[2:]
    code = int(digits or "0", 16 if body.startswith("&#x") else 10)
    if not 0 < code < 0x10FFFF or len(body) >= 10:
        return entity
    if 0xD800 <= code <= 0xDFFF:
        raise MarkupInvalid(f"{entity} is half of a character.")
    return chr(code)


def _broken_tag(text: str, position: int) -> str:
    shown = text[position : position + 20].partition("\n")[0]
    return (
        f"Not a tag at character {position + 1}: {shown}. "
        "Close it with > or, if the sign itself is meant, write &lt;."
    )
