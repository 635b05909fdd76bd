"""Keys in Redis: stale ones of ours go, by SCAN and UNLINK; all others are left alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings
from redis import Redis
from redis.exceptions import RedisError

from jobs.testing import job_perform
from notifications.inbox import keys
from notifications.inbox.models import Recipient
from reports.retention.models import RunState
from reports.retention.steps.keys import Family, families
from tests.reports.retention.rows import run_of

KIND = "reports.clean_caches"


@pytest.fixture
def redis(clean_redis: None, db: None) -> Any:
    return get_redis_connection("default")


@pytest.fixture
def alien(redis: Any) -> Iterator[str]:
    """A key of somebody else that looks like one of ours."""
    name = "other-site:stream:user:999999-nobody"
    redis.set(name, "theirs")
    yield name
    redis.delete(name)


def test_keys_of_people_whom_nobody_knows_go(redis: Any) -> None:
    Recipient.objects.create(user_id=7, login="bob-1")
    known = [keys.stream(7, "bob-1"), keys.read_state(7, "bob-1"), keys.retention(7, "bob-1")]
    stale = [keys.stream(8, "bob-1"), keys.read_state(7, "bob"), keys.retention(9, "ann")]
    for name in [*known, *stale]:
        redis.set(name, "x")
    job_perform(KIND)
    assert [redis.exists(name) for name in known] == [1, 1, 1]
    assert [redis.exists(name) for name in stale] == [0, 0, 0]
    assert run_of(KIND).tables["Redis"]["rows"] == 3


def test_what_should_end_by_itself_goes_when_it_has_no_end(redis: Any, settings: Settings) -> None:
    prefix = settings.CACHES["default"]["KEY_PREFIX"]
    endless = [keys.payload("a"), f"{prefix}:1:throttle:anon:1.2.3.4:5"]
    ending = [keys.payload("b"), f"{prefix}:1:throttle:anon:1.2.3.4:6"]
    other = f"{prefix}:1:board"
    for name in [*endless, other]:
        redis.set(name, "x")
    for name in ending:
        redis.set(name, "x", ex=60)
    job_perform(KIND)
    assert [redis.exists(name) for name in endless] == [0, 0]
    assert [redis.exists(name) for name in [*ending, other]] == [1, 1, 1]


def test_keys_of_others_are_left_alone(redis: Any, alien: str) -> None:
    strange = f"{keys.stream(1, '')}".removesuffix("1-") + "no-number"
    half = keys.stream(1, "").encode() + b"\xff\xfe"
    redis.set(strange, "x")
    redis.set(half, "x")
    job_perform(KIND)
    assert [redis.exists(name) for name in (alien, strange, half)] == [1, 1, 1]


def test_a_prefix_is_meant_literally() -> None:
    family = Family("odd", "a*b[c]?:", "*", lambda *_: [])
    assert family.pattern == r"a\*b\[c\]\?:*"


def test_a_count_leaves_the_keys(redis: Any) -> None:
    redis.set(keys.stream(8, "x"), "x")
    job_perform(KIND, dry_run=True)
    assert redis.exists(keys.stream(8, "x"))
    assert run_of(KIND).tables["Redis"]["rows"] == 1


def test_the_server_is_never_asked_for_all_keys_at_once(
    redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("KEYS holds up everybody")

    with redis.pipeline(transaction=False) as pipe:
        for number in range(1200):
            pipe.set(keys.stream(number + 1, "gone"), "x")
        pipe.execute()
    for command in ("keys", "delete"):  # UNLINK frees the memory beside the others
        monkeypatch.setattr(Redis, command, refuse)
    job_perform(KIND)
    assert run_of(KIND).tables["Redis"]["rows"] == 1200
    assert not list(redis.scan_iter(match=families()[0].pattern))


@pytest.mark.usefixtures("db", "redis_away")
def test_without_redis_the_tables_are_done_and_the_run_says_why_it_failed() -> None:
    with pytest.raises(RedisError):
        job_perform(KIND)
    run = run_of(KIND)
    assert run.state == RunState.FAILED
    assert run.error.startswith("Redis is away (ConnectionError)")
