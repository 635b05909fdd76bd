"""The net under the jobs of deliveries: what is still not done after half an hour is tried again."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from jobs.alerts import attention
from lib import clock
from payments.intake.proving import prove
from payments.intake.sources import Source, sources
from payments.intake.taking import enqueue, is_at_work
from payments.models import IncomingWebhook, Intake

AFTER = timedelta(minutes=2)  # a job of its own is at it before
TRIES = 3
LONGEST = timedelta(hours=24)
PACK = 500


def webhooks_retry() -> dict[str, int]:
    """Start the processing of all waiting deliveries again; give up those tried or waiting too long.

    A delivery whose job is alive is left to it, and spends no try. What could not be proved when it
    came, because the secret was not set, is proved now. Repeat: safe. Locks: rows by id, each for
    one short transaction.
    """
    counts = dict.fromkeys(("started", "failed", "proved", "duplicate", "rejected", "waiting"), 0)
    after = 0
    known = {source.name: source for source in sources()}
    while ids := _due(after):
        for webhook_id in ids:
            _retry(webhook_id, known, counts)
        after = ids[-1]
    if counts["failed"]:
        attention(
            group="payments.webhooks_failed",
            title="Webhooks were given up",
            text=f"{counts['failed']} could not be processed. See why, then replay them.",
            severity="critical",
            link="/admin/payments/incomingwebhook/?state=failed",
        )
    return counts


def _due(after: int) -> list[int]:
    rows = IncomingWebhook.objects.filter(
        state=Intake.RECEIVED, received_at__lt=clock.now() - AFTER, pk__gt=after
    )
    return list(rows.order_by("pk").values_list("pk", flat=True)[:PACK])


@transaction.atomic
def _retry(webhook_id: int, known: dict[str, Source], counts: dict[str, int]) -> None:
    row = (
        IncomingWebhook.objects.select_for_update(no_key=True, skip_locked=True)
        .filter(pk=webhook_id, state=Intake.RECEIVED)
        .first()
    )
    source = known.get(row.source) if row else None
    if row is None or source is None:
        return
    if row.is_valid and is_at_work(row.pk):
        return
    if row.attempts >= TRIES or clock.now() - row.received_at > LONGEST:
        row.state, row.processed_at = Intake.FAILED, clock.now()
        row.save(update_fields=["state", "processed_at"])
        counts["failed"] += 1
    elif not row.is_valid:
        counts[prove(row, source)] += 1
    else:
        enqueue(source, row.pk)
        IncomingWebhook.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
        counts["started"] += 1
