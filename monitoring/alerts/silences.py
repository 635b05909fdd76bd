"""Silences: made from an alert by one click, or written as a window of planned maintenance."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from jobs import sql
from jobs.audit import Account, audit_write
from jobs.storable import is_storable
from lib import clock
from lib.errors import InputInvalid, NotFound
from monitoring.alerts.acting import alert_lock
from monitoring.alerts.errors import AlertNotSilenced, SilenceOver
from monitoring.alerts.fitting import FITTING, alerts_quiet
from monitoring.alerts.models import Alert, Silence
from monitoring.alerts.showing import alert_show
from monitoring.alerts.story import who
from monitoring.alerts.waking import tell_soon

SILENCE = "alert silence"  # what the audit log calls it
LONGEST = timedelta(days=90)


@transaction.atomic
def silence_create(
    *,
    rule: str,
    key: str = "*",
    starts_at: datetime | None = None,
    ends_at: datetime,
    reason: str = "",
    alert: Alert | None = None,
    by: Account,
    name: str = "",
) -> Silence:
    """Tell nobody of what fits, from starts_at (now) until ends_at. `*` stands for anything.

    What is open still when it ends is told then. Raises InputInvalid. Locks: the alerts that fit, by
    id.
    """
    now = clock.now()
    start = starts_at or now
    if not rule or not key or len(rule) > 60 or len(key) > 200 or not is_storable(rule + key):
        raise InputInvalid("a silence needs a rule and a key; * stands for anything")
    if ends_at <= max(now, start):
        raise InputInvalid("a silence must end later than it begins, and later than now")
    if ends_at - start > LONGEST:
        raise InputInvalid(f"a silence lasts at most {LONGEST.days} days")
    silence = Silence.objects.create(
        rule=rule,
        key=key,
        starts_at=start,
        ends_at=ends_at,
        reason=reason.strip()[:300],
        alert=alert,
        created_by=who(by, name),
    )
    via = {"name": name} if name else {}
    audit_write(
        by, "alerts.silence", SILENCE, silence.pk, rule=rule, key=key,
        starts_at=start.isoformat(), ends_at=ends_at.isoformat(), **via,
    )  # fmt: skip
    alerts_quiet()
    return silence


@transaction.atomic
def silence_end(*, silence_id: int, by: Account, name: str = "") -> Silence:
    """Take a silence back before its end. Raises NotFound, SilenceOver."""
    silence = Silence.objects.select_for_update(no_key=True).filter(pk=silence_id).first()
    if silence is None:
        raise NotFound(f"there is no silence {silence_id}")
    now = clock.now()
    if silence.ended_at is not None or silence.ends_at <= now:
        raise SilenceOver(f"the silence of {silence} is over")
    silence.ended_at, silence.ended_by = now, who(by, name)
    silence.save(update_fields=["ended_at", "ended_by"])
    via = {"name": name} if name else {}
    audit_write(
        by, "alerts.unsilence", SILENCE, silence.pk, rule=silence.rule, key=silence.key, **via
    )
    alerts_quiet()
    tell_soon()
    return silence


@transaction.atomic
def alert_silence(
    *, alert_id: UUID, until: datetime, by: Account, name: str = "", reason: str = ""
) -> Alert:
    """Silence one alert: a silence of just its rule and key. Raises NotFound, AlertResolved, InputInvalid.

    Repeat: one that lasts as long already is enough.
    """
    alert = alert_lock(alert_id)
    if alert.silenced_until is None or alert.silenced_until < until:
        # As patterns these stand for themselves: a rule or key with a * fits itself, too.
        silence_create(
            rule=alert.rule, key=alert.key, ends_at=until, reason=reason, alert=alert, by=by,
            name=name,
        )  # fmt: skip
        alert.refresh_from_db()
        alert_show(alert)
    return alert


@transaction.atomic
def alert_unsilence(*, alert_id: UUID, by: Account, name: str = "") -> Alert:
    """Take back the silences of just this alert. Raises NotFound, AlertResolved, AlertNotSilenced.

    One with a pattern is for more than this alert, and is taken back by itself.
    """
    alert = alert_lock(alert_id)
    own = in_force().filter(rule=alert.rule, key=alert.key).order_by("pk")
    ids = list(own.values_list("pk", flat=True))
    if not ids:
        raise AlertNotSilenced("no silence of this alert alone is in force; see Silences")
    for silence_id in ids:
        silence_end(silence_id=silence_id, by=by, name=name)
    alert.refresh_from_db()
    alert_show(alert)
    return alert


def in_force() -> QuerySet[Silence]:
    """The silences that hold now."""
    now = clock.now()
    return Silence.objects.filter(ended_at=None, starts_at__lte=now, ends_at__gt=now)


def silenced_by(silence: Silence, most: int = 100) -> list[Alert]:
    """The open alerts that it fits, newest first, whether or not it is in force."""
    fits = {"rule": silence.rule, "key": silence.key, "most": most}
    ids = [row[0] for row in sql.rows(FITTING, fits)]
    found = Alert.objects.filter(pk__in=ids).select_related("parent", "assigned_to")
    return list(found.order_by("-pk"))
