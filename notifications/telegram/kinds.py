"""The kinds of values that a message template takes, and how each is written.

A template says `{{ amount }}`; that it is money, and how money looks in Russian, is said here. What
a kind gives back is plain text (or rows of it) and is escaped by the template; only `markup` is
inserted as it is, after it was found valid.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from notifications.telegram.markup import validate
from notifications.telegram.words import Words

_LINE_LIMIT = 200  # of a name, a title: a longer one would push the rest out of the message
_PROSE_LIMIT = 2000
_BAR_WIDTH = 12
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Kind:
    """A kind of value. `write` raises ValueError or TypeError with what is wrong."""

    name: str
    takes: str  # for people who fill in a template
    write: Callable[[Any, Words], Any]
    is_optional: bool = False


def optional(kind: Kind) -> Kind:
    """The same, but it may be None or left out; the template then leaves out what belongs to it."""
    return replace(kind, is_optional=True)


def choice(*words: str) -> Kind:
    """One of some words; the template says what each means."""

    def write(value: Any, _: Words) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(value)

    return Kind("choice", f"one of {', '.join(words)}", write)


def rows(**columns: Kind) -> Kind:
    """A list of mappings (or of objects with attributes) that all have these columns."""

    def write(value: Any, words: Words) -> list[dict[str, Any]]:
        return [
            {name: _cell(row, name, kind, words) for name, kind in columns.items()} for row in value
        ]

    shown = ", ".join(f"{name}: {kind.name}" for name, kind in columns.items())
    return Kind("rows", f"a list of {{{shown}}}", write)


def _cell(row: Any, name: str, kind: Kind, words: Words) -> Any:
    value = row.get(name) if isinstance(row, Mapping) else getattr(row, name, None)
    if value is None:
        if kind.is_optional:
            return None
        raise ValueError(f"a row has no {name}")
    return kind.write(value, words)


def _line(value: Any, _: Words) -> str:
    return _clipped(" ".join(_UNSEEN.sub("", str(value)).split()), _LINE_LIMIT)


def _prose(value: Any, _: Words) -> str:
    return _clipped(_UNSEEN.sub("", str(value).replace("\r\n", "\n")).strip(), _PROSE_LIMIT)


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _markup(value: Any, _: Words) -> SafeString:
    validate(str(value))
    return SafeString(value)


def _url(value: Any, _: Words) -> str:
    if not re.match(r"(https?|tg)://[^\s<>]+$", str(value)):
        raise ValueError("must be an address that begins with https://, http:// or tg://")
    return str(value)


def _number(value: Any, words: Words) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError("must be a whole or a decimal number")
    return words.number(value)


def _money(value: Any, words: Words) -> str:
    amount, currency = value
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise TypeError("must be a pair of a decimal amount and its currency")
    return words.money(amount, _line(currency, words))


def _percent(value: Any, words: Words) -> str:
    return words.share(Decimal(value))


def _change(value: Any, words: Words) -> str:
    return words.change(Decimal(value))


def _day(value: Any, words: Words) -> str:
    if not isinstance(value, date):
        raise TypeError("must be a date")
    return words.day(value)


def _moment(value: Any, words: Words) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError("must be a moment with a time zone")
    return words.moment(value)


def _span(value: Any, words: Words) -> str:
    if not isinstance(value, timedelta):
        raise TypeError("must be a span of time")
    return words.span(value)


def _size(value: Any, words: Words) -> str:
    return words.size(int(value))


def _chart(value: Sequence[tuple[Any, int | Decimal]], words: Words) -> list[dict[str, str]]:
    """Rows of a text chart, for a <pre>: names and bars are padded, the longest bar is the most."""
    names = [_line(name, words) for name, _ in value]
    width = max(map(len, names), default=0)
    most = max((amount for _, amount in value), default=0)
    bars = [
        "▇" * round(_BAR_WIDTH * max(amount, 0) / most) if most > 0 else "" for _, amount in value
    ]
    return [
        {"name": name.ljust(width), "bar": bar.ljust(_BAR_WIDTH), "value": words.number(amount)}
        for name, bar, (_, amount) in zip(names, bars, value, strict=True)
    ]


line = Kind("line", "a text of one line", _line)
prose = Kind("prose", "a text that may have several lines", _prose)
markup = Kind("markup", "a text in Telegram HTML", _markup)
url = Kind("url", "an address: https://, http:// or tg://", _url)
number = Kind("number", "a whole or decimal number", _number)
money = Kind("money", 'an amount and its currency: (Decimal("5.00"), "USDT")', _money)
percent = Kind("percent", "a percentage: 99.95", _percent)
change = Kind("change", "a change in percent: -3.5", _change)
day = Kind("day", "a date", _day)
moment = Kind("moment", "a moment with its time zone; it is shown in that zone", _moment)
span = Kind("span", "a span of time", _span)
size = Kind("size", "a number of bytes", _size)
chart = Kind("chart", "a list of (name, number)", _chart)


@dataclass(frozen=True)
class Message:
    """One kind of message. `sample` has a value for every field, for previews and tests."""

    name: str
    purpose: str
    fields: Mapping[str, Kind]
    sample: Mapping[str, Any]
