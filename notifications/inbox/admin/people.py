"""People as operators write them: "7:alice", "7-alice", a user id, or a login."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from notifications.inbox.models import Recipient

LOGIN_MOST = 150  # characters
USER_ID_MOST = 2**63 - 1
_PAIR = re.compile(r"(\d{1,19})\s*[:\- ]\s*(\S.*)")
_BETWEEN = re.compile(r"[\n,;]+")


@dataclass(frozen=True, slots=True)
class Person:
    """What was written of somebody. One of the two may be missing."""

    user_id: int | None
    login: str

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.user_id, self.login) if part not in (None, ""))


def person_read(text: str) -> Person | None:
    """The person that a text names; None if it cannot name anybody."""
    text = text.strip().lstrip("@#")
    if not text or "\x00" in text or len(text) > LOGIN_MOST + 24:
        return None
    if (pair := _PAIR.fullmatch(text)) is not None:
        user_id, login = int(pair[1]), pair[2].strip()
        if 1 <= user_id <= USER_ID_MOST and len(login) <= LOGIN_MOST:
            return Person(user_id, login)
    if text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= USER_ID_MOST:
        return Person(int(text), "")
    return Person(None, text) if len(text) <= LOGIN_MOST else None


def people_read(text: str) -> tuple[list[Person], list[str]]:
    """The people of a list with commas or lines between them, each once; and what is none."""
    found: dict[Person, None] = {}
    strange: list[str] = []
    for part in _BETWEEN.split(text):
        if not part.strip():
            continue
        person = person_read(part)
        if person is None:
            strange.append(part.strip())
        else:
            found[person] = None
    return list(found), strange


def person_q(person: Person) -> Q:
    """The rows of a person. A number alone may also be a login, and a login may hold a dash."""
    if person.user_id is None:
        return Q(login=person.login)
    if not person.login:
        return Q(user_id=person.user_id) | Q(login=str(person.user_id))
    dashed = f"{person.user_id}-{person.login}"
    return Q(user_id=person.user_id, login=person.login) | Q(login=dashed)


def people_named(text: str, *, most: int = 100) -> list[Recipient]:
    """Who is meant by a text, in the order of their ids. One query; none if it names nobody."""
    if (person := person_read(text)) is None:
        return []
    return list(Recipient.objects.filter(person_q(person)).order_by("pk")[:most])


def people_written(people: Iterable[Person]) -> str:
    """The text of a list of people, one on each line."""
    return "\n".join(map(str, people))
