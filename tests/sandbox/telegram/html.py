"""parse_mode HTML, after the parser of tdlib/td (2026-07-17).

The server is stricter than a browser: an unknown tag, a wrong nesting or a tag left open refuses
the whole message, and the error names the byte (not the character) where the tag begins.
"""

import re
from dataclasses import dataclass

from tests.sandbox.telegram.entities import Entity, utf16_length
from tests.sandbox.telegram.errors import ApiError, cannot_parse_entities
from tests.sandbox.telegram.tags import ATTRIBUTES, TAGS, code_language, tag_entity

# A zero character ends the source, so that no pattern needs a second way to stop.
_END = "\0"
_PLAIN = re.compile(r"[^<&\0]+")
_TAG_NAME = re.compile(r"[^ \t\r\n\v\0>]*")
_SPACES = re.compile(r"[ \t\r\n\v]*")
_ATTRIBUTE_NAME = re.compile(r"[^ \t\r\n\v\0=>/\"']*")
_TOKEN = re.compile(r"[A-Za-z0-9.-]*")
_REFERENCE = re.compile(r"&(?:(#x[0-9a-fA-F]*|#[0-9]*)|([A-Za-z]*));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class _OpenTag:
    name: str
    attributes: dict[str, str]
    offset: int  # UTF-16 units of the text before it
    piece: int  # index of its first piece of text


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Return the text without markup and its entities, in the order in which their tags close.

    Raises ApiError 400 "can't parse entities: ...".
    """
    reader = _Reader(source)
    reader.read()
    text = "".join(reader.pieces)
    if _SURROGATE.search(text):
        raise cannot_parse_entities(
            "Text contains invalid Unicode characters after decoding HTML entities, "
            "check for unmatched surrogate code units"
        )
    for entity in reader.entities:
        if entity.type == "code":
            entity.extra.clear()  # a language counts only together with <pre>
    return text, reader.entities


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source.replace(_END, " ") + _END
        self.at = 0
        self.pieces: list[str] = []
        self.offset = 0
        self.open: list[_OpenTag] = []
        self.entities: list[Entity] = []

    def read(self) -> None:
        last = len(self.source) - 1
        while self.at < last:
            char = self.source[self.at]
            if char == "<":
                if self.source[self.at + 1] == "/":
                    self._read_end_tag()
                else:
                    self._read_start_tag()
            elif char == "&":
                self._add(self._read_reference())
            else:
                self._add(self._match(_PLAIN))
        if self.open:
            raise cannot_parse_entities(
                f'Can\'t find end tag corresponding to start tag "{self.open[-1].name}"'
            )

    def _add(self, piece: str) -> None:
        self.pieces.append(piece)
        self.offset += utf16_length(piece)

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.source, self.at)
        assert match is not None  # every pattern here also matches the empty string or is at hand
        self.at = match.end()
        return match[0]

    def _read_reference(self) -> str:
        """Decode what stands at an ampersand; anything unknown leaves the ampersand as it is."""
        match = _REFERENCE.match(self.source, self.at)
        assert match is not None
        decoded = _decode(match)
        self.at = match.end() if decoded else self.at + 1
        return decoded or "&"

    def _read_start_tag(self) -> None:
        begin = self.at
        self.at += 1
        name = self._match(_TAG_NAME).lower()
        if self.source[self.at] == _END:
            raise self._error("Unclosed start tag", begin)
        if name not in TAGS:
            raise self._error(f'Unsupported start tag "{name}"', begin)
        attributes = self._read_attributes(name, begin)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise self._error('Tag "span" must have class "tg-spoiler"', begin)
        self.at += 1
        self.open.append(_OpenTag(name, attributes, self.offset, len(self.pieces)))

    def _read_attributes(self, tag: str, begin: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._match(_SPACES)
            if self.source[self.at] == ">":
                return found
            name = self._match(_ATTRIBUTE_NAME)
            if not name:
                raise self._error(f'Empty attribute name in the tag "{tag}"', begin)
            self._match(_SPACES)
            value = ""
            if self.source[self.at] == "=":
                self.at += 1
                self._match(_SPACES)
                if self.source[self.at] == _END:
                    raise self._error(f'Unclosed start tag "{tag}"', begin)
                value = self._read_value()
                if self.source[self.at] == _END:
                    raise self._error("Unclosed start tag", begin)
            elif self.source[self.at] == _END:
                raise self._error(f'Unclosed start tag "{tag}"', begin)
            if (tag, name) in ATTRIBUTES:
                found[name] = value

    def _read_value(self) -> str:
        begin = self.at
        quote = self.source[begin]
        if quote not in "'\"":
            value = self._match(_TOKEN).lower()
            if self.source[self.at] not in " \t\r\n\v\0>":
                raise self._error("Unexpected end of name token", begin)
            return value
        self.at += 1
        pieces: list[str] = []
        while (char := self.source[self.at]) not in (quote, _END):
            if char == "&":
                pieces.append(self._read_reference())
            else:
                pieces.append(char)
                self.at += 1
        if char == quote:
            self.at += 1
        return _SURROGATE.sub("", "".join(pieces))

    def _read_end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise self._error("Unexpected end tag", begin)
        self.at += 2
        name = self._match(_TAG_NAME).lower()
        self._match(_SPACES)
        if self.source[self.at] != ">":
            raise self._error("Unclosed end tag", begin)
        self.at += 1
        tag = self.open[-1]
        if name not in ("", tag.name):
            offset = self._bytes_before(begin)
            raise cannot_parse_entities(
                f"Unmatched end tag at byte offset {offset}, "
                f'expected "</{tag.name}>", found "</{name}>"'
            )
        if self.offset > tag.offset:
            self._close(tag)
        self.open.pop()

    def _close(self, tag: _OpenTag) -> None:
        length = self.offset - tag.offset
        covered = "".join(self.pieces[tag.piece :])
        if tag.name in {"pre", "code"}:
            self._close_code(tag, length)
            return
        made = tag_entity(tag.name, tag.attributes, covered)
        if made is not None:
            kind, extra = made
            self.entities.append(Entity(kind, tag.offset, length, extra))

    def _close_code(self, tag: _OpenTag, length: int) -> None:
        """<pre> and <code class="language-x"> around the same text are one pre with a language."""
        language = code_language(tag.attributes.get("class", ""))
        inner = self.entities[-1] if self.entities else None
        if inner is not None and (inner.offset, inner.length) == (tag.offset, length):
            if tag.name == "pre" and inner.type == "code" and inner.extra:
                inner.type = "pre"
                return
            if tag.name == "code" and inner.type == "pre" and language:
                inner.extra = language
                return
        self.entities.append(Entity(tag.name, tag.offset, length, language))

    def _bytes_before(self, position: int) -> int:
        return len(self.source[:position].encode("utf-8", "surrogatepass"))

    def _error(self, reason: str, position: int) -> ApiError:
        return cannot_parse_entities(f"{reason} at byte offset {self._bytes_before(position)}")


def _decode(match: re.Match[str]) -> str:
    """The character of a reference, "" if it is none (its ampersand is then plain text)."""
    number, name = match[1], match[2]
    if number is None:
        return _NAMED.get(name, "")
    digits = number.lstrip("#x")
    # The server counts from the ampersand to the last digit and gives up at ten characters.
    if not digits or len(number) + 1 >= 10:
        return ""
    code = int(digits, 16 if number.startswith("#x") else 10)
    return chr(code) if 0 < code < 0x10FFFF else ""
