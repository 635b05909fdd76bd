"""A run: holds lanes, sends what is due in them in threads, writes what came of it, in batches.

The thread of the job does all of SQL; sender threads only speak HTTP. A hanging endpoint holds its
own lane and a few threads, the other lanes go on. A run is short, so that a stop finds it at its end;
what hangs then is waited for while a helper already serves the other lanes.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs.context import JobContext
from jobs.engine.ends import insist
from lib import clock
from notifications.webhooks import lanes
from notifications.webhooks.answers import judge
from notifications.webhooks.escalation import ends_hold, escalate
from notifications.webhooks.flow import Config, Due, Fate, Flow
from notifications.webhooks.lanes import Holder
from notifications.webhooks.signing import signature
from notifications.webhooks.wire import Reply, Wire

RUN_S = 8.0  # with the default timeout of a request shorter than WORKER_GRACE
LANES = 64  # of one run; more are left to helpers
BACKLOGS = 4  # of these so many with more to send than a pocket holds: helpers share the work
LOOK_S = 0.05  # between two looks for what became due
RENEW_S = 1.0
LINGER_S = 0.3  # a lane is kept so long after its last delivery: the next may be near
WRITE_AT = 64  # fates in a batch
WRITE_AFTER_S = 0.02  # and how long the first of them waits for others
LAND_MOST = 256  # answers taken in before lanes are filled again
HELP_S = 5.0
UNREADABLE = "its secret cannot be read: put the former key into SECRET_KEY_FALLBACKS"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Landed:
    """A request that has ended."""

    flow: Flow
    due: Due
    reply: Reply
    began: datetime


class Run:
    """One run. Afterwards `delivered`, `failed` and `throttled` count its attempts."""

    def __init__(self, context: JobContext, wire: Wire, call_help: Callable[[], None]) -> None:
        """call_help is called when there is more to do than one run should."""
        self.context = context
        self.counts = {"delivered": 0, "failed": 0, "throttled": 0}
        self._holder = Holder(context.id, context.fence)
        self._wire = wire
        self._call_help = call_help
        self._flows: dict[UUID, Flow] = {}
        self._active_at: dict[UUID, float] = {}
        self._landed: SimpleQueue[Landed] = SimpleQueue()
        self._fates: list[Fate] = []
        self._touched: dict[UUID, Flow] = {}
        self._in_flight = 0
        self._threads = ThreadPoolExecutor(settings.WEBHOOK_THREADS, "webhooks")
        self._until = time.monotonic() + RUN_S
        self._looked_at = self._renewed_at = self._oldest_fate_at = self._helped_at = float("-inf")

    def run(self) -> timedelta | None:
        """Send what is due. Returns in how long to come again, None if nothing waits."""
        try:
            while self._turn():
                pass
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)
        due = lanes.next_due_at()
        return None if due is None else max(due - clock.now(), timedelta(0))

    def _turn(self) -> bool:
        """One step. False: the run is over."""
        is_late = time.monotonic() > self._until or self.context.interrupt is not None
        if is_late:
            self._wind_up()
        else:
            self._look()
            self._launch()
        self._land()
        if self._fates and (is_late or self._must_write()):
            self._write()
        return bool(self._flows)

    def _wind_up(self) -> None:
        """Begin nothing more; let go what nothing is in flight for."""
        for flow in self._flows.values():
            flow.waiting.clear()
        self._renew()
        self._release(linger_s=0)
        if self._flows:
            self._help()

    def _help(self) -> None:
        if time.monotonic() - self._helped_at >= HELP_S:
            self._helped_at = time.monotonic()
            self._call_help()

    def _look(self) -> None:
        now, moment = time.monotonic(), clock.now()
        is_time = now - self._looked_at >= LOOK_S
        if is_time:
            self._looked_at = now
            self._renew()
            self._release(linger_s=LINGER_S)
            self._take()
        wants = [
            (flow, most)
            for flow in self._flows.values()
            if (flow.has_more or is_time) and (most := flow.wants(moment)) > 0
        ]
        if not wants:
            return
        for endpoint_id, due in lanes.deliveries_due(wants).items():
            self._flows[endpoint_id].waiting.extend(due)
            if due:
                self._active_at[endpoint_id] = now
        for flow, most in wants:
            flow.has_more = len(flow.waiting) >= most

    def _take(self) -> None:
        backlogs = sum(1 for flow in self._flows.values() if flow.is_busy)
        room = min(LANES - len(self._flows), BACKLOGS - backlogs)
        if room <= 0 or self._in_flight >= settings.WEBHOOK_THREADS:
            self._help()
            return
        for flow in lanes.lanes_take(self._holder, limit=room):
            self._flows[flow.config.endpoint_id] = flow
            self._active_at[flow.config.endpoint_id] = time.monotonic()

    def _renew(self) -> None:
        """Keep the lanes, see what people have changed, drop what is not ours any more."""
        if not self._flows or time.monotonic() - self._renewed_at < RENEW_S:
            return
        self._renewed_at = time.monotonic()
        kept = lanes.lanes_renew(self._holder)
        for endpoint_id, flow in self._flows.items():
            config = kept.get(endpoint_id)
            if config is None:
                flow.waiting.clear()
                flow.end = flow.end or "off"
            else:
                flow.config = config

    def _release(self, *, linger_s: float) -> None:
        now, moment = time.monotonic(), clock.now()
        over = []
        for endpoint_id, flow in self._flows.items():
            is_shut = bool(flow.end) or flow.closed_until(moment) is not None
            if is_shut:
                flow.waiting.clear()  # still pending in the table; they come when it opens
            if flow.is_idle and (is_shut or now - self._active_at[endpoint_id] >= linger_s):
                over.append(endpoint_id)
        if over:
            lanes.lanes_free(self._holder, over)
            for endpoint_id in over:
                del self._flows[endpoint_id], self._active_at[endpoint_id]

    def _launch(self) -> None:
        """Give each lane its turn until none may send more just now."""
        is_scarce = self._in_flight * 2 > settings.WEBHOOK_THREADS
        hungry = list(self._flows.values())
        while hungry and self._in_flight < settings.WEBHOOK_THREADS:
            still = []
            for flow in hungry:
                due = flow.launch(clock.now(), time.monotonic(), is_scarce=is_scarce)
                if due is not None:
                    self._in_flight += 1
                    self._threads.submit(self._send, flow, flow.config, due)
                    still.append(flow)
            hungry = still

    def _send(self, flow: Flow, config: Config, due: Due) -> None:
        """In a sender thread: one request, whose end goes back to the thread of the job."""
        began = clock.now()
        try:
            reply = self._request(config, due, began)
        except Exception:
            logger.exception("delivery %d cannot be sent", due.id)
            reply = Reply(None, "our own error; the log has it")
        self._landed.put(Landed(flow, due, reply, began))

    def _request(self, config: Config, due: Due, began: datetime) -> Reply:
        if not config.secrets:
            return Reply(None, UNREADABLE)
        body, message_id, timestamp = (
            due.body.encode(),
            f"msg_{due.event_id.hex}",
            int(began.timestamp()),
        )
        return self._wire.post(
            config.url,
            body,
            {
                "Content-Type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(config.secrets, message_id, timestamp, body),
            },
            timeout_s=config.timeout_s,
        )

    def _land(self) -> None:
        """Take in the answers that are there; wait a moment if there is none and nothing to do."""
        patience_s = WRITE_AFTER_S if self._in_flight or self._flows else 0
        for _ in range(LAND_MOST):
            try:
                landed = (
                    self._landed.get(timeout=patience_s)
                    if patience_s
                    else self._landed.get_nowait()
                )
            except Empty:
                return
            patience_s = 0
            self._settle(landed)

    def _settle(self, landed: Landed) -> None:
        now = clock.now()
        verdict = judge(landed.reply, now)
        if not self._fates:
            self._oldest_fate_at = time.monotonic()
        self._fates.append(
            landed.flow.settle(landed.due, landed.reply, verdict, began=landed.began, now=now)
        )
        self._touched[landed.flow.config.endpoint_id] = landed.flow
        self._active_at[landed.flow.config.endpoint_id] = time.monotonic()
        self._in_flight -= 1
        self.counts[verdict.outcome] += 1

    def _must_write(self) -> bool:
        waited = time.monotonic() - self._oldest_fate_at
        return len(self._fates) >= WRITE_AT or waited >= WRITE_AFTER_S or not self._in_flight

    def _write(self) -> None:
        fates, flows = self._fates, list(self._touched.values())
        self._fates, self._touched = [], {}
        done: list[tuple[set[int], set[UUID]]] = []
        # What was answered is known here alone: a database that is away for a moment is waited for.
        insist(lambda: done.append(fates_and_ends_write(self._holder, fates, flows)))
        changed, held = done[-1]
        for touched in flows:
            if touched.config.endpoint_id not in held:
                touched.end = touched.end or "lost"  # whoever holds the lane now goes on
        for fate in fates:
            if (flow := self._flows.get(fate.endpoint_id)) is not None:
                flow.unwritten.discard(fate.delivery_id)
            if fate.delivery_id not in changed:
                logger.info("delivery %d was decided by somebody else", fate.delivery_id)


def fates_and_ends_write(
    holder: Holder, fates: Sequence[Fate], flows: Sequence[Flow]
) -> tuple[set[int], set[UUID]]:
    """Write fates, and what they mean for endpoints that go on failing. Returns as fates_write does.

    Locks: endpoints that are to be switched off, lanes, deliveries; each in the order of their ids.
    """
    with transaction.atomic():
        ends_hold(flows)
        changed, held = lanes.fates_write(holder, fates, flows)
        for flow in flows:
            if flow.config.endpoint_id in held:
                escalate(flow)
    for flow in flows:
        flow.warn = 0  # it is announced; not before the commit, for that may fail and be repeated
    return changed, held
