"""Message entities: spans of a text, counted in UTF-16 code units."""

from dataclasses import dataclass, field
from typing import Any

# Order of entities that cover the same span, outermost first (tdlib/td, MessageEntity).
_RANK = {
    "blockquote": 0,
    "expandable_blockquote": 0,
    "pre": 11,
    "code": 20,
    "text_link": 49,
    "text_mention": 49,
    "bold": 90,
    "italic": 91,
    "underline": 92,
    "strikethrough": 93,
    "spoiler": 94,
    "custom_emoji": 99,
}
_DEFAULT_RANK = 50
_STYLES = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})
_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_CODE = frozenset({"pre", "code"})


@dataclass(slots=True)
class Entity:
    """One span, in UTF-16 units; extra holds url, language, user and the like."""

    type: str
    offset: int
    length: int
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.offset + self.length

    def as_json(self) -> dict[str, Any]:
        return {"offset": self.offset, "length": self.length, "type": self.type, **self.extra}


def utf16_length(text: str) -> int:
    """Number of UTF-16 code units; characters beyond U+FFFF count twice."""
    if text.isascii():
        return len(text)
    return len(text) + sum(1 for char in text if char > "\uffff")


def utf16_slice(text: str, entity: Entity) -> str:
    """The part of the text that an entity covers."""
    units = text.encode("utf-16-le", "surrogatepass")
    return units[entity.offset * 2 : entity.end * 2].decode("utf-16-le", "replace")


def tidy(entities: list[Entity]) -> list[Entity]:
    """Sort entities and make them fit each other as the server does.

    Touching styles of a kind become one; styles give way to code; links, code, mentions and emoji
    never share a character, the outer one stays; a quote holds no quote.
    """
    by_position = sorted(entities, key=_position)
    quotes = _disjoint([entity for entity in by_position if entity.type in _QUOTES])
    solid = _disjoint(
        [entity for entity in by_position if entity.type not in _QUOTES | _STYLES],
    )
    styles = _joined([entity for entity in by_position if entity.type in _STYLES])
    code = [entity for entity in solid if entity.type in _CODE]
    free = [part for style in styles for part in _without(style, code)]
    return sorted([*quotes, *solid, *free], key=_position)


def _position(entity: Entity) -> tuple[int, int, int]:
    return entity.offset, -entity.length, _RANK.get(entity.type, _DEFAULT_RANK)


def _disjoint(entities: list[Entity]) -> list[Entity]:
    kept: list[Entity] = []
    for entity in entities:
        if not kept or entity.offset >= kept[-1].end:
            kept.append(entity)
    return kept


def _joined(styles: list[Entity]) -> list[Entity]:
    kept: list[Entity] = []
    latest: dict[str, Entity] = {}
    for style in styles:
        before = latest.get(style.type)
        if before is not None and style.offset <= before.end:
            before.length = max(before.end, style.end) - before.offset
        else:
            latest[style.type] = style
            kept.append(style)
    return kept


def _without(style: Entity, code: list[Entity]) -> list[Entity]:
    """What is left of a style when every stretch of code is cut out of it."""
    parts: list[Entity] = []
    begin = style.offset
    for hole in code:
        if hole.end <= begin or hole.offset >= style.end:
            continue
        if hole.offset > begin:
            parts.append(Entity(style.type, begin, hole.offset - begin))
        begin = hole.end
    if begin < style.end:
        parts.append(Entity(style.type, begin, style.end - begin))
    return parts
