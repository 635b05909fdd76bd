"""What a job does with a delivery that was taken in, and how its row says what became of it."""

from django.db import transaction

from jobs.outcomes import Cancel, Done, Outcome
from jobs.storable import storable
from lib import clock
from payments.intake.sources import Processed, source_get
from payments.models import IncomingWebhook, Intake

_SHOWN = 500


def intake_process(webhook_id: int) -> Outcome:
    """Have the source of a delivery process it. What it raises is for the ladder of the job.

    Repeat: what is no longer RECEIVED is left alone. Holds no transaction while the source works.
    """
    row = IncomingWebhook.objects.filter(pk=webhook_id).first()
    if row is None:
        return Cancel("the delivery was removed")
    if row.state != Intake.RECEIVED or not row.is_valid:
        return Done({"state": row.state})
    try:
        found = source_get(row.source).process(row)
    except Exception as exc:
        row_error(webhook_id, f"{type(exc).__name__}: {exc}")
        raise
    if not isinstance(found, Processed):
        return found
    row_finish(webhook_id, found)
    return Done({"state": str(found.state), "object": found.object_ref})


def row_finish(webhook_id: int, found: Processed) -> bool:
    """Write what became of a delivery. False: somebody else had written it already."""
    changed = IncomingWebhook.objects.filter(pk=webhook_id, state=Intake.RECEIVED).update(
        state=found.state,
        processed_at=clock.now(),
        last_error=storable(found.note)[:_SHOWN],
        **({"object_ref": found.object_ref} if found.object_ref else {}),
    )
    return changed == 1


def row_error(webhook_id: int, error: str) -> None:
    """Keep why it could not be processed this time."""
    with transaction.atomic():
        IncomingWebhook.objects.filter(pk=webhook_id, state=Intake.RECEIVED).update(
            last_error=storable(error)[:_SHOWN]
        )
