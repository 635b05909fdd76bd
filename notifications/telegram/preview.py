"""A message as Telegram would show it, as HTML for a browser that holds nothing of its author's.

The markup is read by the same parser that judges it (cells.py) and written anew, tag by tag, from the
table below; every character of the text is escaped.
"""

import html
import re
from dataclasses import dataclass
from itertools import groupby

from django.utils.safestring import SafeString, mark_safe

from notifications.telegram.cells import Cell, MarkupInvalid, Tag, read
from notifications.telegram.markup import TEXT_LIMIT, TextEmpty, validate

_ELEMENTS = {
    "b": "b", "strong": "b", "i": "i", "em": "i", "u": "u", "ins": "u", "s": "s", "strike": "s",
    "del": "s", "code": "code", "pre": "pre", "blockquote": "blockquote",
}  # fmt: skip
_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_SAFE_ADDRESS = re.compile(r"https?://[^\s\x00-\x20]+", re.IGNORECASE)
# What Telegram makes a link by itself: addresses, mentions, hashtags, commands.
_ENTITY = re.compile(
    r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]|(?<![\w@/])@\w{4,32}\b|(?<![\w#&])#[^\W\d]\w*"
    r"|(?<![\w/.<])/[a-z]\w{1,31}\b",
    re.IGNORECASE,
)


_AROUND_BLOCKS = re.compile(r"\n(?=<(?:pre|blockquote)>)|(?<=</pre>)\n|(?<=</blockquote>)\n")


@dataclass(frozen=True, slots=True)
class Preview:
    """length counts what is seen, None if that is not known. note: what is different from the text.

    error: why Telegram would refuse it; the body then shows the text as it was written.
    """

    body: SafeString
    length: int | None
    note: str = ""
    error: str = ""

    @property
    def limit(self) -> int:
        return TEXT_LIMIT


def preview_make(text: str, parse_mode: str | None) -> Preview:
    """How a text would look. Never raises for what a text can hold."""
    mode = (parse_mode or "").lower()
    try:
        validate(text, parse_mode)
        if mode.startswith("markdown"):
            note = "Telegram formats Markdown itself; this is the text as it was written."
            return Preview(_plain(text), None, note=note)
        cells = _trimmed(read(text) if mode == "html" else [Cell(char, ()) for char in text])
    except TextEmpty as exc:
        return Preview(SafeString(""), 0, error=str(exc))
    except MarkupInvalid as exc:
        return Preview(_plain(text), None, error=str(exc))
    error = ""
    if len(cells) > TEXT_LIMIT:
        error = f"The text has {len(cells)} characters; Telegram takes {TEXT_LIMIT}."
    return Preview(_body(cells), len(cells), error=error)


def preview_sent(text: str, parse_mode: str | None) -> Preview:
    """How a message of the queue is sent: what has broken markup goes as the plain text it is."""
    found = preview_make(text, parse_mode)
    if not found.error or found.length is not None:
        return found
    as_plain = preview_make(text, None)
    note = f"Sent as plain text, because its markup is broken: {found.error}"
    return Preview(as_plain.body, as_plain.length, note=note, error=as_plain.error)


def _plain(text: str) -> SafeString:
    return _escaped(text)


def _trimmed(cells: list[Cell]) -> list[Cell]:
    """Telegram takes white space off both ends."""
    start, end = 0, len(cells)
    while start < end and cells[start].char.isspace():
        start += 1
    while end > start and cells[end - 1].char.isspace():
        end -= 1
    return cells[start:end]


def _body(cells: list[Cell]) -> SafeString:
    parts: list[str] = []
    open_tags: tuple[Tag, ...] = ()
    for tags, group in groupby(cells, key=lambda cell: cell.tags):
        common = 0
        while common < min(len(open_tags), len(tags)) and open_tags[common] is tags[common]:
            common += 1
        parts += [_closing(tag) for tag in reversed(open_tags[common:])]
        parts += [_opening(tag) for tag in tags[common:]]
        text = "".join(cell.char for cell in group)
        parts.append(_escaped(text) if _is_literal(tags) else _linked(text))
        open_tags = tags
    parts += [_closing(tag) for tag in reversed(open_tags)]
    # A block begins and ends a line by itself. Texts are escaped, so these are tags of ours.
    body = _AROUND_BLOCKS.sub("", "".join(parts))
    return mark_safe(body)  # noqa: S308 - written above from a table, texts escaped


def _escaped(text: str) -> SafeString:
    return SafeString(html.escape(text, quote=True))


def _is_literal(tags: tuple[Tag, ...]) -> bool:
    return any(tag.name in {"a", "code", "pre"} for tag in tags)


def _linked(text: str) -> str:
    """A text with what Telegram itself makes a link. They lead nowhere from here."""
    parts, last = [], 0
    for found in _ENTITY.finditer(text):
        parts += [html.escape(text[last : found.start()]), _link(found[0])]
        last = found.end()
    return "".join(parts) + html.escape(text[last:])


def _link(text: str) -> str:
    return f'<span class="tg-link">{html.escape(text)}</span>'


def _opening(tag: Tag) -> str:
    if tag.name == "a":
        address = _address(tag)
        if _SAFE_ADDRESS.fullmatch(address):
            shown = html.escape(address, quote=True)
            return (
                f'<a class="tg-link" href="{shown}" title="{shown}" target="_blank" '
                'rel="noopener noreferrer nofollow">'
            )
        return f'<span class="tg-link" title="{html.escape(address, quote=True)}">'
    if tag.name in {"span", "tg-spoiler"}:
        return (
            '<span class="tg-spoiler" tabindex="0" title="A spoiler: hidden until it is touched">'
        )
    element = _ELEMENTS.get(tag.name)
    return f"<{element}>" if element else '<span class="tg-special">'


def _closing(tag: Tag) -> str:
    if tag.name == "a":
        return "</a>" if _SAFE_ADDRESS.fullmatch(_address(tag)) else "</span>"
    return f"</{_ELEMENTS.get(tag.name, 'span')}>"


def _address(tag: Tag) -> str:
    found = _HREF.search(tag.opening)
    return html.unescape(found[1] or found[2] or found[3] or "") if found else ""
