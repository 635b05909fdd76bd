"""Silent failure: the panel says that a server is well, and people do not get through it.

Two signs, each over the last samples and none of them alone:

few   people, or traffic, are far below the median of this hour of the week over the last weeks
flat  the counter of traffic does not move, while people are online

A server must have been online for a while, and must be one that people use: of small numbers nothing
follows. An alert that is open stays until the numbers are well above what opened it: neither too few
samples (the panel was away) nor an hour in which few people are usual says that it is well again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from lib import clock
from monitoring.alerts.services import alert_raise, alerts_clear_others, alerts_open
from monitoring.alerts.wording.catalogue import says
from monitoring.alerts.wording.saying import Says
from monitoring.nodes.models import Health, Node
from monitoring.nodes.telling import PARENT, SILENT, node_link
from monitoring.nodes.usual import Usual, usual_at

LOOKS = 3  # samples that must agree
SETTLED = timedelta(minutes=30)  # online for so long before it is judged
LEAST_RATE = 100_000.0  # bytes per second; where less is usual, little says nothing
_RELIEF = 1.5  # an open alert ends above so many times the share that opens one
_SOURCE = "monitoring.collect_bandwidth"


@dataclass(frozen=True, slots=True)
class Recent:
    """The last samples of a server, the latest first: people, and bytes per second (None: unknown)."""

    users: tuple[int, ...]
    rates: tuple[float | None, ...]


def silence_check() -> dict[str, object]:
    """Raise and resolve alerts of silent failure. Four queries, and those of the alerts that change."""
    now = clock.now()
    settled = Node.objects.filter(
        removed_at=None,
        health=Health.ONLINE,
        seen_health=Health.ONLINE,
        health_since__lte=now - SETTLED,
    )
    names = dict(settled.values_list("pk", "name"))
    usual, recent = usual_at(now), _recent(now)
    opened = set(alerts_open(SILENT).values_list("key", flat=True))
    seen = {pk for pk, found in recent.items() if len(found.users) >= LOOKS}
    signs = {
        pk: sign
        for pk, name in sorted(names.items())
        if pk in seen
        and (
            sign := judge(name, recent[pk], usual.get(pk, (None, None)), is_open=str(pk) in opened)
        )
    }
    unseen = [str(pk) for pk in names if pk not in seen]
    with transaction.atomic():
        for pk, sign in signs.items():
            if str(pk) not in opened:
                _raise(pk, sign, now)
        resolved = alerts_clear_others(rule=SILENT, keys=[*map(str, signs), *unseen])
    return {"judged": len(names), "silent": [names[pk] for pk in signs], "resolved": resolved}


def judge(name: str, recent: Recent, usual: Usual, *, is_open: bool = False) -> Says | None:
    """Whether a server that is said to be online is silent, and how it shows. Pure."""
    if len(recent.users) < LOOKS:
        return None
    share = settings.NODE_SILENT_PERCENT / 100 * (_RELIEF if is_open else 1)
    # Small numbers open no alert, and end none: at night few people are usual everywhere.
    least = 1 if is_open else settings.NODE_SILENT_LEAST_USERS
    least_rate = 1.0 if is_open else LEAST_RATE
    if min(recent.users) >= least and all(rate == 0 for rate in recent.rates):
        return says("node_silent.flat", name=name, people=recent.users[0], looks=LOOKS)
    users, rate = usual
    if users is not None and users >= least and max(recent.users) < users * share:
        return says("node_silent.few", name=name, online=recent.users[0], usual=users)
    known = [each for each in recent.rates if each is not None]
    if (
        rate is not None
        and rate >= least_rate
        and len(known) == LOOKS
        and max(known) < rate * share
    ):
        return says(
            "node_silent.slow", name=name, rate=known[0], usual=rate, online=recent.users[0]
        )
    return None


def _recent(now: datetime) -> Mapping[UUID, Recent]:
    """The last LOOKS samples of each server, if they are of the last slots."""
    span = settings.NODE_BANDWIDTH_EVERY * (LOOKS + 1)
    found = sql.rows(
        """SELECT node_id, array_agg(users_online ORDER BY at DESC),
            array_agg(bytes / nullif(seconds, 0) ORDER BY at DESC)
        FROM node_sample WHERE at > %s AND at <= %s GROUP BY node_id""",
        [now - span, now],
    )
    return {node_id: _first(users, rates) for node_id, users, rates in found}


def _first(users: Sequence[int], rates: Sequence[float | None]) -> Recent:
    return Recent(tuple(users[:LOOKS]), tuple(rates[:LOOKS]))


def _raise(pk: UUID, sign: Says, now: datetime) -> None:
    alert_raise(
        rule=SILENT,
        key=str(pk),
        severity="warning",
        says=sign,
        link=node_link(pk),
        source=_SOURCE,
        runbook=SILENT,
        parent=PARENT,
        at=now,
    )
