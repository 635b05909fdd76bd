"""The monthly reset of traffic, for those whose panel never does it by itself.

Users with DAY, WEEK, MONTH or MONTH_ROLLING are the panel's own (it resets them, MONTH at 00:20 UTC on
the 1st; source: panel 3.3.2). Ours are NO_RESET, active, and on a plan that says so.

A bulk call proves nothing, so each person is read back: asked -> done, or asked again, or failed.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from jobs.context import JobContext
from jobs.models import Priority
from jobs.outcomes import Outcome, Snooze
from lib import clock
from subscriptions.lifecycle import mirroring
from subscriptions.lifecycle.fates import DONE, FAILED, SKIPPED, UNKNOWN, items_decide
from subscriptions.lifecycle.kinds import SweepKind
from subscriptions.lifecycle.sight import Gone, Look, panel_look
from subscriptions.lifecycle.telling import Letter, muted_of, tell_all, zone_of
from subscriptions.mirror.applying import users_apply
from subscriptions.models import Subscriber, Sweep, SweepItem, SweepState
from subscriptions.panel.client import PanelClient
from subscriptions.panel.door import panel_background
from subscriptions.panel.errors import PanelAway, PanelFailed, PanelUnknown, PanelWaits
from subscriptions.panel.types import PanelUser
from subscriptions.story import EventRow, events_write

NAME = "subscriptions.reset_traffic"
PACK = 100
LOOK_AGAIN = timedelta(seconds=3)  # the panel works its queue off
PATIENCE = timedelta(minutes=2)  # then what it has not done is asked for again, once
SKEW = timedelta(minutes=2)  # between our clock and that of the panel
KEPT = timedelta(days=40)
TURN_S = 20
ASKED, ASKED_AGAIN = "asked", "asked_again"

_CHOSEN = """
SELECT s.id, s.expire_at FROM subscriber s JOIN subscription_plan p ON p.id = s.plan_id
WHERE s.status IN ('ACTIVE', 'LIMITED') AND s.missing_since IS NULL AND s.panel_id IS NOT NULL
    AND s.traffic_limit_strategy = 'NO_RESET' AND p.resets_traffic
    AND (s.last_traffic_reset_at IS NULL OR s.last_traffic_reset_at < %(month)s)
"""


def month_start(now: datetime) -> datetime:
    """00:00 UTC on the 1st."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_key(now: datetime) -> str:
    """What a reset is for: "2026-12"."""
    return f"{now.astimezone(UTC):%Y-%m}"


def params(now: datetime) -> Mapping[str, Any]:
    """The values of the query."""
    return {"month": month_start(now)}


def run(sweep: Sweep, context: JobContext | None) -> Outcome | dict[str, int]:
    """Ask for all packs, then read back until everybody has a fate. Repeat-safe.

    Raises PanelWaits, PanelAway.
    """
    client, until = panel_background(), clock.now() + timedelta(seconds=TURN_S)
    more = Snooze(timedelta(0), "more is left than one turn takes")
    while pack := _next_pack(sweep):
        _ask(client, sweep, pack)
        if _turn_is_over(context, until):
            return more
    pending, after = 0, 0
    while rows := _asked(sweep, after):
        pending += _read_back(client, sweep, rows)
        after = rows[-1].pk
        if _turn_is_over(context, until):
            return more
    if pending:
        return Snooze(LOOK_AGAIN, f"the panel has not confirmed {pending} yet")
    sweep.refresh_from_db()
    return {"done": sweep.done, "skipped": sweep.skipped, "failed": sweep.failed}


def _turn_is_over(context: JobContext | None, until: datetime) -> bool:
    return clock.now() >= until or (context is not None and context.interrupt is not None)


def _next_pack(sweep: Sweep) -> list[SweepItem]:
    """Mark the next pack as asked for, before it is: who takes over reads them back first."""
    with transaction.atomic():
        locked = Sweep.objects.select_for_update(no_key=True).get(pk=sweep.pk)
        if locked.state != SweepState.RUNNING:
            return []
        pack = list(
            SweepItem.objects.filter(sweep=sweep, fate="", reason="")
            .select_related("subscriber")
            .order_by("id")[:PACK]
        )
        _mark(pack, ASKED)
    return pack


def _mark(items: Sequence[SweepItem], reason: str) -> None:
    SweepItem.objects.filter(pk__in=[each.pk for each in items], fate="").update(
        reason=reason, at=clock.now()
    )


def _ask(client: PanelClient, sweep: Sweep, pack: Sequence[SweepItem]) -> None:
    """One bulk call for those who are whom we mean. Where it was surely not made, the pack is as before."""
    try:
        found = client.users_by_ids(_numbers(pack))
        strangers = [each for each in pack if _is_other(each, found)]
        if strangers:
            with transaction.atomic():
                items_decide(sweep.pk, [each.pk for each in strangers], UNKNOWN, "other_person")
        if ours := _numbers([each for each in pack if each not in strangers]):
            client.bulk_reset_traffic(ours)
    except (PanelWaits, PanelAway, PanelFailed):
        SweepItem.objects.filter(pk__in=[each.pk for each in pack], fate="").update(
            reason="", at=None
        )
        raise
    except PanelUnknown:
        return  # it may have worked: reading back tells


def _numbers(items: Sequence[SweepItem]) -> list[int]:
    return [each.subscriber.panel_id for each in items if each.subscriber.panel_id is not None]


def _is_other(item: SweepItem, found: Mapping[int, PanelUser | None]) -> bool:
    """Whether his number is another person's by now: a panel from a backup gives numbers anew."""
    user = found.get(item.subscriber.panel_id or 0)
    return user is not None and user.username != item.subscriber.username


def _asked(sweep: Sweep, after: int) -> list[SweepItem]:
    return list(
        SweepItem.objects.filter(
            sweep=sweep, fate="", reason__in=[ASKED, ASKED_AGAIN], pk__gt=after
        )
        .select_related("subscriber")
        .order_by("id")[:PACK]
    )


def _read_back(client: PanelClient, sweep: Sweep, items: Sequence[SweepItem]) -> int:
    """Decide those whom the panel has done. Returns how many it has not."""
    read_at = clock.now()
    found = client.users_by_ids(_numbers(items))
    pending: list[SweepItem] = []
    done: dict[int, PanelUser] = {}  # by subscriber
    for item in items:
        user = found.get(item.subscriber.panel_id or 0)
        if user is None or _is_other(item, found):
            _gone(sweep, item, panel_look(client, item.subscriber))
        elif is_reset(user, sweep.started_at):
            done[item.subscriber_id] = user
        else:
            pending.append(item)
    _done(sweep, [each for each in items if each.subscriber_id in done], done, read_at)
    late = [each for each in pending if each.at and each.at < clock.now() - PATIENCE]
    again = [each for each in late if each.reason == ASKED]
    if again:
        _mark(again, ASKED_AGAIN)
        _ask_again(client, again)
    given_up = [each.pk for each in late if each.reason == ASKED_AGAIN]
    if given_up:
        with transaction.atomic():
            items_decide(sweep.pk, given_up, FAILED, "not_confirmed")
    return len(pending) - len(given_up)


def _ask_again(client: PanelClient, items: Sequence[SweepItem]) -> None:
    try:
        client.bulk_reset_traffic([each.subscriber.panel_id or 0 for each in items])
    except PanelUnknown:
        return


def is_reset(user: PanelUser, since: datetime) -> bool:
    """Whether the counter was set to zero since then, or is zero anyway."""
    reset_at = user.last_traffic_reset_at
    return user.used_bytes == 0 or (reset_at is not None and reset_at >= since - SKEW)


def _gone(sweep: Sweep, item: SweepItem, look: Look) -> None:
    """Not in the list: gone, or known under another number by now, which the mirror settles."""
    with transaction.atomic():
        row = Subscriber.objects.select_for_update(no_key=True).get(pk=item.subscriber_id)
        mirroring.correct(row, look)
        if isinstance(look, Gone):
            items_decide(sweep.pk, [item.pk], SKIPPED, "gone")
        else:
            items_decide(sweep.pk, [item.pk], UNKNOWN, "unknown")


def _done(
    sweep: Sweep, items: Sequence[SweepItem], users: Mapping[int, PanelUser], read_at: datetime
) -> None:
    """Write them down and tell each person, once a month whatever the number of subscriptions.

    One transaction for all. Locks: the subscribers by id, the sweep, the items.
    """
    if not items:
        return
    muted = muted_of({each.subscriber.telegram_id or 0 for each in items})
    with transaction.atomic():
        rows = {
            row.pk: row
            for row in Subscriber.objects.select_for_update(no_key=True)
            .filter(pk__in=list(users))
            .order_by("pk")
        }
        Sweep.objects.select_for_update(no_key=True).get(pk=sweep.pk)
        fresh = SweepItem.objects.filter(pk__in=[each.pk for each in items], fate="")
        owners = dict(fresh.values_list("pk", "subscriber_id"))
        users_apply([users[owner] for owner in owners.values()], read_at)
        items_decide(sweep.pk, list(owners), DONE, "reset")
        events_write(
            EventRow(
                subscriber_id=owner,
                kind="traffic_reset",
                source="sweep",
                data={"before": rows[owner].used_traffic_bytes},
            )
            for owner in owners.values()
        )
        told = [rows[owner] for owner in owners.values()]
        tell_all([(row, _letter(row, sweep)) for row in told], muted=muted)


def _letter(row: Subscriber, sweep: Sweep) -> Letter:
    reset_on = sweep.started_at.astimezone(zone_of(row)).date()
    return Letter(
        "traffic_reset",
        {"reset_on": reset_on, "limit": row.traffic_limit_bytes or None},
        f"traffic_reset:{row.telegram_id}:{month_key(sweep.started_at)}",
        KEPT,
        Priority.LOW,
    )


RESET = SweepKind(
    name=NAME,
    title="Monthly reset of traffic",
    can_cut=False,
    chosen=_CHOSEN,
    params=params,
    run=run,
)
