"""The payments suite: how fast the webhook of Crypto Pay is answered, and that nothing of it is lost.

Each delivery is another invoice, signed, over a kept connection; requests start on time, so a server
that stalls cannot hide it. The jobs that follow wait: no worker runs, as in the worst minute.
"""

import asyncio
import hashlib
import hmac
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import Options
from benchmarks.inbox.rivals import HOST
from benchmarks.inbox.site import Site
from benchmarks.noise import Noise
from benchmarks.processes import BenchFailed
from benchmarks.report import Table
from benchmarks.servers import Servers, servers_started

TOKEN = "41207:of-the-bench-only"  # of no app
RATE = 100.0  # requests a second
BAR_MS = 50
CONNECTIONS = 32
BULK = 20_000
NOTES = (
    "One web process (uvicorn), DEBUG off, PostgreSQL with fsync on; client, database and site share the "
    "machine. Answered means: body, row and job are committed.",
    f"Latency counts from the moment when a request was due, {RATE:.0f} a second, over {CONNECTIONS} kept "
    "connections. Repeated: every delivery is one that came before.",
    f"With bulk work waiting: {BULK:,} jobs are in the table, and none is run meanwhile.",
)


def payments(options: Options) -> Table:
    """About a minute; quick, a third. Raises BenchFailed when a delivery has no row or no job."""
    seconds = 5.0 if options.quick else 20.0
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = Path(folder)
        with servers_started(workspace) as servers:
            site = Site(servers, workspace)
            site.env["CRYPTOBOT_TOKEN"] = TOKEN
            with site.webs(1) as (_, ports):
                bench = Bench(servers, ports[0])
                bench.sent(1.0, RATE)  # what is done once per process is done
                noise = Noise()
                steady = bench.sent(seconds, RATE)
                again = bench.sent(seconds / 2, RATE, is_repeated=True)
                bench.bulk()
                busy = bench.sent(seconds / 2, RATE)
                most = bench.sent(seconds / 2, 0.0)
                others = noise.cores()
    return Table(
        suite="payments",
        title="Webhook of Crypto Pay",
        columns=("measure", "value", "bar"),
        rows=(
            ("answered at 100/s, p50", f"{steady['p50_ms']:.1f} ms", ""),
            ("answered at 100/s, p95", f"{steady['p95_ms']:.1f} ms", f"< {BAR_MS} ms"),
            ("answered at 100/s, p99", f"{steady['p99_ms']:.1f} ms", ""),
            ("repeated deliveries at 100/s, p95", f"{again['p95_ms']:.1f} ms", ""),
            (
                f"with {BULK:,} bulk jobs waiting, p95",
                f"{busy['p95_ms']:.1f} ms",
                f"< {BAR_MS} ms",
            ),
            ("as fast as it answers", f"{most['rate']:.0f} deliveries/s", ""),
            ("deliveries without a row or a job", "0", "0"),
            ("cores that others took meanwhile", f"{others:.2f}", ""),
        ),
        notes=NOTES,
        figures=(
            {"part": "steady", **steady},
            {"part": "repeated", **again},
            {"part": "busy", **busy},
            {"part": "most", **most},
            {"others_cores": others},
        ),
    )


class Bench:
    """One web process, and the deliveries that it gets."""

    def __init__(self, servers: Servers, port: int) -> None:
        self._servers = servers
        self._port = port
        self._next = 1
        self._last = 1  # the first invoice of the part before

    def sent(self, seconds: float, rate: float, *, is_repeated: bool = False) -> dict[str, Any]:
        """Deliver for so long; rate 0: as fast as it answers. Checks that rows and jobs are there."""
        before = self._counts()
        first = self._last if is_repeated else self._next
        waits, took = asyncio.run(_Load(self._port, first).run(seconds, rate))
        if not is_repeated:
            self._last, self._next = first, first + len(waits)
        rows, jobs = (now - old for now, old in zip(self._counts(), before, strict=True))
        wanted = (len(waits), 0 if is_repeated else len(waits))
        if (rows, jobs) != wanted:
            raise BenchFailed(
                f"payments: {wanted} rows and jobs expected, {(rows, jobs)} are there"
            )
        waits.sort()
        return {
            "deliveries": len(waits),
            "rate": len(waits) / took,
            "p50_ms": statistics.median(waits),
            "p95_ms": waits[round((len(waits) - 1) * 0.95)],
            "p99_ms": waits[round((len(waits) - 1) * 0.99)],
            "max_ms": waits[-1],
        }

    def bulk(self) -> None:
        """Fill the table of jobs with work that is due."""
        with self._servers.postgres() as connection:
            connection.execute(
                """INSERT INTO jobs_job (id, kind, queue, priority, state, args, run_at, attempt,
                    max_attempts, crash_count, fence, skip_ahead, debounced, timeout_s, created_at,
                    blocked)
                SELECT gen_random_uuid(), 'jobs.noop', 'default', 2, 'available', '{}', now(), 0, 1, 0,
                    0, false, 0, 60, now(), false FROM generate_series(1, %s)""",
                [BULK],
            )

    def _counts(self) -> tuple[int, int]:
        with self._servers.postgres() as connection:
            row = connection.execute(
                """SELECT (SELECT count(*) FROM incoming_webhook),
                (SELECT count(*) FROM jobs_job WHERE kind = 'payments.process_webhook')"""
            ).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])


class _Load:
    """Signed deliveries, each of another invoice, from a number on."""

    def __init__(self, port: int, first: int) -> None:
        self._port = port
        self._next = first
        self._key = hashlib.sha256(TOKEN.encode()).digest()
        self._waits: list[float] = []

    async def run(self, seconds: float, rate: float) -> tuple[list[float], float]:
        """The waits in milliseconds, and how long it took in seconds."""
        due: asyncio.Queue[float] = asyncio.Queue()
        began = time.monotonic()
        ends = began + seconds
        lines = [
            asyncio.create_task(self._line(due, 0.0 if rate else ends)) for _ in range(CONNECTIONS)
        ]
        if rate:
            for number in range(int(seconds * rate)):
                at = began + number / rate
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                due.put_nowait(at)
            for _ in lines:
                due.put_nowait(-1.0)
        await asyncio.gather(*lines)
        return self._waits, time.monotonic() - began

    async def _line(self, due: "asyncio.Queue[float]", ends: float) -> None:
        """One connection: takes what is due, or (with an end) sends without a pause."""
        reader, writer = await asyncio.open_connection(HOST, self._port)
        while (at := time.monotonic() if ends else await due.get()) >= 0 and (
            not ends or at < ends
        ):
            writer.write(self._request())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200") or b"content-length: 0" not in head.lower():
                raise BenchFailed(f"payments: answered {head[:200]!r}")
            self._waits.append((time.monotonic() - at) * 1000)
        writer.close()

    def _request(self) -> bytes:
        number, self._next = self._next, self._next + 1
        invoice = {
            "invoice_id": number, "hash": f"IV{number}", "currency_type": "crypto", "asset": "USDT",
            "amount": "5", "paid_asset": "USDT", "paid_amount": "5", "fee_asset": "USDT",
            "fee_amount": "0.15", "status": "paid", "payload": f"order-{number}",
            "bot_invoice_url": f"https://t.me/CryptoBot?start=IV{number}",
            "description": "Standard, 1 month", "allow_comments": True, "allow_anonymous": True,
            "created_at": "2026-11-22T11:00:00.000Z", "paid_at": "2026-11-22T11:59:00.000Z",
        }  # fmt: skip
        body = json.dumps(
            {
                "update_id": number,
                "update_type": "invoice_paid",
                "request_date": "2026-11-22T12:00:00.000Z",
                "payload": invoice,
            }
        ).encode()
        signature = hmac.new(self._key, body, hashlib.sha256).hexdigest()
        head = (
            f"POST /webhooks/cryptobot/ HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Content-Type: application/json\r\ncrypto-pay-api-signature: {signature}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body
