"""Who is who: binding our subscribers to users of the panel when numbers or names have moved.

A name is unique and never changes in a panel, a number is never given twice. So the same number with
another name is another person (another panel, or one that was restored), and the same name under a new
number is either the same person moved or a newcomer with a freed name: link or Telegram account decide.
"""

from enum import StrEnum

from django.db import transaction
from django.db.models import Q

from jobs.audit import Account, audit_write
from lib import clock
from subscriptions.mirror import drifts
from subscriptions.mirror.applying import stranger_unbind, user_apply
from subscriptions.mirror.comparing import Row
from subscriptions.mirror.echoes import ours_under_way
from subscriptions.mirror.owners import columns_of
from subscriptions.mirror.rows import rows_update
from subscriptions.models import Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelError, PanelMissing
from subscriptions.panel.types import PanelUser
from subscriptions.story import EventRow, events_write


class Verdict(StrEnum):
    """What became of a user whose name we know under another number."""

    BOUND = "bound"  # the same person
    REPLACED = "replaced"  # ours is gone, and somebody new has the name
    OPEN = "open"  # nobody can tell: shown as drift, a person decides
    UNKNOWN = "unknown"  # the panel did not answer: later


def renamed_settle(client: PanelClient, row: Row, user: PanelUser) -> Verdict:
    """Decide about one. Asks the panel for the old number first. Repeat: nothing."""
    old_id = row["panel_id"]
    if old_id is not None and old_id != user.id:
        read_at = clock.now()
        try:
            old = client.user(old_id)
        except PanelMissing:
            if not is_same_person(row, user):
                gone_mark(row["id"])
                user_apply(user, read_at)
                return Verdict.REPLACED
        except PanelError:
            return Verdict.UNKNOWN
        else:
            if old.username != row["username"]:
                with transaction.atomic():
                    stranger_unbind(row, old)
    if is_same_person(row, user):
        bind(row["id"], user)
        return Verdict.BOUND
    _show(row, user)
    return Verdict.OPEN


def is_same_person(row: Row, user: PanelUser) -> bool:
    """Whether a user of the same name is the one that we know. The name alone proves nothing."""
    if row["username"] != user.username:
        return False
    if user.uuid is not None and row["panel_uuid"] == user.uuid:
        return True
    has_same_link = bool(row["short_uuid"]) and row["short_uuid"] == user.short_uuid
    has_same_chat = row["telegram_id"] is not None and row["telegram_id"] == user.telegram_id
    return has_same_link or has_same_chat


@transaction.atomic
def bind(subscriber_id: int, user: PanelUser, *, by: str = "mirror") -> bool:
    """Give a subscriber the number under which the panel has him now. False: somebody else has it.

    Locks: the subscriber. Repeat: nothing.
    """
    row = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber_id)
    is_held = Q(panel_id=user.id) | (Q(panel_uuid=user.uuid) if user.uuid else Q())
    if Subscriber.objects.filter(is_held).exclude(pk=subscriber_id).exists():
        return False
    if row.panel_id != user.id:
        columns = columns_of(user)
        rows_update([{"id": subscriber_id, **columns, "missing_since": None}], clock.now())
        told = {"number": user.id, "before": row.panel_id}
        events_write(
            [EventRow(subscriber_id=subscriber_id, kind="panel_bound", source="mirror", data=told)]
        )
    drifts.drifts_close([subscriber_id], [drifts.IDENTITY], how=drifts.THEIRS, by=by)
    return True


@transaction.atomic(savepoint=False)
def gone_mark(subscriber_id: int) -> bool:
    """Write that the panel said of a subscriber that there is no such user. False: known already.

    Only after a positive answer (PanelMissing). Cuts nobody: the panel has done so. Locks: the row.
    """
    now = clock.now()
    changed = Subscriber.objects.filter(pk=subscriber_id, missing_since=None).update(
        missing_since=now, mirrored_at=now
    )
    if changed and not ours_under_way([subscriber_id]):
        events_write([EventRow(subscriber_id=subscriber_id, kind="panel_gone", source="panel")])
    return changed == 1


@transaction.atomic
def numbers_forget(*, by: Account) -> int:
    """Forget under which numbers the panel has our subscribers: it was rebuilt and numbers anew.

    The next pass binds each again by name and link; until then nothing is written to anybody. A
    person's decision, audited. Returns how many were bound. Raises nothing; repeat: 0.
    """
    forgotten = Subscriber.objects.filter(panel_id__isnull=False).update(
        panel_id=None, panel_uuid=None
    )
    audit_write(by, "panel.numbers_forget", "panel", "1", forgotten=forgotten)
    return forgotten


def _show(row: Row, user: PanelUser) -> None:
    drifts.drifts_open(
        [
            drifts.Found(
                row["id"],
                drifts.IDENTITY,
                "us",
                {"panel_id": row["panel_id"], "username": row["username"]},
                {"panel_id": user.id, "username": user.username},
            )
        ]
    )
