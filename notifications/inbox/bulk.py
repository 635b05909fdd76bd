"""Acting on all notifications that match a filter: count first (dry run), then in one transaction."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs.audit import Account, audit_write
from lib.errors import InputInvalid
from notifications.inbox.expiry import notifications_expire
from notifications.inbox.models import Notification
from notifications.inbox.recall import notifications_recall
from notifications.inbox.selectors.notifications import NotificationFilter, screens_of

MOST = 10_000  # in one call
SAMPLE = 20
REASONS = 100  # refused notifications that are named


@dataclass(slots=True)
class BulkResult:
    """What was done, or in a dry run would be.

    states: how many of the matched are in each state. on_screens: how many of those that are unread
    have reached a screen. refused: {id: why}, the first REASONS of them.
    """

    action: str
    matched: int
    done: int
    states: dict[str, int]
    sample: list[UUID]
    dry_run: bool
    more: bool  # more match than one call takes
    on_screens: int = 0
    refused: dict[UUID, str] = field(default_factory=dict)


def notifications_bulk(
    *,
    where: NotificationFilter,
    action: str,
    by: Account,
    reason: str = "",
    dry_run: bool = True,
    limit: int = MOST,
) -> BulkResult:
    """Do one action to the newest notifications that match. One that refuses stops no other.

    Raises InputInvalid for an unknown action or an empty filter. Locks: the recipients and rows that
    are changed. Repeat: what is already so is refused, so nothing is done twice.
    """
    if action not in ACTIONS:
        raise InputInvalid(f"action must be one of {', '.join(ACTIONS)}")
    if where == NotificationFilter():
        raise InputInvalid("a filter must say something; name at least a state or a person")
    limit = max(1, min(limit, MOST))
    found = list(where.query().values_list("pk", "state")[: limit + 1])
    ids = [notification_id for notification_id, _ in found[:limit]]
    result = BulkResult(
        action=action,
        matched=len(ids),
        done=0,
        states=dict(Counter(state for _, state in found[:limit])),
        sample=ids[:SAMPLE],
        dry_run=dry_run,
        more=len(found) > limit,
    )
    if dry_run:
        unread = [notification_id for notification_id, state in found[:limit] if state == "unread"]
        result.on_screens = len(screens_of(unread))
        return result
    with transaction.atomic():
        changed = ACTIONS[action](notification_ids=ids, by=by)
        result.done = len(changed)
        result.refused = _refusals([pk for pk in ids if pk not in changed][:REASONS])
        if len(ids) == 1 and not reason:
            return result  # the service has written its line
        audit_write(
            by, f"inbox.bulk_{action}", "notifications", "matching",
            matched=result.matched, done=result.done, refused=result.matched - result.done,
            reason=reason, filter=_words(where),
        )  # fmt: skip
    return result


ACTIONS = {"recall": notifications_recall, "expire": notifications_expire}


def _words(where: NotificationFilter) -> dict[str, Any]:
    """The fields of a filter that say something, as the audit log keeps them."""
    return {
        name: str(value)[:1000]
        for name in NotificationFilter.__slots__
        if (value := getattr(where, name)) not in (None, "", False, ())
    }


def _refusals(ids: list[UUID]) -> dict[UUID, str]:
    rows = Notification.objects.filter(pk__in=ids).values_list("pk", "state")
    return {
        notification_id: WHY_NOT.get(state, f"it is {state}") for notification_id, state in rows
    }


WHY_NOT = {
    "read": "it was read before",
    "auto_cleared": "it had expired before",
    "recalled": "it was recalled before",
    "replaced": "a newer one has replaced it",
    "muted": "it was muted and never shown",
    "deferred": "it is not on any screen yet",
}
