"""What an alert says, as a name of the catalogue and values: so it can be said in any of our languages.

alert_raise(rule="node_offline", ..., says=says("node_offline", name="fra-1", since=since, ...))
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from monitoring.alerts.wording.kinds import Kind

logger = logging.getLogger(__name__)

ENGLISH = "en"  # the language of the console, and what is left if another cannot be had
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_PLACE = re.compile(r"\{(\w+)\}")


class Words(NamedTuple):
    """What people read: one line, and what is known besides."""

    title: str
    text: str


@dataclass(frozen=True)
class Saying:
    """One entry of the catalogue. words: by language.

    In title and text `{name}` is a field. What stands in [brackets] is left out if a value in it is
    None. sample: a value for every field, for tests.
    """

    name: str
    words: Mapping[str, Words]
    fields: Mapping[str, Kind] = field(default_factory=dict)
    sample: Mapping[str, Any] = field(default_factory=dict)

    def keep(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as JSON. Raises LookupError for a field that is unknown or missing; ValueError."""
        if values.keys() != self.fields.keys():
            raise LookupError(f"{self.name} takes {', '.join(self.fields)}")
        return {
            name: None if value is None else self.fields[name].keep(value)
            for name, value in values.items()
        }

    def write(self, kept: Mapping[str, Any], language: str) -> Words:
        """The words with the values. Raises LookupError, ValueError or TypeError if they do not fit."""
        written = {
            name: kind.write(kept[name], language)
            for name, kind in self.fields.items()
            if kept[name] is not None
        }
        found = self.words[language]
        return Words(_filled(found.title, written), _filled(found.text, written))

    def places(self, language: str) -> set[str]:
        """The fields that its words in a language name."""
        return {name for part in self.words[language] for name in _PLACE.findall(part)}


@dataclass(frozen=True)
class Says:
    """An entry with its values. kept: as JSON."""

    saying: Saying
    kept: Mapping[str, Any]

    def words(self, language: str = ENGLISH) -> Words:
        """In a language."""
        return self.saying.write(self.kept, language)

    def stored(self) -> dict[str, Any]:
        """As the row of an alert keeps it."""
        return {"name": self.saying.name, "values": dict(self.kept)}


def stored_write(
    catalogue: Mapping[str, Saying], stored: Mapping[str, Any], language: str
) -> Words | None:
    """What a row has kept, in a language. None: this version cannot say it, and the log says why.

    An older or newer version may have kept it; then what it said in English stands in the row.
    """
    try:
        return catalogue[stored["name"]].write(stored["values"], language)
    except (LookupError, ValueError, TypeError, ArithmeticError) as exc:
        logger.warning("the alert text %s cannot be said in %s: %r", stored, language, exc)
        return None


def _filled(template: str, written: Mapping[str, str]) -> str:
    def part(found: re.Match[str]) -> str:
        inner = found[1]
        return inner if all(name in written for name in _PLACE.findall(inner)) else ""

    lines = (line.strip() for line in _OPTIONAL.sub(part, template).split("\n"))
    kept = "\n".join(filter(None, lines))
    return _PLACE.sub(lambda found: written[found[1]], kept).strip()
