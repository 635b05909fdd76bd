"""Keys in Redis that nothing will ever take away: found by SCAN, removed by UNLINK, never by KEYS.

Only names of ours are looked at, and of them only what is proved to be stale: what belongs to a person
whom Postgres does not know, and what should end by itself but has no end.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django_redis import get_redis_connection

from jobs import sql
from notifications.inbox import keys
from reports.retention.steps.base import Gone, Note

AT_ONCE = 500  # keys of one piece; also the hint to SCAN
LOOKED_AT = 200_000  # keys that a dry run looks at

_PERSON = re.compile(r"([0-9]{1,18})-(.{1,150})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Family:
    """Keys that begin alike. begin: literally; middle: a pattern of SCAN; stale: which of some may go."""

    title: str
    begin: str
    middle: str
    stale: Callable[[Any, str, Sequence[str]], list[str]]

    @property
    def pattern(self) -> str:
        """For SCAN. Characters of the prefix that would mean something to it are escaped."""
        return re.sub(r"([\\*?\[\]^-])", r"\\\1", self.begin) + self.middle


def families() -> list[Family]:
    """What of ours may be left behind in Redis."""
    cache = settings.CACHES["default"]["KEY_PREFIX"]
    return [
        Family("streams of unknown people", _begin(keys.stream), "*", _of_nobody),
        Family("read states of unknown people", _begin(keys.read_state), "*", _of_nobody),
        Family("retention of unknown people", _begin(keys.retention), "*", _of_nobody),
        Family("payloads without an end", keys.payload(""), "*", _endless),
        Family("counts of requests without an end", f"{cache}:", "*:throttle:*", _endless),
    ]


@dataclass(frozen=True, slots=True)
class Keys:
    """Stale keys of all families. Raises redis.RedisError if Redis is away."""

    table: str = "Redis"

    def remove(self, now: datetime, note: Note) -> Iterator[None]:
        del now
        redis = get_redis_connection("default")
        for family in families():
            for names in _packs(redis, family):
                if stale := family.stale(redis, family.begin, names):
                    size = _weight(redis, stale)
                    # Redis takes part in no transaction: a killed run has removed what it did not note.
                    note(Gone(int(redis.unlink(*stale)), size))
                yield

    def count(self, now: datetime) -> Gone:
        del now
        redis, left = get_redis_connection("default"), LOOKED_AT
        rows = size = 0
        for family in families():
            for names in _packs(redis, family):
                stale = family.stale(redis, family.begin, names)
                rows += len(stale)
                size += _weight(redis, stale)
                left -= len(names)
                if left <= 0:
                    return Gone(rows, size, is_estimate=True)
        return Gone(rows, size)


def _begin(key: Callable[[int, str], str]) -> str:
    """What all keys of one sort begin with, whatever the person."""
    return key(0, "").removesuffix("0-")


def _packs(redis: Any, family: Family) -> Iterator[list[str]]:
    """All keys of a family, some at a time. A key may come twice."""
    found = redis.scan_iter(match=family.pattern, count=AT_ONCE)
    names = (raw.decode("utf-8", "surrogateescape") for raw in found)
    while pack := list(islice(names, AT_ONCE)):
        yield pack


def _weight(redis: Any, names: Sequence[str]) -> int:
    """Bytes that keys take; one that is gone meanwhile takes none."""
    with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.memory_usage(name)
        return sum(size or 0 for size in pipe.execute())


def _of_nobody(redis: Any, begin: str, names: Sequence[str]) -> list[str]:
    """Those of people without a row. A key is written after its row is committed, so none is too new."""
    del redis
    people = {
        name: (int(match[1]), match[2])
        for name in names
        if (match := _PERSON.fullmatch(name[len(begin) :])) and "\x00" not in name
    }
    people = {name: person for name, person in people.items() if _is_text(person[1])}
    known = set(
        sql.rows(
            """SELECT r.user_id, r.login FROM unnest(%s::bigint[], %s::text[]) AS p (user_id, login)
            JOIN inbox_recipient r ON r.user_id = p.user_id AND r.login = p.login""",
            [[user for user, _ in people.values()], [login for _, login in people.values()]],
        )
    )
    return [name for name, person in people.items() if person not in known]


def _is_text(login: str) -> bool:
    """Whether it could be a login of ours: Postgres takes no half characters."""
    return not any("\ud800" <= char <= "\udfff" for char in login)


def _endless(redis: Any, begin: str, names: Sequence[str]) -> list[str]:
    """Those that will never end by themselves, though we write none without an end."""
    del begin
    with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.ttl(name)
        return [name for name, ttl in zip(names, pipe.execute(), strict=True) if ttl == -1]
