"""What is to be told now. Locks nothing for long: what somebody else is just changing is left for later."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, DurationField, F, Min, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest

from jobs import sql
from jobs.compiled import Compiled, rows_of
from lib import clock
from monitoring.alerts import rules
from monitoring.alerts.models import Alert, Severity

TWIN_PATIENCE = timedelta(minutes=3)  # two looks, and the longest pause of a breaker
MOST = 2000  # in one message; more than that is told by the next run

_IS_BROKEN = "SELECT 1 FROM jobs_breaker WHERE name = %s AND state <> 'closed'"
_ABOUT_TELEGRAM = Compiled(
    lambda: Alert.objects.filter(rules.about_telegram(), resolved_at=None).only("pk")[:1]
)
_ADOPT = """
UPDATE alert c SET parent_id = f.parent_id FROM (
    SELECT a.id, (
        SELECT p.id FROM alert p WHERE p.resolved_at IS NULL AND p.id <> a.id
            AND ((p.rule = a.parent_rule AND p.key = a.parent_key)
                OR (p.rule = %(uplink)s AND a.rule <> ALL(%(local_rules)s)
                    AND NOT (a.rule = %(service)s AND a.key = ANY(%(local_services)s)))
                OR (p.key = a.key AND p.id < a.id
                    AND (p.silenced_until IS NULL OR p.silenced_until <= %(now)s)
                    AND (a.rule, p.rule) IN (SELECT * FROM unnest(%(twins)s::text[], %(of_twins)s::text[]))))
        ORDER BY p.rule = %(uplink)s, p.opened_at, p.id LIMIT 1
    ) AS parent_id
    FROM alert a LEFT JOIN alert o ON o.id = a.parent_id
    WHERE a.resolved_at IS NULL AND (o.id IS NULL OR o.resolved_at IS NOT NULL)
    ORDER BY a.id FOR NO KEY UPDATE OF a SKIP LOCKED
) f WHERE c.id = f.id AND f.parent_id IS NOT NULL
"""


# Each half has an index of its own.
_ANYTHING = """
SELECT EXISTS (SELECT FROM alert WHERE resolved_at IS NULL)
    OR EXISTS (SELECT FROM alert WHERE tell_at IS NOT NULL)
"""


def is_anything_open() -> bool:
    """Whether an alert is open, or its end not told yet; while none is, there is nothing to do."""
    return bool(sql.rows(_ANYTHING)[0][0])


def parents_adopt() -> int:
    """Put open alerts under what explains them and was opened later. Returns how many."""
    return sql.run(
        _ADOPT,
        {
            "uplink": rules.UPLINK,
            "service": rules.SERVICE,
            "local_rules": sorted(rules.LOCAL_RULES),
            "local_services": sorted(rules.LOCAL_SERVICES),
            "twins": [one for one, _ in rules.TWINS],
            "of_twins": [other for _, other in rules.TWINS],
            "now": clock.now(),
        },
    )


def telegram_is_away() -> bool:
    """Whether what we write now would not arrive: the breaker is open, or an open alert says so."""
    if rows_of(_IS_BROKEN, [rules.TELEGRAM]):
        return True
    return _ABOUT_TELEGRAM.one() is not None


def alerts_due() -> list[Alert]:
    """All that is told together now, locked; nothing while no alert is due. Oldest first.

    What is not due yet, but came up since, goes with what is due: that is the one message of the group.
    """
    soonest = next_due_at()
    if soonest is None or soonest > clock.now():
        return []
    found = _waiting().annotate(due=_due()).filter(due__lte=clock.now() + settings.ALERT_GROUP)
    locked = found.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(locked.order_by("opened_at", "pk")[:MOST])


def next_due_at() -> datetime | None:
    """When there is something to tell next, as far as is known now."""
    found: datetime | None = _waiting().aggregate(at=Min(_due()))["at"]
    return found


def alerts_unacknowledged() -> list[Alert]:
    """Critical ones that were told, and which nobody took in ALERT_ESCALATE. Locked."""
    return _locked(
        _pressing().filter(escalated_at=None, told_at__lte=clock.now() - settings.ALERT_ESCALATE)
    )


def alerts_forgotten(but: Iterable[Alert] = ()) -> list[Alert]:
    """Critical ones of which people heard last ALERT_REMIND ago. Locked."""
    found = _pressing().filter(last_told_at__lte=clock.now() - settings.ALERT_REMIND)
    return _locked(found.exclude(pk__in=[alert.pk for alert in but]))


def _waiting() -> QuerySet[Alert]:
    """Not hidden, not silenced.

    The end of what people know of is told even while something else would explain the beginning.
    """
    now = clock.now()
    found = Alert.objects.filter(tell_at__isnull=False).filter(_heard(now))
    found = found.filter(
        Q(resolved_at__isnull=False) | Q(parent=None) | Q(parent__resolved_at__lte=now)
    )
    if telegram_is_away():
        found = found.exclude(rules.about_telegram())
    return found


def _due() -> Greatest:
    """What was hidden gets the time of a group to become well, too.

    A twin gets more: it says the same of the same service, and ends when somebody looks or asks again.
    """
    is_twin = Q(rule=rules.BREAKER) | Q(parent__rule=rules.BREAKER)
    patience = Case(
        When(is_twin, then=Value(max(settings.ALERT_GROUP, TWIN_PATIENCE))),
        default=Value(settings.ALERT_GROUP),
        output_field=DurationField(),
    )
    return Greatest(F("tell_at"), Coalesce(F("parent__resolved_at") + patience, F("tell_at")))


def _pressing() -> QuerySet[Alert]:
    now = clock.now()
    found = Alert.objects.filter(
        _heard(now), severity=Severity.CRITICAL, resolved_at=None, acked_at=None,
        told_at__isnull=False,
    )  # fmt: skip
    return found.filter(Q(parent=None) | Q(parent__resolved_at__lte=now))


def _heard(now: datetime) -> Q:
    return Q(silenced_until=None) | Q(silenced_until__lte=now)


def _locked(found: QuerySet[Alert]) -> list[Alert]:
    locked = found.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(locked.order_by("opened_at", "pk")[:MOST])
