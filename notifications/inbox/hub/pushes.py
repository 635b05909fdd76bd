"""Which screens a notification reached: counted, and kept for a recall to say how many have seen it."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor

from django.conf import settings
from django.db import connection, transaction

from notifications.inbox.hub.batch import Batch
from notifications.inbox.hub.metrics import METRICS
from notifications.inbox.hub.screen import Screen

EVERY_S = 0.1

Pushed = tuple[str, float, str]  # (notification id, when in unix ms, client ids with commas)


class Pushes:
    """Of one hub. Postgres has them a moment later."""

    def __init__(self, executor: Executor) -> None:
        self._delivered: list[tuple[str, int, int, str]] = []
        self._batch: Batch[Pushed] = Batch(executor, pushes_write, every_s=EVERY_S)

    def delivered(self, notification_id: str, position: int, screens: list[Screen]) -> None:
        """A notification was written to these screens; its position is when it was accepted."""
        if not self._delivered:
            asyncio.get_running_loop().call_soon(self._note)
        devices = (
            screens[0].client_id
            if len(screens) == 1
            else ",".join([screen.client_id for screen in screens])
        )
        self._delivered.append((notification_id, position, len(screens), devices))

    def showed(self, notification_ids: Iterable[str], screen: Screen) -> None:
        """A screen was sent notifications that were waiting for it."""
        now_ms = time.time() * 1000
        self._batch.extend([(each_id, now_ms, screen.client_id) for each_id in notification_ids])

    async def flush(self) -> None:
        """Write what is left now."""
        await self._batch.flush()

    def _note(self) -> None:
        """All that was delivered in this turn of the loop, at once: there may be thousands a second."""
        delivered, self._delivered = self._delivered, []
        now_ms = time.time() * 1000
        METRICS.delivered([(now_ms - position, count) for _, position, count, _ in delivered])
        self._batch.extend([(each_id, now_ms, devices) for each_id, _, _, devices in delivered])


def pushes_write(pushes: Sequence[Pushed]) -> None:
    """Note what reached whom. A crash of the machine may forget the last moment of it.

    The columns travel as one text each: to write out lists would keep the event loop waiting.
    """
    notification_ids, moments, devices = zip(*pushes, strict=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(
            "INSERT INTO inbox_push (notification_id, pod_id, at, devices)"
            " SELECT nid::uuid, %s, to_timestamp(ms::float8 / 1000), string_to_array(devices, ',')"
            " FROM unnest(string_to_array(%s, ' '), string_to_array(%s, ' '),"
            " string_to_array(%s, ' ')) AS t (nid, ms, devices)",
            [
                settings.POD_ID,
                " ".join(notification_ids),
                " ".join([str(moment) for moment in moments]),
                " ".join(devices),
            ],
        )
