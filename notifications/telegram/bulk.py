"""Acting on all messages that match a filter: count first (dry run), then in one transaction."""

from collections import Counter
from dataclasses import dataclass, field

from django.db import transaction

from jobs.audit import Account, audit_write
from lib.errors import InputInvalid
from notifications.telegram.listing import MessageFilter
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import messages_cancel, messages_retry

ACTIONS = {"retry": messages_retry, "cancel": messages_cancel}
MOST = 10_000  # in one call
SAMPLE = 20
REASONS = 100  # refused messages that are named


@dataclass(slots=True)
class BulkResult:
    """What was done, or in a dry run would be.

    states: how many of the matched are in each status, "sending" for what is on its way.
    refused: {id: why}, the first REASONS of them.
    """

    action: str
    matched: int
    done: int
    states: dict[str, int]
    sample: list[int]
    dry_run: bool
    more: bool  # more match than one call takes
    refused: dict[int, str] = field(default_factory=dict)


def messages_bulk(
    *, where: MessageFilter, action: str, by: Account, dry_run: bool = True, limit: int = MOST
) -> BulkResult:
    """Do one action to the newest messages that match. A message that refuses stops no other.

    Raises InputInvalid for an unknown action or an empty filter. Locks: the rows that are changed.
    """
    if action not in ACTIONS:
        raise InputInvalid(f"action must be one of {', '.join(ACTIONS)}")
    if where == MessageFilter():
        raise InputInvalid("a filter must say something; name at least a state or a chat")
    limit = max(1, min(limit, MOST))
    found = list(where.query().values_list("pk", "status", "claimed_at")[: limit + 1])
    states = Counter("sending" if claimed else status for _, status, claimed in found[:limit])
    ids = [message_id for message_id, _, _ in found[:limit]]
    result = BulkResult(
        action=action,
        matched=len(ids),
        done=0,
        states=dict(states),
        sample=ids[:SAMPLE],
        dry_run=dry_run,
        more=len(found) > limit,
    )
    if dry_run:
        return result
    with transaction.atomic():
        changed = ACTIONS[action](message_ids=ids, by=by)
        result.done = len(changed)
        result.refused = _refusals([pk for pk in ids if pk not in changed][:REASONS])
        audit_write(
            by, f"telegram.bulk_{action}", "telegram messages", "matching",
            matched=result.matched, done=result.done, refused=result.matched - result.done,
            filter={
                name: str(value)[:1000]
                for name in MessageFilter.__slots__
                if (value := getattr(where, name)) not in (None, "", False, ())
            },
        )  # fmt: skip
    return result


def _refusals(ids: list[int]) -> dict[int, str]:
    rows = QueuedMessage.objects.filter(pk__in=ids).values_list("pk", "status", "claimed_at")
    return {
        message_id: "it is being sent just now" if claimed else f"it is {status}"
        for message_id, status, claimed in rows
    }
