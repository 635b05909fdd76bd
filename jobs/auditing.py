"""How the audit log is told: "alice replayed job ...". Each app registers its own words and things.

An app has an `audit_words.py`, imported when the apps are ready:

    words_register({"broadcasts.pause": "paused"}, things={"broadcast": Page("broadcasts_broadcast")})

What nobody has registered is shown as it is stored.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Page:
    """Each thing has a page of its own. model: as the addresses of the admin name it, "inbox_pod"."""

    model: str

    def address(self, kind: str, name: str) -> str:
        """Raises NoReverseMatch where the name cannot be a key."""
        del kind
        return reverse(f"admin:{self.model}_change", args=[name])


@dataclass(frozen=True, slots=True)
class Listed:
    """All are on one page, each with an anchor: "queue-default"."""

    model: str

    def address(self, kind: str, name: str) -> str:
        """The list, at the thing."""
        return f"{reverse(f'admin:{self.model}_changelist')}#{kind}-{quote(name)}"


@dataclass(frozen=True, slots=True)
class Sought:
    """A thing is found by searching the list for its name."""

    model: str

    def address(self, kind: str, name: str) -> str:
        """The list, searched."""
        del kind
        return f"{reverse(f'admin:{self.model}_changelist')}?q={quote(name)}"


Thing = Page | Listed | Sought
Word = TypeVar("Word")

_verbs: dict[str, str] = {}
_things: dict[str, Thing] = {}
_pairs: set[str] = set()


def words_register(
    verbs: Mapping[str, str],
    *,
    things: Mapping[str, Thing] | None = None,
    pairs: Collection[str] = (),
) -> None:
    """Say how acts are told, in the past tense, and where the things are that they are about.

    verbs: by action; things: by object_type. pairs: actions whose changes are [before, after]. Repeat:
    the same words are fine. Raises ValueError if another app has other words for it.
    """
    _put(_verbs, verbs)
    _put(_things, things or {})
    _pairs.update(pairs)


def _put(known: dict[str, Word], given: Mapping[str, Word]) -> None:
    for name, word in given.items():
        if known.setdefault(name, word) != word:
            raise ValueError(f"the audit log has other words for {name!r} already")


def verb_of(action: str) -> str:
    """What was done, in the past tense; an action that nobody registered as it is."""
    return _verbs.get(action, action)


def is_pair(action: str) -> bool:
    """Do its changes say what it was, and what it became?"""
    return action in _pairs


def address_of(kind: str, name: str) -> str:
    """The address of a thing in the console; nothing if it has none."""
    thing = _things.get(kind)
    if thing is None:
        return ""
    try:
        return thing.address(kind, name)
    except NoReverseMatch:
        return ""
