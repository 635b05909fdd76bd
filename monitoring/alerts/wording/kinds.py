"""The kinds of values in the words of an alert: how each is kept, and how each language writes it.

Kept is what JSON can hold, so that an alert can be told in another language later. English is what the
console shows; Russian is spelled like our other messages (notifications/telegram/words.py).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.storable import storable
from lib import durations
from notifications.telegram.words import WORDS

MEBIBYTE, GIBIBYTE = 2**20, 2**30
_LONGEST = 5000  # characters of a text that came from outside


@dataclass(frozen=True)
class Kind:
    """keep: the value as JSON, write: what was kept, in a language. Either raises if it is another kind."""

    keep: Callable[[Any], Any]
    write: Callable[[Any, str], str]


def _number(value: float, language: str, places: int = 0) -> str:
    rounded: float = round(value) if places == 0 else value
    written = f"{rounded:,.{places}f}"
    words = WORDS[language]
    return written.translate({ord(","): words.thousands, ord("."): words.point})


def _text(value: Any) -> str:
    return storable(str(value)).strip()[:_LONGEST]


def _span(seconds: float, language: str) -> str:
    span = timedelta(seconds=seconds)
    return durations.words(span) if language == "en" else WORDS[language].span(span)


def _moment(english: str) -> Kind:
    def write(kept: str, language: str) -> str:
        at = datetime.fromisoformat(kept)
        return f"{at:{english}}" if language == "en" else WORDS[language].moment(at)

    return Kind(lambda value: value.astimezone(UTC).isoformat(), write)


def decimal(places: int, unit: float = 1) -> Kind:
    """A number with so many decimals, in units of `unit`."""
    return Kind(float, lambda kept, language: _number(kept / unit, language, places))


def one_of(**words: Mapping[str, str]) -> Kind:
    """A word that stands for a text: one_of(en={"up": "is up"}, ru={"up": "работает"})."""

    def keep(value: Any) -> str:
        if any(value not in known for known in words.values()):
            raise ValueError(f"{value!r} has no text in every language")
        return str(value)

    return Kind(keep, lambda kept, language: words[language][kept])


def counted(**forms: Sequence[str]) -> Kind:
    """How many of what: counted(en=("day", "days"), ru=("день", "дня", "дней"))."""

    def write(kept: int, language: str) -> str:
        many = forms[language]
        return f"{_number(kept, language)} {many[_form(kept, language)]}"

    return Kind(int, write)


def named(**titles: Mapping[str, str]) -> Kind:
    """A name that may have a title: named(en={"cryptobot": "Crypto Pay"}); another stands for itself."""
    return Kind(_text, lambda kept, language: titles[language].get(kept, kept))


def tally(**words: Mapping[str, str]) -> Kind:
    """Counts by name, [("off", 2), ("gone", 1)]: "off 2, gone 1". Names have titles as in `named`."""

    def write(kept: Sequence[Sequence[Any]], language: str) -> str:
        known = words[language]
        return ", ".join(f"{known.get(name, name)} {_number(n, language)}" for name, n in kept)

    return Kind(_pairs, write)


def _pairs(value: Iterable[Sequence[Any]]) -> list[list[Any]]:
    return [list(each) for each in value]


def _form(count: int, language: str) -> int:
    """Which form of a word stands with a number: 1 день, 2 дня, 5 дней; 1 day, 2 days."""
    if language != "ru":
        return int(count != 1)
    if count % 10 == 1 and count % 100 != 11:
        return 0
    return 1 if 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14 else 2


def _shares(kept: Sequence[Sequence[Any]], language: str) -> str:
    between = {"en": "of", "ru": "из"}[language]
    return "; ".join(
        f"{name} {_number(part, language)} {between} {_number(whole, language)}"
        for name, part, whole in kept
    )


text = Kind(_text, lambda kept, _: str(kept))  # as it came, in whatever language
number = Kind(int, _number)
plain_number = Kind(int, lambda kept, _: str(kept))  # of a process: never "12,345"
span = Kind(lambda value: value.total_seconds(), _span)
moment = _moment("%Y-%m-%d %H:%M UTC")
second = _moment("%Y-%m-%d %H:%M:%S UTC")
shares = Kind(_pairs, _shares)  # (name, part, whole)
