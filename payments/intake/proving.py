"""Proving a delivery that is written down already: its secret was not set when it came."""

from django.db import IntegrityError, transaction

from lib import clock
from payments.intake.sources import BodyUnreadable, Source
from payments.intake.taking import enqueue
from payments.models import IncomingWebhook, Intake


def prove(row: IncomingWebhook, source: Source) -> str:
    """Verify a delivery and go on as if it had just come.

    Returns "proved" (its job is enqueued), "duplicate", "rejected", or "waiting": the secret is still
    not set. The caller holds the lock of the row, in its transaction.
    """
    body = bytes(row.body)
    proof = source.verify(body, row.headers)
    if proof is None:
        return "waiting"
    row.processed_at = clock.now()
    if not proof:
        row.state, row.last_error = Intake.REJECTED, "The signature does not belong to this body."
        row.save(update_fields=["state", "last_error", "processed_at"])
        return "rejected"
    row.is_valid = True
    try:
        described = source.describe(body)
    except BodyUnreadable as exc:
        row.state, row.last_error = Intake.REJECTED, f"Not readable: {exc}."[:500]
        row.save(update_fields=["state", "last_error", "processed_at", "is_valid"])
        return "rejected"
    row.kind, row.event = described.kind[:20], described.event[:60]
    row.key, row.object_ref = described.key[:200], described.object_ref[:80]
    row.state, row.last_error, row.processed_at = Intake.RECEIVED, "", None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # the same event came again since, and that delivery is at work
        row.state = Intake.DUPLICATE
        row.save()
        return "duplicate"
    enqueue(source, row.pk, described.partition)
    return "proved"
