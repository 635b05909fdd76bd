"""The look at an operation that all its viewers share."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError

from jobs.progress.registry import OperationUnknown
from jobs.progress.snapshot import Stage
from jobs.progress.watch import TICK, Watch
from lib.ids import uuid7
from tests.jobs.progress.kinds import Digging

pytestmark = pytest.mark.django_db(transaction=True)


async def frames_until(frames: AsyncGenerator[str, None], **wanted: Any) -> list[dict[str, Any]]:
    """The frames up to one whose data holds what is wanted."""
    heard: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        async for text in frames:
            heard.append(orjson.loads(text))
            if wanted.items() <= heard[-1]["data"].items():
                return heard
    raise AssertionError(heard)


def test_the_snapshot_comes_at_once_then_changes_then_the_end(digging: Digging) -> None:
    async def story() -> list[dict[str, Any]]:
        async with aclosing(Watch(every_s=0.01).frames(digging.now.id)) as frames:
            await frames_until(frames, done=4)
            digging.set(done=5)
            await frames_until(frames, done=5)
            digging.set(done=9, stage=Stage.OVER, state="dug", actions=[])
            return [orjson.loads(text) async for text in frames]  # it ends by itself

    last = async_to_sync(story)()[-1]
    assert last["type"] == "progress.snapshot"
    assert (last["data"]["stage"], last["data"]["percent"]) == ("over", 100.0)


def test_what_does_not_change_is_not_told_again(digging: Digging) -> None:
    digging.set(stage=Stage.PAUSED)

    async def story() -> None:
        watch = Watch(every_s=0.005, tick_s=3600)
        async with aclosing(watch.frames(digging.now.id)) as frames:
            await frames_until(frames, done=4)
            looked = digging.looks
            following = asyncio.ensure_future(anext(frames))
            async with asyncio.timeout(30):
                while digging.looks < looked + 5:
                    await asyncio.sleep(0)
            assert not following.done()
            digging.set(done=5)
            async with asyncio.timeout(30):
                assert orjson.loads(await following)["data"]["done"] == 5

    async_to_sync(story)()


def test_a_silent_operation_ticks(digging: Digging) -> None:
    digging.set(stage=Stage.PAUSED)

    async def story() -> None:
        async with aclosing(Watch(every_s=3600, tick_s=0.01).frames(digging.now.id)) as frames:
            await frames_until(frames, done=4)
            async with asyncio.timeout(30):
                assert await anext(frames) == TICK

    async_to_sync(story)()


def test_many_viewers_share_one_look(digging: Digging) -> None:
    async def story() -> None:
        watch = Watch(every_s=3600)
        viewers = [watch.frames(digging.now.id) for _ in range(50)]
        heard = await asyncio.gather(*(frames_until(each, done=4) for each in viewers))
        assert len(heard) == 50
        for each in viewers:
            await each.aclose()

    async_to_sync(story)()
    assert digging.looks == 1


def test_nobody_looks_when_nobody_watches(digging: Digging) -> None:
    async def story() -> None:
        watch = Watch(every_s=0.01)
        async with aclosing(watch.frames(digging.now.id)) as frames:
            await frames_until(frames, done=4)
        await asyncio.sleep(0)
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
        async with aclosing(watch.frames(digging.now.id)) as frames:
            await frames_until(frames, done=4)

    async_to_sync(story)()


def test_what_was_over_can_be_followed_again(digging: Digging) -> None:
    digging.set(stage=Stage.OVER)

    async def story() -> None:
        watch = Watch(every_s=0.01)
        assert len([text async for text in watch.frames(digging.now.id)]) == 1
        digging.set(stage=Stage.RUNNING, total=20)
        async with aclosing(watch.frames(digging.now.id)) as frames:
            await frames_until(frames, stage="running", total=20)

    async_to_sync(story)()


def test_an_unknown_operation_ends_the_frames_of_all(digging: Digging) -> None:
    async def story() -> None:
        watch, wanted = Watch(every_s=0.01), uuid7()
        for _ in range(2):
            with pytest.raises(OperationUnknown):
                await anext(watch.frames(wanted))

    async_to_sync(story)()


def test_a_database_that_is_away_is_told_and_asked_again(digging: Digging) -> None:
    digging.errors.append(OperationalError("gone"))

    async def story() -> None:
        async with aclosing(Watch(every_s=0.01).frames(digging.now.id)) as frames:
            heard = await frames_until(frames, done=4)
        assert [frame["type"] for frame in heard] == ["progress.trouble", "progress.snapshot"]

    async_to_sync(story)()


def test_an_error_of_the_kind_reaches_the_viewers(digging: Digging) -> None:
    digging.errors.append(ZeroDivisionError())

    async def story() -> None:
        with pytest.raises(ZeroDivisionError):
            await anext(Watch(every_s=0.01).frames(digging.now.id))

    async_to_sync(story)()
