"""Deciding notices: the panel is read again right before a message is queued, one person at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from jobs.audit import audit_write
from lib import clock
from subscriptions.lifecycle import mirroring
from subscriptions.lifecycle.money import money_of
from subscriptions.lifecycle.sight import Look, Seen, Unknown, panel_look
from subscriptions.lifecycle.telling import Told, expiry_letter, muted_of, tell
from subscriptions.lifecycle.verdicts import Act, Verdict, notice_judge, out_of_time, same_moment
from subscriptions.models import Notice, NoticeState, Stage, Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.story import event_write

SUBSCRIBER = "subscriber"  # what the audit log calls it


@dataclass(slots=True)
class Sent:
    """What became of a pack."""

    queued: int = 0
    skipped: int = 0
    stale: int = 0
    later: int = 0

    def count(self, state: str | None) -> None:
        """Count one notice; None: it waits."""
        if state is None:
            self.later += 1
        elif state == NoticeState.QUEUED:
            self.queued += 1
        elif state == NoticeState.SKIPPED:
            self.skipped += 1
        else:
            self.stale += 1


def notices_send(
    client: PanelClient,
    notice_ids: Sequence[int],
    *,
    after: int = 0,
    passed: Callable[[int], None] = lambda notice_id: None,
) -> Sent:
    """Decide the notices of a pack behind `after`, in the order of their ids. Repeat-safe.

    passed(id) is called behind each, so that a run that is put off goes on where it was, and one that
    always fails holds up nobody. Raises PanelWaits.
    """
    due = list(
        Notice.objects.filter(pk__in=notice_ids, pk__gt=after, state=NoticeState.DUE)
        .select_related("subscriber")
        .order_by("pk")
    )
    muted = muted_of(
        {row.subscriber.telegram_id for row in due if row.subscriber.telegram_id is not None}
    )
    sent = Sent()
    for row in due:
        look = _look(client, row)
        sent.count(notice_decide(row.pk, look, is_muted=row.subscriber.telegram_id in muted))
        passed(row.pk)
    return sent


def _look(client: PanelClient, row: Notice) -> Look:
    """The panel, unless its answer could change nothing any more."""
    if reason := out_of_time(Stage(row.stage), row.expire_at, clock.now()):
        return Unknown("not asked", reason)
    return panel_look(client, row.subscriber)


def notices_due(notice_ids: Sequence[int]) -> int:
    """How many of them are not decided yet."""
    return Notice.objects.filter(pk__in=notice_ids, state=NoticeState.DUE).count()


def notice_decide(notice_id: int, look: Look, *, is_muted: bool = False) -> str | None:
    """Write what becomes of a notice, and queue its message, in one transaction.

    Returns its state; None: it waits. Locks: subscriber, then notice. Repeat: a notice that is decided
    stays as it is.
    """
    with transaction.atomic():
        owner = Notice.objects.values_list("subscriber_id", flat=True).get(pk=notice_id)
        row = (
            Subscriber.objects.select_for_update(no_key=True, of=("self",))
            .select_related("plan")
            .get(pk=owner)
        )
        notice = Notice.objects.select_for_update(no_key=True).get(pk=notice_id)
        if notice.state != NoticeState.DUE:
            return notice.state
        mirroring.correct(row, look)
        stage = Stage(notice.stage)
        verdict = notice_judge(
            stage,
            notice.expire_at,
            look,
            now=clock.now(),
            money=money_of(row.pk),
            cut_by=row.cut_by,
        )
        if isinstance(look, Seen) and not same_moment(row.expire_at, notice.expire_at):
            # Whoever held the lock before us has seen more than this look: paid in this moment.
            verdict = Verdict(Act.STALE, "moved")
        told = _act(row, notice, verdict, is_muted=is_muted)
        if verdict.act is Act.LATER:
            return None
        _close(notice, verdict, told)
        if stage is Stage.EXPIRED:
            _write_down(row, notice, look, verdict, told)
        return notice.state


def _act(row: Subscriber, notice: Notice, verdict: Verdict, *, is_muted: bool) -> Told:
    if verdict.act not in {Act.TELL, Act.TELL_CUT}:
        return Told(verdict.reason)
    letter = expiry_letter(
        row, Stage(notice.stage), notice.expire_at, is_cut=verdict.act is Act.TELL_CUT
    )
    return tell(row, letter, is_muted=is_muted)


def _close(notice: Notice, verdict: Verdict, told: Told) -> None:
    if verdict.act is Act.STALE:
        notice.state = NoticeState.STALE
    else:
        notice.state = NoticeState.SKIPPED if told.reason else NoticeState.QUEUED
    notice.reason, notice.message_id = told.reason, told.message_id
    notice.decided_at = clock.now()
    notice.save(update_fields=["state", "reason", "message_id", "decided_at"])


def _write_down(row: Subscriber, notice: Notice, look: Look, verdict: Verdict, told: Told) -> None:
    """An end is told of in the story and in the audit log once; one that we made stands there already."""
    if not isinstance(look, Seen) or verdict.act is not Act.TELL:
        return
    ended_at = notice.expire_at.isoformat()
    event_write(row.pk, "expired", "panel", data={"until": ended_at, "not_told": told.reason})
    audit_write(
        None, "subscriptions.expired", SUBSCRIBER, row.pk, expire_at=ended_at, not_told=told.reason
    )
