"""Cutting one person: looked at again, asked about money again, written down before it is done.

The intent (cut_by, cut_at) is committed before the panel is told. So whoever takes over after a kill
knows that a DISABLED which it finds is ours, and paying brings back what we switched off.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from jobs import sql
from jobs.audit import audit_write
from jobs.faults import fault
from jobs.outcomes import Done, Outcome, Retry, Snooze
from lib import clock
from subscriptions.lifecycle import mirroring
from subscriptions.lifecycle.dues import PACK, packs_enqueue
from subscriptions.lifecycle.fates import (
    DONE,
    FAILED,
    SKIPPED,
    UNKNOWN,
    item_begin,
    items_decide,
)
from subscriptions.lifecycle.money import money_of
from subscriptions.lifecycle.sending import SUBSCRIBER
from subscriptions.lifecycle.sight import Gone, Look, Seen, Unknown, panel_look
from subscriptions.lifecycle.verdicts import Money, same_moment
from subscriptions.models import CutBy, Notice, NoticeState, Stage, Subscriber, SweepItem
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelError, PanelMissing, PanelRefused, PanelWaits
from subscriptions.panel.types import PanelStatus, PanelUser
from subscriptions.story import event_write
from subscriptions.turns import TurnTaken, turn

_IS_ROUND = """
SELECT 1 FROM subscription_sweep WHERE id = %(sweep)s
    AND (state <> 'running' OR (done + skipped + unknown + failed) %% %(pack)s = 0)
"""
SERVED = (PanelStatus.ACTIVE, PanelStatus.LIMITED)


class Cut(StrEnum):
    """What a look at the panel means for somebody who is to be cut."""

    GO = "go"
    DONE = "done"
    SKIP = "skip"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CutVerdict:
    """The verdict, and the word for why not."""

    cut: Cut
    reason: str = ""


def cut_judge(
    look: Look, expire_at: datetime, *, now: datetime, grace: timedelta, is_ours: bool
) -> CutVerdict:
    """Whether somebody may be cut. Only a positive answer of the panel with a past date says so."""
    if isinstance(look, Unknown):
        # Asking again would not make it the same person.
        is_final = look.reason == "other_person"
        return CutVerdict(Cut.SKIP if is_final else Cut.UNKNOWN, look.reason)
    if isinstance(look, Gone):
        return CutVerdict(Cut.SKIP, "gone")
    user = look.user
    if not same_moment(user.expire_at, expire_at):
        return CutVerdict(Cut.SKIP, "moved")
    if user.status is PanelStatus.DISABLED:
        return CutVerdict(Cut.DONE, "cut") if is_ours else CutVerdict(Cut.SKIP, "disabled")
    if user.status is PanelStatus.EXPIRED:
        return CutVerdict(Cut.SKIP, "panel_expired")
    if user.expire_at > now - grace:
        return CutVerdict(Cut.SKIP, "moved")
    return CutVerdict(Cut.GO)


def subscriber_cut(client: PanelClient, item_id: int, *, is_last: bool) -> Outcome:
    """Do one item of a running sweep. Repeat-safe at every step. Raises PanelWaits.

    is_last: no further try comes, so what is unknown ends as unknown: nobody is cut by it.
    """
    item = SweepItem.objects.select_related("subscriber").get(pk=item_id)
    if item.fate:
        return Done({"fate": item.fate})
    try:
        # Whoever extends him by hand in this moment would be cut all the same.
        with turn(item.subscriber_id, in_line=True):
            return _cut(client, item, is_last=is_last)
    except TurnTaken as exc:
        return Snooze(exc.retry_after, exc.message)


def _cut(client: PanelClient, item: SweepItem, *, is_last: bool) -> Outcome:
    verdict = _judge(item, look := panel_look(client, item.subscriber))
    if verdict.cut is Cut.GO:
        if (refusal := _intend(item, look)) is not None:
            return Done({"fate": SKIPPED, "reason": refusal})
        fault("sweep.intended")
        look = _disable(client, item.subscriber, look)
        fault("sweep.disabled")
        item.refresh_from_db()
        verdict = _judge(item, look)
        if verdict.cut is Cut.GO:
            verdict = CutVerdict(Cut.UNKNOWN, "not_confirmed")
    if verdict.cut is Cut.UNKNOWN and not is_last:
        return Retry(_why(look, verdict))
    return Done(_end(item, look, verdict))


def _judge(item: SweepItem, look: Look) -> CutVerdict:
    return cut_judge(
        look,
        item.expire_at,
        now=clock.now(),
        grace=settings.EXPIRY_GRACE,
        is_ours=_is_ours(item, item.subscriber),
    )


def _is_ours(item: SweepItem, row: Subscriber) -> bool:
    """Whether the intent of this very item stands in the row."""
    return item.at is not None and row.cut_by == CutBy.SWEEP and row.cut_at == item.at


def _intend(item: SweepItem, look: Look) -> str | None:
    """Write down that somebody is about to be cut; or decide why not, and give the reason.

    Locks: activations of the subscriber are read under the lock of the subscriber; then sweep, item.
    """
    assert isinstance(look, Seen)
    with transaction.atomic():
        row = Subscriber.objects.select_for_update(no_key=True).get(pk=item.subscriber_id)
        mirroring.correct(row, look)
        reason = ""
        if money_of(row.pk) is not Money.NONE:
            reason = "paid"
        elif _is_held_by_another(row, look.user):
            reason = "held_by_another"
        if reason:
            items_decide(item.sweep_id, [item.pk], SKIPPED, reason)
            _hand_out(item.sweep_id)
            return reason
        if not item_begin(item.sweep_id, item.pk):
            return "stopped"
        item.refresh_from_db()
        row.cut_by, row.cut_at = CutBy.SWEEP, item.at
        row.cut_reason = f"ended {item.expire_at:%Y-%m-%d %H:%M} UTC and was still served"
        row.save(update_fields=["cut_by", "cut_at", "cut_reason"])
        item.subscriber = row
        return None


def _is_held_by_another(row: Subscriber, user: PanelUser) -> bool:
    """Whether a subscription that is not over names the same user of the panel (business.md, F10)."""
    same = Q(panel_id=user.id) | Q(short_uuid=user.short_uuid) | Q(username=user.username)
    if user.uuid is not None:
        same |= Q(panel_uuid=user.uuid)
    others = Subscriber.objects.filter(same, missing_since=None, expire_at__gt=clock.now())
    return others.exclude(pk=row.pk).exists()


def _disable(client: PanelClient, row: Subscriber, before: Look) -> Look:
    """Tell the panel, and give what is known afterwards. Raises PanelWaits."""
    assert isinstance(before, Seen)
    user, asked_at = before.user, clock.now()
    try:
        if user.status is PanelStatus.LIMITED:
            return Seen(client.user_disable(user.id), asked_at)
        # Unlike the action, this does nothing to somebody whom the panel has expired meanwhile.
        return Seen(client.user_update(user.id, status=PanelStatus.DISABLED), asked_at)
    except PanelWaits:
        raise
    except PanelMissing:
        return Gone()
    except PanelRefused as exc:
        return Unknown(str(exc))
    except PanelError:
        return panel_look(client, row)  # it may have worked all the same


def _why(look: Look, verdict: CutVerdict) -> str:
    return look.error if isinstance(look, Unknown) else verdict.reason


def _end(item: SweepItem, look: Look, verdict: CutVerdict) -> dict[str, str]:
    """Write what became of the person. Locks: subscriber, sweep, item."""
    fate = {Cut.DONE: DONE, Cut.SKIP: SKIPPED}.get(verdict.cut, UNKNOWN)
    if verdict.reason == "not_confirmed":
        fate = FAILED
    with transaction.atomic():
        row = Subscriber.objects.select_for_update(no_key=True).get(pk=item.subscriber_id)
        item.refresh_from_db()
        mirroring.correct(row, look)
        is_cut = isinstance(look, Seen) and look.user.status is PanelStatus.DISABLED
        if not is_cut and fate != UNKNOWN and _is_ours(item, row):
            # It was not us after all: the panel had expired it, or it was paid in between.
            row.cut_by, row.cut_at, row.cut_reason = CutBy.NOBODY, None, ""
            row.save(update_fields=["cut_by", "cut_at", "cut_reason"])
        if not items_decide(item.sweep_id, [item.pk], fate, verdict.reason):
            return {"fate": "decided before"}
        if fate == DONE:
            _write_down(row, item)
        if verdict.reason in {"cut", "panel_expired"}:
            _notice_write(row, item.expire_at)
        _hand_out(item.sweep_id)
    return {"fate": fate, "reason": verdict.reason}


def _write_down(row: Subscriber, item: SweepItem) -> None:
    facts = {"until": item.expire_at.isoformat(), "reason": row.cut_reason}
    event_write(row.pk, "cut", "sweep", data={**facts, "sweep": str(item.sweep_id)})
    audit_write(
        None, "subscriptions.disable_expired", SUBSCRIBER, row.pk, sweep=str(item.sweep_id), **facts
    )


def _notice_write(row: Subscriber, expire_at: datetime) -> None:
    """Have the person told, once for this date."""
    Notice.objects.bulk_create(
        [
            Notice(
                subscriber=row,
                stage=Stage.EXPIRED,
                expire_at=expire_at,
                state=NoticeState.DUE,
                created_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )


def _hand_out(sweep_id: UUID) -> None:
    """Have those told who were cut so far: at the end of the sweep, and after each pack of it.

    A job for each would cost more than the message. The caller holds the sweep, so whoever is the last
    sees the notices of all; what a killed job leaves goes out with the next disable_expired.
    """
    if sql.row(_IS_ROUND, {"sweep": sweep_id, "pack": PACK}) is not None:
        packs_enqueue()
