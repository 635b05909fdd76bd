"""One call to a service, from its arrival to the journal, with the faults that were ordered.

A service reads the call, says what a failure of its own looks like, and performs it; everything
else is the same for all services and lives here.
"""

import asyncio
import time
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from tests.sandbox.clock import SandboxClock
from tests.sandbox.faults import Fault, FaultBook, Kind
from tests.sandbox.journal import Call, Journal
from tests.sandbox.wire import HTML, JSON, Answer, cut, json_answer, send_answer

BROKEN_EDGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n"
    b"</body>\r\n</html>\r\n"
)
_CUTS = {Kind.CUT_BEFORE, Kind.DOWN, Kind.CUT_AFTER}


class Exchange:
    """Runs the calls of all services under the orders of one fault book and by one clock."""

    def __init__(self, faults: FaultBook, journal: Journal) -> None:
        self.faults = faults
        self.journal = journal
        self.clock = SandboxClock()
        self._stopping = asyncio.Event()
        self._on_start: list[Callable[[], None]] = []
        self._on_stop: list[Callable[[], None]] = []

    def on_start(self, listener: Callable[[], None]) -> None:
        """Call a function as soon as calls are answered, inside the event loop."""
        self._on_start.append(listener)

    def on_stop(self, listener: Callable[[], None]) -> None:
        """Call a function when the program ends by a signal or with its parent."""
        self._on_stop.append(listener)

    def start(self) -> None:
        """Begin what goes on by itself. Needs a running event loop."""
        for listener in self._on_start:
            listener()

    def stop(self) -> None:
        """End all delays now: their connections are cut, so that the program can stop."""
        self._stopping.set()
        for listener in self._on_stop:
            listener()

    async def run(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        call: Call,
        chat_id: Callable[[], int | None],
        perform: Callable[[], Answer],
        failure: Callable[[Fault], Answer],
    ) -> int | None:
        """Answer one call whose body is read, or cut it; return the status, None if it was cut.

        chat_id says whom the call is about, for faults that are ordered for him alone; it is asked
        only while faults are ordered. perform does what the call asks for and must not wait. failure
        words the answer of an ordered status or rate_limit in the service's own form.
        """
        plan = (
            self.faults.plan(call.service, call.method, chat_id()) if self.faults.is_any() else None
        )
        answer: Answer | None
        if plan is None:
            answer = perform()
        else:
            answer = _act(plan.fault, perform, failure)
            call.fault = plan.fault.kind.value if plan.fault else Kind.LATENCY.value
            if plan.latency_s and await self._is_stopped_within(plan.latency_s):
                answer = None
        call.status = None if answer is None else answer.status
        call.duration_ms = round((time.time() - call.at) * 1000, 2)
        self.journal.add(call)
        if answer is None:
            await cut(scope, receive)
        else:
            await send_answer(send, answer)
        return call.status

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False


def _act(
    fault: Fault | None, perform: Callable[[], Answer], failure: Callable[[Fault], Answer]
) -> Answer | None:
    """Perform the call unless the fault forbids it; None means that the connection is cut."""
    if fault is None:
        return perform()
    if fault.kind is Kind.CUT_AFTER or fault.record:
        performed = perform()
        if performed.status >= 400:
            return performed if fault.record else None
    if fault.kind in _CUTS:
        return None
    if fault.kind is Kind.HTML_502:
        return Answer(502, BROKEN_EDGE, HTML)
    if fault.kind is Kind.STATUS and fault.body is not None:
        return _ordered_body(fault)
    return failure(fault)


def _ordered_body(fault: Fault) -> Answer:
    if not isinstance(fault.body, str):
        return json_answer(fault.status, fault.body)
    looks_like_json = fault.body.lstrip()[:1] in {"{", "["}
    return Answer(fault.status, fault.body.encode(), JSON if looks_like_json else HTML)
