"""What a job does with a delivery that was taken in, and how its row says what became of it."""

from jobs import sql
from jobs.compiled import Compiled, Param
from jobs.outcomes import Cancel, Done, Outcome
from jobs.storable import storable
from lib import clock
from payments.intake.sources import Processed, source_get
from payments.models import IncomingWebhook, Intake

_SHOWN = 500
# What deliveries are processed by; the rest is read should somebody ask for it.
_NAMES = ("source", "kind", "event", "key", "body", "is_valid", "state", "received_at")
_READ = Compiled(lambda: IncomingWebhook.objects.filter(pk=Param("id")).only(*_NAMES))
_WAITING = "UPDATE incoming_webhook SET last_error = %s WHERE id = %s AND state = 'received'"
_FINISH = """
UPDATE incoming_webhook SET state = %(state)s, processed_at = %(now)s, last_error = %(note)s,
    object_ref = coalesce(nullif(%(object_ref)s, ''), object_ref)
WHERE id = %(id)s AND state = 'received'
"""


def intake_process(webhook_id: int) -> Outcome:
    """Have the source of a delivery process it. What it raises is for the ladder of the job.

    Repeat: what is no longer RECEIVED is left alone. Holds no transaction while the source works.
    """
    row = _READ.one(id=webhook_id)
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
    if not found.is_noted:
        row_finish(webhook_id, found)
    return Done({"state": str(found.state), "object": found.object_ref})


def row_finish(webhook_id: int, found: Processed) -> bool:
    """Write what became of a delivery. False: somebody else had written it already."""
    given = {
        "id": webhook_id,
        "state": found.state.value,
        "now": clock.now(),
        "note": storable(found.note)[:_SHOWN],
        "object_ref": found.object_ref,
    }
    return sql.run(_FINISH, given) == 1


def row_error(webhook_id: int, error: str) -> None:
    """Keep why it could not be processed this time."""
    sql.run(_WAITING, [storable(error)[:_SHOWN], webhook_id])
