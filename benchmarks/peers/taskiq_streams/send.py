"""taskiq has no bulk call; its users gather many sends, which is measured as `bulk`."""

import asyncio

import uvloop
from app import broker, noop

AT_ONCE = 100


def one(jobs):
    async def main():
        await broker.startup()
        for n in range(jobs):
            await noop.kiq(n)
        await broker.shutdown()

    uvloop.run(main())


def bulk(jobs):
    async def main():
        await broker.startup()
        for start in range(0, jobs, AT_ONCE):
            await asyncio.gather(*map(noop.kiq, range(start, min(start + AT_ONCE, jobs))))
        await broker.shutdown()

    uvloop.run(main())
