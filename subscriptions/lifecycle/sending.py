"""Deciding notices: the panel is read again right before a message is queued."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from jobs import sql
from jobs.audit import audit_write_many
from jobs.compiled import Compiled, Param
from lib import clock
from subscriptions.among import Among
from subscriptions.lifecycle import mirroring
from subscriptions.lifecycle.money import money_of_all
from subscriptions.lifecycle.sight import Look, Seen, Unknown, panel_look
from subscriptions.lifecycle.telling import Told, expiry_letter, muted_of, tell_all
from subscriptions.lifecycle.verdicts import (
    Act,
    Money,
    Verdict,
    notice_judge,
    out_of_time,
    same_moment,
)
from subscriptions.models import Notice, NoticeState, Stage, Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.story import EventRow, events_write

logger = logging.getLogger("switchboard.lifecycle")

SUBSCRIBER = "subscriber"  # what the audit log calls it
_ASKED = [f"subscriber__{name}" for name in ("panel_id", "username", "telegram_id")]
# A subscriber is a wide row, and of many.
_TOLD = (
    "username", "expire_at", "cut_by", "telegram_id", "language", "time_zone", "plan_id",
    "plan__title", "plan__title_ru",
)  # fmt: skip
CHUNK = 10  # notices of one transaction: each was a request to the panel before it

_DUE = Compiled(
    lambda: (
        Notice.objects.filter(Among("pk", "ids"), pk__gt=Param("after"), state=NoticeState.DUE)
        .select_related("subscriber")
        .only("stage", "expire_at", "subscriber", *_ASKED)
        .order_by("pk")
    )
)
_PEOPLE = Compiled(
    lambda: (
        Subscriber.objects.select_for_update(no_key=True, of=("self",))
        .select_related("plan")
        .only(*_TOLD)
        .filter(Among("pk", "ids"))
        .order_by("pk")
    )
)
_NOTICES = Compiled(
    lambda: Notice.objects.select_for_update(no_key=True).filter(Among("pk", "ids")).order_by("pk")
)
_SAVE = """
UPDATE subscription_notice n
SET state = v.state, reason = v.reason, message_id = v.message_id, decided_at = v.at
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(messages)s::bigint[],
    %(at)s::timestamptz[]) AS v (id, state, reason, message_id, at)
WHERE n.id = v.id
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the panel showed for a notice, right before it is decided."""

    notice_id: int
    subscriber_id: int
    look: Look


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

    passed(id) is called behind every few, so that a run that is put off goes on where it was, and one that
    always fails holds up nobody. Raises PanelWaits.
    """
    due = _DUE.all(ids=list(notice_ids), after=after)
    muted = muted_of(
        {row.subscriber.telegram_id for row in due if row.subscriber.telegram_id is not None}
    )
    sent = Sent()
    for start in range(0, len(due), CHUNK):
        looked: list[Looked] = []
        chunk = due[start : start + CHUNK]
        try:
            with client.visit(len(chunk)):
                for row in chunk:
                    looked.append(Looked(row.pk, row.subscriber_id, _look(client, row)))  # noqa: PERF401
        finally:  # what was seen is acted upon, also if the panel lets us wait
            if looked:
                _decide(looked, muted, sent)
                passed(looked[-1].notice_id)
    return sent


def _decide(looked: Sequence[Looked], muted: Collection[int], sent: Sent) -> None:
    try:
        decided = notices_decide(looked, muted=muted)
    except Exception:
        if len(looked) == 1:
            raise
        logger.exception("a pack of notices is decided one by one")
        _decide_each(looked, muted, sent)
        return
    for state in decided.values():
        sent.count(state)


def _decide_each(looked: Sequence[Looked], muted: Collection[int], sent: Sent) -> None:
    """One that cannot be decided shall not hold up the others: what it raises comes last."""
    failures: list[Exception] = []
    for each in looked:
        try:
            _decide([each], muted, sent)
        except Exception as exc:  # noqa: BLE001 - raised below
            failures.append(exc)
    if failures:
        raise failures[0]


def _look(client: PanelClient, row: Notice) -> Look:
    """The panel, unless its answer could change nothing any more."""
    if reason := out_of_time(Stage(row.stage), row.expire_at, clock.now()):
        return Unknown("not asked", reason)
    return panel_look(client, row.subscriber)


def notices_due(notice_ids: Sequence[int]) -> int:
    """How many of them are not decided yet."""
    return Notice.objects.filter(pk__in=notice_ids, state=NoticeState.DUE).count()


def notice_decide(notice_id: int, look: Look, *, is_muted: bool = False) -> str | None:
    """The same for one notice, whoever it is for. Returns its state; None: it waits."""
    owner = Notice.objects.select_related("subscriber").get(pk=notice_id).subscriber
    muted = [owner.telegram_id] if is_muted and owner.telegram_id is not None else []
    return notices_decide([Looked(notice_id, owner.pk, look)], muted=muted)[notice_id]


@transaction.atomic
def notices_decide(looked: Sequence[Looked], *, muted: Collection[int]) -> dict[int, str | None]:
    """Write what becomes of notices, and queue their messages, in one transaction.

    muted: chats that want none. Returns the states by id; None: it waits. The number of statements
    does not grow with the notices. Locks: subscribers by id, then notices by id, then dedup keys.
    Repeat: a notice that is decided stays as it is.
    """
    people = {row.pk: row for row in _PEOPLE.all(ids=[each.subscriber_id for each in looked])}
    notices = {row.pk: row for row in _NOTICES.all(ids=[each.notice_id for each in looked])}
    due = [each for each in looked if notices[each.notice_id].state == NoticeState.DUE]
    mirroring.correct_all(people, ((each.subscriber_id, each.look) for each in due))
    money = money_of_all(people.keys())
    verdicts = {
        each.notice_id: _judge(
            people[each.subscriber_id],
            notices[each.notice_id],
            each.look,
            money[each.subscriber_id],
        )
        for each in due
    }
    told = _tell(people, notices, verdicts, muted)
    ended: list[tuple[Notice, Told]] = []
    for each in due:
        verdict, notice = verdicts[each.notice_id], notices[each.notice_id]
        if verdict.act is Act.LATER:
            continue
        _close(notice, verdict, told[notice.pk])
        if _is_end(notice, each.look, verdict):
            ended.append((notice, told[notice.pk]))
    _write_down(ended)
    _save([notices[pk] for pk, verdict in verdicts.items() if verdict.act is not Act.LATER])
    return {
        pk: None if pk in verdicts and verdicts[pk].act is Act.LATER else row.state
        for pk, row in notices.items()
    }


def _judge(row: Subscriber, notice: Notice, look: Look, money: Money) -> Verdict:
    if isinstance(look, Seen) and not same_moment(row.expire_at, notice.expire_at):
        # Whoever held the lock before us has seen more than this look: paid in this moment.
        return Verdict(Act.STALE, "moved")
    return notice_judge(
        Stage(notice.stage),
        notice.expire_at,
        look,
        now=clock.now(),
        money=money,
        cut_by=row.cut_by,
    )


def _tell(
    people: Mapping[int, Subscriber],
    notices: Mapping[int, Notice],
    verdicts: Mapping[int, Verdict],
    muted: Collection[int],
) -> dict[int, Told]:
    """What came of each notice; the messages are in the queue."""
    told = {pk: Told(verdict.reason) for pk, verdict in verdicts.items()}
    to_tell = [pk for pk, each in verdicts.items() if each.act in {Act.TELL, Act.TELL_CUT}]
    letters = []
    for pk in to_tell:
        notice, is_cut = notices[pk], verdicts[pk].act is Act.TELL_CUT
        row = people[notice.subscriber_id]
        letters.append(
            (row, expiry_letter(row, Stage(notice.stage), notice.expire_at, is_cut=is_cut))
        )
    return told | dict(zip(to_tell, tell_all(letters, muted=muted), strict=True))


def _close(notice: Notice, verdict: Verdict, told: Told) -> None:
    if verdict.act is Act.STALE:
        notice.state = NoticeState.STALE
    else:
        notice.state = NoticeState.SKIPPED if told.reason else NoticeState.QUEUED
    notice.reason, notice.message_id = told.reason, told.message_id
    notice.decided_at = clock.now()


def _save(notices: Sequence[Notice]) -> None:
    if notices:
        sql.run(
            _SAVE,
            {
                "ids": [row.pk for row in notices],
                "states": [str(row.state) for row in notices],
                "reasons": [row.reason for row in notices],
                "messages": [row.message_id for row in notices],
                "at": [row.decided_at for row in notices],
            },
        )


def _is_end(notice: Notice, look: Look, verdict: Verdict) -> bool:
    """Whether an end is to be written down; one that we made stands there already."""
    is_told = isinstance(look, Seen) and verdict.act is Act.TELL
    return is_told and notice.stage == Stage.EXPIRED


def _write_down(ended: Sequence[tuple[Notice, Told]]) -> None:
    """An end is told of in the story and in the audit log once. One statement each for all."""
    events_write(
        EventRow(
            subscriber_id=notice.subscriber_id,
            kind="expired",
            source="panel",
            data={"until": notice.expire_at.isoformat(), "not_told": told.reason},
        )
        for notice, told in ended
    )
    audit_write_many(
        "subscriptions.expired",
        SUBSCRIBER,
        [
            (
                notice.subscriber_id,
                {"expire_at": notice.expire_at.isoformat(), "not_told": told.reason},
            )
            for notice, told in ended
        ],
    )
