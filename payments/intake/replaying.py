"""Processing again what came in: one delivery, or all that match a filter after a look at them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from jobs.audit import Account, audit_write
from lib.errors import DomainError, InputInvalid, NotFound
from payments.errors import SourceUnknown, WebhookNotReplayable
from payments.intake.proving import prove
from payments.intake.sources import source_get
from payments.intake.taking import enqueue
from payments.listing.incoming import WebhookFilter
from payments.models import IncomingWebhook, Intake

WEBHOOK = "incoming webhook"  # what the audit log calls it
REPLAY = "replay"
MOST = 10_000  # in one call
SAMPLE = 20
REASONS = 100  # refused deliveries that are named
TAKES = frozenset({Intake.RECEIVED, Intake.PROCESSED, Intake.UNMATCHED, Intake.FAILED})


def webhook_replay(*, webhook_id: int, by: Account) -> str:
    """Process a delivery again, whatever became of it before; processing is safe to repeat.

    Signed but not readable: read again, should the code know more by now. Came while the secret was
    not set: proved now. Returns "started" or what `prove` found. Raises NotFound,
    WebhookNotReplayable for a duplicate or a wrong signature. Locks: the row.
    """
    with transaction.atomic():
        row = IncomingWebhook.objects.select_for_update(no_key=True).filter(pk=webhook_id).first()
        if row is None:
            raise NotFound(f"there is no delivery {webhook_id}")
        found = _again(row)
        audit_write(by, "payments.replay", WEBHOOK, row.pk, source=row.source, result=found)
    return found


def _again(row: IncomingWebhook) -> str:
    try:
        source = source_get(row.source)
    except SourceUnknown as exc:
        raise WebhookNotReplayable(str(exc)) from None
    if row.state == Intake.DUPLICATE:
        raise WebhookNotReplayable("it is a duplicate; replay the first delivery of its event")
    if row.state == Intake.REJECTED and not row.is_valid:
        raise WebhookNotReplayable("its signature was wrong")
    if row.state == Intake.REJECTED or not row.is_valid:
        return prove(row, source)
    row.state, row.attempts, row.last_error, row.processed_at = Intake.RECEIVED, 0, "", None
    row.save(update_fields=["state", "attempts", "last_error", "processed_at"])
    enqueue(source, row.pk)
    return "started"


@dataclass(slots=True)
class ReplayResult:
    """What was done, or in a dry run would be. states: how many of the matched are in each state."""

    action: str
    matched: int
    done: int
    states: dict[str, int]
    sample: list[int]
    dry_run: bool
    more: bool
    refused: dict[int, str] = field(default_factory=dict)


def webhooks_bulk(
    *,
    where: WebhookFilter,
    action: str,
    by: Account,
    dry_run: bool = True,
    limit: int = MOST,
) -> ReplayResult:
    """Replay the newest deliveries that match. One that refuses stops no other.

    Raises InputInvalid for an unknown action or an empty filter. Locks: one row at a time.
    """
    if action != REPLAY:
        raise InputInvalid(f"action must be {REPLAY}")
    if where == WebhookFilter():
        raise InputInvalid("a filter must say something; name at least a source or a state")
    limit = max(1, min(limit, MOST))
    found = list(where.query().values_list("pk", "state")[: limit + 1])
    ids = [pk for pk, _ in found[:limit]]
    result = ReplayResult(
        action=action,
        matched=len(ids),
        done=0,
        states=dict(Counter(state for _, state in found[:limit])),
        sample=ids[:SAMPLE],
        dry_run=dry_run,
        more=len(found) > limit,
    )
    if not dry_run:
        _replay_all(ids, by, result)
    return result


def _replay_all(ids: Sequence[int], by: Account, result: ReplayResult) -> None:
    for webhook_id in ids:
        try:
            webhook_replay(webhook_id=webhook_id, by=by)
            result.done += 1
        except DomainError as exc:
            if len(result.refused) < REASONS:
                result.refused[webhook_id] = exc.message
    audit_write(
        by, "payments.bulk_replay", WEBHOOK, "matching", matched=result.matched, done=result.done
    )
