"""python feed.py BOARD PEOPLE FAN WINDOW RATE: send to the groups until the harness has enough."""

import asyncio
import os
import sys
from pathlib import Path
from time import monotonic_ns

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from channels.layers import get_channel_layer  # noqa: E402

from benchmarks.inbox.board import board  # noqa: E402
from benchmarks.inbox.pace import Pace  # noqa: E402
from benchmarks.inbox.wire import push_frame  # noqa: E402

PAUSE_S = 0.0005


async def main(path, people, fan, window, rate):
    layer = get_channel_layer()
    pace = Pace(board(Path(path)), int(people), int(fan), window=int(window), rate=float(rate))

    async def send(person, number):
        text = push_frame(person, number, monotonic_ns())
        await layer.group_send(f"user_{person}", {"type": "inbox.push", "text": text})

    while not pace.over():
        due = pace.due()
        if not due:
            await asyncio.sleep(PAUSE_S)
        # Different people, so these may overtake each other.
        await asyncio.gather(*(send(person, number) for person, number in due))


asyncio.run(main(*sys.argv[1:]))
