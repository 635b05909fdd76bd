"""parse_mode MarkdownV2 and the legacy Markdown, after tdlib/td (2026-07-17).

Legacy Markdown knows no nesting. MarkdownV2 nests, and every reserved character that marks nothing
must be escaped; block quotes and custom emoji are understood, too.
"""

import re
from dataclasses import dataclass, field

from tests.sandbox.telegram.entities import Entity, utf16_length
from tests.sandbox.telegram.errors import ApiError, cannot_parse_entities
from tests.sandbox.telegram.links import emoji_id
from tests.sandbox.telegram.tags import link_entity

_RESERVED = "_*[]()~`>#+-=|{}.!"
_PLAIN = re.compile(r"[^_*\[\]()~`>#+\-=|{}.!\\\n]+")
_MARKS = (
    ("```", "pre"),
    ("`", "code"),
    ("__", "underline"),
    ("_", "italic"),
    ("*", "bold"),
    ("~", "strikethrough"),
    ("||", "spoiler"),
)
_MARK_OF = {kind: mark for mark, kind in _MARKS} | {"text_link": "]", "custom_emoji": "]"}
# The server's names of entity types, as its error texts spell them.
_SPOKEN = {
    "pre": "Pre",
    "code": "Code",
    "underline": "Underline",
    "italic": "Italic",
    "bold": "Bold",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "text_link": "TextUrl",
    "custom_emoji": "CustomEmoji",
}
_LANGUAGE = re.compile(r"([^\s`]+)(?=\s)")
_URL = re.compile(r"(?:\\[\x01-\x7e]|[^)\\]|\\(?![\x01-\x7e]))*\)", re.DOTALL)
_NEW_LINE = re.compile(r"\r\n|\n\r|\n|\r")


@dataclass(slots=True)
class _Open:
    kind: str
    offset: int  # UTF-16 units of the text before it
    begin: int  # where its mark stands in the source
    piece: int
    extra: dict[str, object] = field(default_factory=dict)


def parse_markdown_v2(source: str) -> tuple[str, list[Entity]]:
    """Return the text without marks and its entities. Raises ApiError 400."""
    reader = _Reader(source)
    reader.read()
    return "".join(reader.pieces), reader.entities


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.pieces: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []
        self.quote_offset: int | None = None

    def read(self) -> None:
        self._enter_quote()
        while self.at < len(self.source):
            self._step()
        if self.open and self.open[-1].kind == "spoiler" and self._ends_expandable_quote():
            self.open.pop()
            self._leave_quote(expandable=True)
        if self.open:
            raise self._never_ends(self.open[-1])
        self._leave_quote()

    def _step(self) -> None:
        source, at = self.source, self.at
        char = source[at]
        if char == "\\" and at + 1 < len(source) and 0 < ord(source[at + 1]) < 127:
            self._add(source[at + 1], width=2)
            return
        if self._inside_code():
            mark = _MARK_OF[self.open[-1].kind]
            if source.startswith(mark, at):
                self._close(mark)
            elif char == "`":
                raise self._never_ends(self.open[-1])
            else:
                self._add(char)
            return
        plain = _PLAIN.match(source, at)
        if plain:
            self._add(plain[0])
        elif char == "\n":
            self._break_line()
        elif char not in _RESERVED:
            self._add(char)
        elif self.open and self._stands(_MARK_OF[self.open[-1].kind]):
            self._close(_MARK_OF[self.open[-1].kind])
        else:
            self._open_mark()

    def _add(self, piece: str, *, width: int | None = None) -> None:
        self.pieces.append(piece)
        self.offset += utf16_length(piece)
        self.at += len(piece) if width is None else width

    def _inside_code(self) -> bool:
        return bool(self.open) and self.open[-1].kind in {"code", "pre"}

    def _stands(self, mark: str) -> bool:
        """True if the mark stands here; "_" is none where "__" stands."""
        if mark == "_" and self.source.startswith("__", self.at):
            return False
        return self.source.startswith(mark, self.at)

    def _open_mark(self) -> None:
        for mark, kind in _MARKS:
            if self.source.startswith(mark, self.at):
                self._push(kind, len(mark))
                if kind == "pre":
                    self._read_language()
                return
        if self.source.startswith("![", self.at):
            self._push("custom_emoji", 2)
        elif self.source[self.at] == "[":
            self._push("text_link", 1)
        else:
            raise cannot_parse_entities(
                f"Character '{self.source[self.at]}' is reserved "
                "and must be escaped with the preceding '\\'"
            )

    def _push(self, kind: str, width: int) -> None:
        self.open.append(_Open(kind, self.offset, self.at, len(self.pieces)))
        self.at += width

    def _read_language(self) -> None:
        language = _LANGUAGE.match(self.source, self.at)
        if language:
            self.open[-1].extra = {"language": language[1]}
            self.at = language.end()
        line_end = _NEW_LINE.match(self.source, self.at)
        if line_end:
            self.at = line_end.end()

    def _close(self, mark: str) -> None:
        closed = self.open.pop()
        self.at += len(mark)
        kind, extra = closed.kind, closed.extra
        if kind == "custom_emoji":
            extra = self._read_emoji()
        elif kind == "text_link":
            made = link_entity(self._read_url() or "".join(self.pieces[closed.piece :]))
            if made is None:
                return
            kind, extra = made
        if self.offset > closed.offset:
            self.entities.append(Entity(kind, closed.offset, self.offset - closed.offset, extra))

    def _read_url(self) -> str:
        """What stands in the parentheses behind "]", "" if there are none."""
        if not self.source.startswith("(", self.at):
            return ""
        begin = self.at + 1
        match = _URL.match(self.source, begin)
        if match is None:
            offset = len(self.source[:begin].encode())
            raise cannot_parse_entities(f"Can't find end of a URL at byte offset {offset}")
        self.at = match.end()
        return re.sub(r"\\([\x01-\x7e])", r"\1", match[0][:-1])

    def _read_emoji(self) -> dict[str, object]:
        found = emoji_id(self._read_url())
        if found is None:
            raise cannot_parse_entities("Custom emoji entity must contain a tg://emoji URL")
        return {"custom_emoji_id": found}

    def _break_line(self) -> None:
        """A line break ends a quote unless the next line is quoted, too."""
        if self.quote_offset is not None and not self.source.startswith("\n>", self.at):
            expandable = self._ends_expandable_quote()
            if expandable:
                self.open.pop()
            if self.open:
                raise self._never_ends(self.open[-1])
            self._add("\n")
            self._leave_quote(expandable=expandable)
            return
        self._add("\n")
        self._enter_quote()

    def _enter_quote(self) -> None:
        """Step over the ">" of a quoted line."""
        at_line_start = self.at == 0 or self.source[self.at - 1] == "\n"
        if at_line_start and self.source.startswith(">", self.at):
            self.at += 1
            if self.quote_offset is None:
                self.quote_offset = self.offset

    def _ends_expandable_quote(self) -> bool:
        """A "||" that opens a spoiler right before the end of a quote marks it as expandable."""
        last = self.open[-1] if self.open else None
        return (
            last is not None
            and last.kind == "spoiler"
            and last.begin == self.at - len("||")
            and self.quote_offset is not None
        )

    def _leave_quote(self, *, expandable: bool = False) -> None:
        if self.quote_offset is not None and self.offset > self.quote_offset:
            kind = "expandable_blockquote" if expandable else "blockquote"
            self.entities.append(Entity(kind, self.quote_offset, self.offset - self.quote_offset))
        self.quote_offset = None

    def _never_ends(self, tag: _Open) -> ApiError:
        offset = len(self.source[: tag.begin].encode("utf-8", "surrogatepass"))
        return cannot_parse_entities(
            f"Can't find end of {_SPOKEN[tag.kind]} entity at byte offset {offset}"
        )


_LEGACY = re.compile(
    r"""\\(?P<escaped>[_*`\[])
    | ```(?:(?P<language>[^\s`]+)(?=\s))?(?:\r\n|\n\r|\n|\r)?(?P<pre>.*?)```
    | `(?P<code>[^`]*)`
    | _(?P<italic>[^_]*)_
    | \*(?P<bold>[^*]*)\*
    | \[(?P<label>[^\]]*)\](?:\((?P<url>[^)]*)\)?)?
    | (?P<broken>[_*`\[])
    | (?P<plain>[^\\_*`\[]+|\\)""",
    re.VERBOSE | re.DOTALL,
)


def parse_markdown(source: str) -> tuple[str, list[Entity]]:
    """Return the text without marks and its entities, legacy Markdown. Raises ApiError 400."""
    pieces: list[str] = []
    entities: list[Entity] = []
    offset = 0
    for match in _LEGACY.finditer(source):
        kind, piece = str(match.lastgroup), match[str(match.lastgroup)]
        extra: dict[str, object] = {}
        if kind == "broken":
            at = len(source[: match.start()].encode("utf-8", "surrogatepass"))
            raise cannot_parse_entities(
                f"Can't find end of the entity starting at byte offset {at}"
            )
        if kind in {"label", "url"}:
            piece = match["label"]
            kind, extra = link_entity(match["url"] or piece) or ("plain", {})
        if kind == "pre" and match["language"]:
            extra = {"language": match["language"]}
        length = utf16_length(piece)
        if kind not in {"plain", "escaped"} and length:
            entities.append(Entity(kind, offset, length, extra))
        pieces.append(piece)
        offset += length
    return "".join(pieces), entities
