"""The text of a Telegram message: is it valid, how long does it look, where may it be cut.

parse_mode is what goes to the Bot API: "HTML", "MarkdownV2", "Markdown", or nothing for plain text.
Our own texts are HTML or plain. A text of another backend may be Markdown: it passes `validate`
unread, for Telegram to judge, and can be neither measured nor cut.
"""

import html
import re
import unicodedata
from dataclasses import dataclass

from notifications.telegram import cells
from notifications.telegram.cells import Cell, MarkupInvalid

__all__ = [
    "CAPTION_LIMIT",
    "TEXT_LIMIT",
    "MarkupInvalid",
    "TextEmpty",
    "escape",
    "plain",
    "shorten",
    "split",
    "validate",
    "visible_length",
]

TEXT_LIMIT = 4096  # code points that are seen (Bot API 10.1, sendMessage)
CAPTION_LIMIT = 1024
_RAW_LIMIT_BYTES = 32768  # with the markup; a longer text is refused unread (telegram-bot-api)
_MODES = frozenset({"", "html", "markdown", "markdownv2"})

# What the server takes for blank or drops (tdlib/td, misc.cpp): a text of nothing else is empty.
_BLANK = re.compile(
    "[\\x00-\\x20\\xa0\\u030a\\u0333\\u033f\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f"
    "\\u2800\\u3000\\ufeff\\ufffc\\U000e0000-\\U000e007f]*"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD_ENDS = frozenset(" \t\n\r\v\f\u2028\u2029")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f\u20e3")
_LONGEST_CLUSTER = 64


class TextEmpty(MarkupInvalid):
    """Nothing of the text would be seen; no other parse mode helps."""


def escape(value: object) -> str:
    """Any value as text that may stand in Telegram HTML, also inside of an attribute."""
    text = _SURROGATE.sub("\ufffd", _CONTROL.sub("", str(value)))
    return html.escape(text, quote=True)


def validate(text: str, parse_mode: str | None = "HTML") -> int | None:
    """Raise MarkupInvalid with a sentence for its author if Telegram would refuse the text.

    Gives its visible_length, which is not judged, because a long text can be split; None in Markdown.
    """
    mode = (parse_mode or "").lower()
    if mode in {"markdown", "markdownv2"}:
        _check_seen(text)
        return None
    return visible_length(text, parse_mode)


def visible_length(text: str, parse_mode: str | None = "HTML") -> int:
    """How many code points are seen; this is what the limits count. Raises MarkupInvalid."""
    seen = cells.seen(text) if _mode(parse_mode) == "html" else text
    _check_seen(seen)
    return len(seen)


def plain(text: str) -> str:
    """What is seen of Telegram HTML: no tags, entities decoded. Raises MarkupInvalid."""
    return _read(text, "HTML").seen


def split(text: str, limit: int = TEXT_LIMIT, parse_mode: str | None = "HTML") -> list[str]:
    """The text as messages of at most `limit` seen characters, in order.

    It is cut between paragraphs, else lines, else words, else anywhere but inside of an emoji. Tags
    that are open at a cut are closed there and opened again in the next part. White space stays at
    the end of a part; a part that would be nothing else is left out, since Telegram refuses it.
    Raises MarkupInvalid.
    """
    page = _read(text, parse_mode)
    if page.fits(0, len(page.seen), limit):
        return [text]
    parts: list[str] = []
    start = 0
    while start < len(page.seen):
        end = _fitting_cut(page, start, limit)
        if _BLANK.fullmatch(page.seen, start, end) is None:
            parts.append(page.cut(start, end))
        start = end
    return parts


def shorten(
    text: str, limit: int = TEXT_LIMIT, note: str = "…", parse_mode: str | None = "HTML"
) -> str:
    """The text itself if it fits, else as many lines or words of it as fit together with the note.

    The note has the markup of the text and stands outside of its tags. Raises MarkupInvalid.
    """
    page = _read(text, parse_mode)
    if page.fits(0, len(page.seen), limit):
        return text
    room = limit - visible_length(note, parse_mode)
    if room < 1:
        raise ValueError("the note alone is longer than the limit")
    end = _fitting_cut(page, 0, room, spare_bytes=len(note.encode()))
    return page.cut(0, len(page.seen[:end].rstrip())) + note


@dataclass(frozen=True)
class _Page:
    seen: str
    row: list[Cell] | None  # None: plain text

    def cut(self, start: int, end: int) -> str:
        return self.seen[start:end] if self.row is None else cells.write(self.row[start:end])

    def fits(self, start: int, end: int, limit: int, spare_bytes: int = 0) -> bool:
        if end - start > limit:
            return False
        return len(self.cut(start, end).encode()) + spare_bytes <= _RAW_LIMIT_BYTES


def _mode(parse_mode: str | None) -> str:
    """html, or nothing for plain text. Raises MarkupInvalid for what we cannot read."""
    mode = (parse_mode or "").lower()
    if mode not in _MODES:
        raise MarkupInvalid(
            f"There is no parse mode {parse_mode!r}; write HTML, MarkdownV2, Markdown or nothing."
        )
    if mode.startswith("markdown"):
        raise MarkupInvalid("A text in Markdown can be neither measured nor cut; write HTML.")
    return mode


def _read(text: str, parse_mode: str | None) -> _Page:
    row = cells.read(text) if _mode(parse_mode) == "html" else None
    page = _Page(text if row is None else "".join(cell.char for cell in row), row)
    _check_seen(page.seen)
    return page


def _check_seen(seen: str) -> None:
    if _SURROGATE.search(seen):
        raise MarkupInvalid("The text holds half of a character (a lone surrogate).")
    if _BLANK.fullmatch(seen):
        raise TextEmpty("The text is empty: nothing of it would be seen.")


def _fitting_cut(page: _Page, start: int, limit: int, spare_bytes: int = 0) -> int:
    """Where to cut so that the part fits in seen characters and in bytes with its markup."""
    end = _cut(page.seen, start, limit)
    while not page.fits(start, end, limit, spare_bytes):
        if end - start == 1:
            raise MarkupInvalid("The markup of one character alone is longer than a message.")
        end = _cut(page.seen, start, (end - start) // 2)
    return end


def _cut(seen: str, start: int, limit: int) -> int:
    """The best place to cut in (start, start + limit]."""
    last = start + limit
    if last >= len(seen):
        return len(seen)
    if _BLANK.fullmatch(seen, last) or seen.startswith("\n\n", last):
        return last
    # A border in the second half is worth the room it leaves; one before it is taken only so that a
    # word (a long link, say) stays in one piece.
    paragraph = seen.rfind("\n\n", start, last) + 2
    line = seen.rfind("\n", start, last) + 1
    for border in (paragraph, line):
        if border > start + limit // 2 and _BLANK.fullmatch(seen, start, border) is None:
            return border
    word = next((at for at in range(last, start, -1) if _ends_word(seen, at)), start)
    if _BLANK.fullmatch(seen, start, word) is None:
        return word
    return _between_clusters(seen, start, last)


def _between_clusters(seen: str, start: int, last: int) -> int:
    for at in range(last, max(start, last - _LONGEST_CLUSTER), -1):
        if not _sticks(seen[at - 1], seen[at]) and _BLANK.fullmatch(seen, start, at) is None:
            return at
    return last


def _ends_word(seen: str, at: int) -> bool:
    return seen[at - 1] in _WORD_ENDS or seen[at] in _WORD_ENDS


def _sticks(before: str, after: str) -> bool:
    """Whether two code points are one character for the eye, as far as the two can tell."""
    if after in _JOINERS or before == "\u200d" or unicodedata.combining(after):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True  # skin tones, and the letters of regional flags
    flags = ("\U0001f1e6", "\U0001f1ff")
    return flags[0] <= before <= flags[1] and flags[0] <= after <= flags[1]
