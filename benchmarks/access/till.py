"""The till of the access suite: sells, has it paid in the sandbox, and looks when access is there.

Reads a JSON order per line, answers with a JSON line.
"""

import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import django
import orjson
import requests

SERVED_WITHIN_S = 120.0
SLOW_S = 5.0  # what took longer is explained on stderr
PEOPLE = 500_000_000


def main() -> None:
    """Serve orders until stdin closes."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    django.setup()
    till = Till(os.environ["SANDBOX_URL"])
    _say(replies, {})
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(till, f"do_{order.pop('act')}")(**order)
        except Exception as exc:  # noqa: BLE001 - the suite raises it
            answer = {"failed": f"{type(exc).__name__}: {exc}"}
        _say(replies, answer)


def _say(replies: Any, answer: dict[str, Any]) -> None:
    replies.write(json.dumps(answer) + "\n")
    replies.flush()


class Till:
    """What the suite asks for."""

    def __init__(self, sandbox_url: str) -> None:
        self._sandbox = f"{sandbox_url}/_sandbox"
        self._pause = threading.Event()
        self._next = 0
        self._paid: list[UUID] = []

    def do_open(self, subscribers: int) -> dict[str, Any]:
        """Users in the panel, the same in the mirror, and a plan."""
        from subscriptions.activation.plans import plan_create, price_set
        from subscriptions.mirror.passes import pass_begin, pass_run
        from subscriptions.panel import door

        plan = plan_create(code="standard", title="Standard", period_days=30)
        price_set(plan_id=plan.pk, currency_type="crypto", currency="USDT", amount=Decimal(5))
        # None of them ends soon: reminders would be measured with the payments.
        seed = {"count": subscribers, "expires_from_s": 30 * 86_400}
        self._order("POST", "remnawave/seed", seed)
        client = door.panel_background()
        client.metadata()
        ended = pass_run(client, pass_begin(client), lambda: False)
        return {"seen": ended.seen if ended else 0}

    def do_workers(self) -> dict[str, Any]:
        """How many worker processes live."""
        from jobs.models import Worker

        return {"count": Worker.objects.filter(stopped_at=None).count()}

    def do_bulk(self) -> dict[str, Any]:
        """Begin to extend everybody, by those who pay last."""
        from subscriptions.bulk.starting import bulk_start
        from subscriptions.models import BulkKind

        bulk_start(
            kind=BulkKind.RESET_TRAFFIC, params={}, selection={"filter": {"has_telegram": True}},
            source="api", by=None,
        )  # fmt: skip
        self._until(lambda: self._bulk_left() > 0, "the bulk operation begins")
        return {"left": self._bulk_left()}

    def do_pay(self, payers: int, backlog: int) -> dict[str, Any]:
        """Seconds from paid to served, and the fewest due jobs when somebody paid."""
        spent, least = [], None
        for _ in range(payers):
            waiting = self._top_up(backlog)
            least = waiting if least is None else min(least, waiting)
            spent.append(self._buy())
        return {"spent_s": spent, "least": least}

    def do_after(self) -> dict[str, Any]:
        """Whether everybody was told once, and what is left of the bulk operation."""
        from notifications.telegram.models import QueuedMessage

        told = QueuedMessage.objects.filter(notification_type="payment_received").count()
        if told != len(self._paid):
            raise RuntimeError(f"{told} messages for {len(self._paid)} payments")
        return {"bulk_left": self._bulk_left(), "paid": len(self._paid)}

    def _buy(self) -> float:
        from payments.models import Payment
        from subscriptions.activation.orders import order_for
        from subscriptions.activation.plans import plan_find
        from subscriptions.models import Activation, Subscriber

        self._next += 1
        subscriber = Subscriber.objects.order_by("pk")[self._next]
        payment = order_for(subscriber, plan_find("standard"))
        rows = Payment.objects.filter(pk=payment.pk)
        self._until(lambda: bool(rows.get().external_id), "an invoice")
        invoice = self._order(
            "POST",
            "cryptopay/pay",
            {"invoice_ids": [int(rows.get().external_id or 0)], "silent": True},
        )["invoices"][0]
        paid_at = datetime.fromisoformat(invoice["paid_at"])
        self._hook(invoice)
        served = Activation.objects.filter(payment_id=payment.pk, state="applied")
        self._until(served.exists, "access")
        self._paid.append(payment.pk)
        applied_at = served.get().applied_at or datetime.now(UTC)
        spent_s = max(0.0, (applied_at - paid_at).total_seconds())
        if spent_s > SLOW_S:
            print(f"slow, {spent_s:.1f} s:", *self._why(payment.pk, paid_at), sep="\n  ")
        return spent_s

    def _why(self, payment_id: UUID, paid_at: datetime) -> list[str]:
        """What was tried for a payment, and what came of it."""
        from jobs.models import JobAttempt, JobRecord

        jobs = JobRecord.objects.filter(created_at__gte=paid_at).exclude(kind="jobs.noop")
        found = [
            f"{job.created_at:%T} {job.kind} {job.state} started {job.started_at:%T} {job.last_error}"
            for job in jobs.order_by("created_at")[:40]
            if job.started_at is not None
        ]
        tries = JobAttempt.objects.filter(started_at__gte=paid_at).order_by("started_at")[:40]
        return [
            f"payment {payment_id}",
            *found,
            *(
                f"{each.finished_at:%T} {each.outcome} job {each.job_id}: {each.error}"
                for each in tries
            ),
        ]

    def _hook(self, invoice: dict[str, Any]) -> None:
        from django.conf import settings
        from django.test import Client

        from payments.providers.cryptobot.signature import SIGNATURE_HEADER, signature_of

        body = orjson.dumps(
            {
                "update_id": self._next,
                "update_type": "invoice_paid",
                "request_date": invoice["paid_at"],
                "payload": invoice,
            }
        )
        headers = {SIGNATURE_HEADER: signature_of(body, settings.CRYPTOBOT_TOKEN)}
        answer = Client(SERVER_NAME="localhost").post(
            "/webhooks/cryptobot/", body, content_type="application/json", headers=headers
        )
        if answer.status_code != 200:
            raise RuntimeError(f"the webhook was answered {answer.status_code}")

    def _top_up(self, backlog: int) -> int:
        """How many jobs are due, at least `backlog`: cheap ones of the queue that activations use."""
        from jobs.enqueue import enqueue_many
        from jobs.models import Job, Priority
        from jobs.tasks import noop

        while True:
            due = Job.objects.filter(state="available", queue="notifications").count()
            if due >= backlog:
                return due
            wish = {"queue": "notifications", "priority": Priority.NORMAL}
            enqueue_many((noop, {"n": number, **wish}) for number in range(backlog))

    def _bulk_left(self) -> int:
        from subscriptions.models import BulkItem

        return BulkItem.objects.filter(state__in=["pending", "running"]).count()

    def _order(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.request(method, f"{self._sandbox}/{path}", json=body, timeout=120)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _until(self, holds: Any, what: str) -> None:
        ends_at = time.monotonic() + SERVED_WITHIN_S
        while not holds():
            if time.monotonic() > ends_at:
                raise RuntimeError(f"{what} did not come within {SERVED_WITHIN_S:.0f} s")
            self._pause.wait(0.02)


if __name__ == "__main__":
    main()
