"""When another state of a server counts: pure rules, from what an answer says to what people are told.

Bad news counts at once (NODE_DOWN_HOLD), good news once it has held (NODE_UP_HOLD), "connecting" only
if it stays so (NODE_CONNECTING_HOLD), what a person has switched off at once. A server that is lost
NODE_FLAP_LOSSES times within NODE_FLAP_SPAN flaps: it is one warning until it has stood still, up or
down, for NODE_FLAP_CALM.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings

from monitoring.nodes.models import Health

_MOST_LOSSES = 20  # moments that are remembered; no setting asks for more


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings."""

    down_hold: timedelta
    up_hold: timedelta
    connecting_hold: timedelta
    flap_losses: int
    flap_span: timedelta
    flap_calm: timedelta

    @classmethod
    def current(cls) -> "Limits":
        """As they are configured."""
        return cls(
            settings.NODE_DOWN_HOLD,
            settings.NODE_UP_HOLD,
            settings.NODE_CONNECTING_HOLD,
            settings.NODE_FLAP_LOSSES,
            settings.NODE_FLAP_SPAN,
            settings.NODE_FLAP_CALM,
        )

    def hold(self, seen: Health) -> timedelta:
        """How long a state must hold to count."""
        return {
            Health.OFFLINE: self.down_hold,
            Health.ONLINE: self.up_hold,
            Health.WARNING: self.connecting_hold,
            Health.MAINTENANCE: timedelta(0),
        }[seen]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a server stands. losses: moments at which an answer no longer said online, the oldest first."""

    health: Health
    since: datetime
    seen: Health
    seen_since: datetime
    losses: tuple[datetime, ...] = ()
    flapping_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of it. look_in: when another look could let a change count that does not yet."""

    standing: Standing
    look_in: timedelta | None = None


def first(seen: Health, since: datetime) -> Standing:
    """A server that nobody knew: it is what it is said to be."""
    return Standing(seen, since, seen, since)


def judge(
    before: Standing,
    seen: Health,
    at: datetime,
    limits: Limits,
    *,
    changed_at: datetime | None = None,
) -> Verdict:
    """What an answer of the moment `at` makes of a server.

    changed_at: since when the panel says that it is so; believed if it lies before `at` and not before
    what was seen last. The same answer again changes nothing but what has held long enough by now.
    """
    now = _seen(before, seen, at, limits, changed_at)
    if Health.MAINTENANCE in (seen, before.health) and seen in (Health.MAINTENANCE, Health.ONLINE):
        # A person's hand: no accident, so nothing flaps.
        return Verdict(_become(replace(now, losses=(), flapping_since=None), seen))
    if now.flapping_since is None and len(now.losses) >= limits.flap_losses:
        flapping = replace(_become(now, Health.WARNING, at), flapping_since=at)
        return Verdict(flapping, limits.flap_calm)
    held = at - now.seen_since
    if now.flapping_since is not None:
        if held < limits.flap_calm:
            return Verdict(now, limits.flap_calm - held)
        calm = replace(now, flapping_since=None, losses=())
        return Verdict(_become(calm, seen))
    if seen == now.health or (now.health, seen) == (Health.OFFLINE, Health.WARNING):
        # Trying to connect is not yet better than being down.
        return Verdict(now)
    hold = limits.hold(seen)
    return Verdict(_become(now, seen)) if held >= hold else Verdict(now, hold - held)


def _seen(
    before: Standing, seen: Health, at: datetime, limits: Limits, changed_at: datetime | None
) -> Standing:
    losses = tuple(each for each in before.losses if each > at - limits.flap_span)
    if seen == before.seen:
        return replace(before, losses=losses)
    since = at
    if changed_at is not None and before.seen_since <= changed_at <= at:
        since = changed_at
    if before.seen == Health.ONLINE and seen != Health.MAINTENANCE:
        losses = (*losses, since)[-_MOST_LOSSES:]
    return replace(before, seen=seen, seen_since=since, losses=losses)


def _become(now: Standing, health: Health, since: datetime | None = None) -> Standing:
    """The state counts from when it was seen, though never from before the one that it follows."""
    if now.health == health:
        return now
    return replace(now, health=health, since=max(since or now.seen_since, now.since))
