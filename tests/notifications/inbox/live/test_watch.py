"""The look at the tables that all consoles of a process share."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.utils import timezone

from lib.ids import uuid7
from notifications.inbox.live import picture
from notifications.inbox.live.apart import apart
from notifications.inbox.live.watch import Watch
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
            assert (await next_of(texts, "clients"))["connections"] == 1

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
