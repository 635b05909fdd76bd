"""The look at the tables that all consoles of a process share."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import time
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.utils import timezone

from lib.ids import uuid7
from notifications.inbox.live import picture
from notifications.inbox.live.apart import apart
from notifications.inbox.live.watch import Latency, Watch
from notifications.inbox.models import Client

PARTS = {"clients", "pending", "counts", "latency", "tick"}
pytestmark = pytest.mark.django_db(transaction=True)


async def next_of(texts: AsyncGenerator[str, None], part: str) -> Any:
    async with asyncio.timeout(30):
        async for text in texts:
            frame = orjson.loads(text)
            if frame["type"] == f"console.{part}":
                return frame["data"]
    raise AssertionError


def come() -> None:
    now = timezone.now()
    Client.objects.create(
        id=uuid7(), pod_id="a", recipient_id=1, user_id=1, login="alice", connected_at=now,
        seen_at=now,
    )  # fmt: skip


def test_all_is_told_at_first_and_then_what_changes() -> None:
    async def story() -> None:
        async with aclosing(Watch(every_s=0.02).texts()) as texts:
            first = [orjson.loads(await anext(texts)) for _ in PARTS]
            assert {frame["type"] for frame in first} == {f"console.{part}" for part in PARTS}
            await apart(come)
            # A look that began before may still be told.
            async with asyncio.timeout(30):
                while (await next_of(texts, "clients"))["connections"] != 1:
                    pass

    async_to_sync(story)()


def test_two_consoles_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    real = picture.clients

    def counted() -> picture.Part:
        nonlocal looks
        looks += 1
        return real()

    monkeypatch.setattr(picture, "clients", counted)

    async def story() -> None:
        watch = Watch(every_s=3600)
        async with aclosing(watch.texts()) as one, aclosing(watch.texts()) as other:
            await next_of(one, "tick")
            await next_of(other, "tick")
        assert looks == 1

    async_to_sync(story)()


def test_nobody_looks_when_nobody_watches() -> None:
    async def story() -> None:
        watch = Watch(every_s=0.02)
        async with aclosing(watch.texts()) as texts:
            await next_of(texts, "tick")
        await asyncio.sleep(0)
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
        async with aclosing(watch.texts()) as texts:
            assert await next_of(texts, "tick")

    async_to_sync(story)()


def test_a_database_that_is_away_is_told_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real = picture.pending
    answers = iter([OperationalError("gone")])

    def pending() -> picture.Part:
        for error in answers:
            raise error
        return real()

    monkeypatch.setattr(picture, "pending", pending)

    async def story() -> None:
        async with aclosing(Watch(every_s=0.02).texts()) as texts:
            assert "database" in (await next_of(texts, "tick"))["trouble"]
            assert (await next_of(texts, "tick"))["trouble"] == ""

    async_to_sync(story)()


def test_a_second_that_is_seen_whole_once_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(time())
    looks = iter(
        [
            [[now - 900, 1, 1.0, 1.0, 1.0], [now - 1, 2, 3.0, 4.0, 5.0]],
            [[now - 1, 7, 3.5, 4.5, 5.5]],  # written late
            [[now - 1, 3, 9.0, 9.0, 9.0], [now, 1, 2.0, 2.0, 2.0]],  # half of it is out of sight
        ]
    )
    spans: list[int] = []

    def latency(seconds: int) -> list[list[float]]:
        spans.append(seconds)
        return next(looks)

    monkeypatch.setattr(picture, "latency", latency)
    watched = Latency()
    assert watched.look() == {"points": [[now - 1, 2, 3.0, 4.0, 5.0]]}
    assert watched.look() == {"points": [[now - 1, 7, 3.5, 4.5, 5.5]]}
    assert watched.look()["points"] == [[now - 1, 7, 3.5, 4.5, 5.5], [now, 1, 2.0, 2.0, 2.0]]
    assert spans == [600, 5, 5]
