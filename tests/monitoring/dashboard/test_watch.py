"""The look at the tables that all dashboards of a process share."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError

from jobs.testing import assert_enqueued
from monitoring.dashboard import watch as watching
from monitoring.dashboard.calling import call
from monitoring.dashboard.events import event_note
from monitoring.dashboard.frames import mark_read
from monitoring.dashboard.models import PlatformEvent
from monitoring.dashboard.refreshing import snapshot_refresh
from monitoring.dashboard.watch import Said, Watch
from notifications.inbox.live.apart import apart
from tests.monitoring.dashboard.rows import alert_make

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = {"events", "alerts", "snapshot", "tick"}
NEVER_S = 3600.0


async def next_of(texts: AsyncGenerator[Said, None], part: str) -> Any:
    async with asyncio.timeout(30):
        async for said in texts:
            frame = orjson.loads(said.text)
            if frame["type"] == f"dashboard.{part}":
                return frame["data"]
    raise AssertionError


async def titled(texts: AsyncGenerator[Said, None], title: str) -> dict[str, Any]:
    """The feed, once it begins with this."""
    while True:
        items = (await next_of(texts, "events"))["items"]
        if items and items[0]["title"] == title:
            found: dict[str, Any] = items[0]
            return found


def test_all_is_told_at_first() -> None:
    async def story() -> None:
        await apart(snapshot_refresh)
        async with aclosing(Watch().frames()) as texts:
            first = [orjson.loads((await anext(texts)).text) for _ in FIRST]
            assert {frame["type"] for frame in first} == {f"dashboard.{part}" for part in FIRST}

    async_to_sync(story)()


def test_an_event_is_told_because_somebody_called() -> None:
    """Nobody looks by themselves in this test: what arrives was called for, through Redis."""

    async def story() -> None:
        async with aclosing(Watch(poll_s=NEVER_S).frames()) as texts:
            await next_of(texts, "tick")
            await apart(partial(event_note, "node_offline", "fra-1 is offline", "", "critical"))
            event = await titled(texts, "fra-1 is offline")
            assert (event["kind"], event["severity"]) == ("node_offline", "critical")
            await apart(lambda: (alert_make(), event_note("node_offline", "another")))
            while (await next_of(texts, "alerts"))["open"] != 1:
                pass  # what was told with the first one

    async_to_sync(story)()


def test_an_event_whose_transaction_took_longer_is_told_beside_a_later_one() -> None:
    """Its number is the smaller one, and it can be seen only after the other."""

    async def story() -> None:
        async with aclosing(Watch(poll_s=NEVER_S).frames()) as texts:
            await next_of(texts, "tick")
            later = await apart(partial(event_note, "node_offline", "fra-2 is offline"))
            await titled(texts, "fra-2 is offline")
            await apart(partial(_event_before, later, "fra-1 is offline"))
            items = (await next_of(texts, "events"))["items"]
            assert [item["title"] for item in items[:2]] == ["fra-2 is offline", "fra-1 is offline"]

    def _event_before(later: PlatformEvent, title: str) -> None:
        PlatformEvent.objects.create(
            pk=later.pk - 1_000_000, kind="node_offline", title=title, at=later.at
        )
        call()

    async_to_sync(story)()


def test_a_picture_is_told_when_it_is_taken() -> None:
    async def story() -> None:
        async with aclosing(Watch(poll_s=NEVER_S).frames()) as texts:
            await next_of(texts, "tick")
            await apart(snapshot_refresh)
            assert "servers" in await next_of(texts, "snapshot")

    async_to_sync(story)()


def test_without_redis_it_is_found_by_looking(redis_gone: None) -> None:
    async def story() -> None:
        async with aclosing(Watch(poll_s=0.02).frames()) as texts:
            await next_of(texts, "tick")
            await apart(partial(event_note, "node_offline", "fra-1 is offline"))
            await titled(texts, "fra-1 is offline")

    async_to_sync(story)()


def test_after_an_event_the_figures_are_asked_for_once() -> None:
    async def story() -> None:
        async with aclosing(Watch(poll_s=0.02).frames()) as texts:
            await next_of(texts, "tick")
            for number in range(3):
                await apart(partial(event_note, "payment_completed", f"paid {number}"))
                await titled(texts, f"paid {number}")

    async_to_sync(story)()
    assert_enqueued("monitoring.refresh_dashboard")


def test_two_dashboards_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def counted() -> Any:
        nonlocal looks
        looks += 1
        return mark_read()

    monkeypatch.setattr(watching, "mark_read", counted)

    async def story() -> None:
        watch = Watch(poll_s=NEVER_S)
        async with aclosing(watch.frames()) as one, aclosing(watch.frames()) as other:
            await next_of(one, "tick")
            heard = looks
            await next_of(other, "tick")
            assert looks - heard <= 1  # the call when Redis is heard

    async_to_sync(story)()


def test_nobody_looks_when_nobody_follows() -> None:
    async def story() -> None:
        watch = Watch(poll_s=0.01)
        async with aclosing(watch.frames()) as texts:
            await next_of(texts, "tick")
        async with asyncio.timeout(30):
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0)
        async with aclosing(watch.frames()) as texts:
            await next_of(texts, "tick")

    async_to_sync(story)()


def test_silence_ticks() -> None:
    async def story() -> None:
        async with aclosing(Watch(poll_s=0.01, tick_s=0.02).frames()) as texts:
            first = await next_of(texts, "tick")
            second = await next_of(texts, "tick")
            assert second["now"] > first["now"]

    async_to_sync(story)()


def test_a_database_that_is_away_is_told_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [OperationalError("gone")]

    def failing() -> Any:
        if errors:
            raise errors.pop()
        return mark_read()

    monkeypatch.setattr(watching, "mark_read", failing)

    async def story() -> None:
        async with aclosing(Watch(poll_s=0.01).frames()) as texts:
            assert "cannot be reached" in (await next_of(texts, "tick"))["trouble"]
            async with asyncio.timeout(30):
                while (await next_of(texts, "tick"))["trouble"]:
                    pass

    async_to_sync(story)()
