"""What follows from a look at the panel, for a notice. Pure: no database, no network."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from subscriptions.lifecycle.sight import Gone, Look, Unknown
from subscriptions.lifecycle.stages import BY_STAGE, TOLD_WITHIN
from subscriptions.models import CutBy, Stage
from subscriptions.panel.types import PanelStatus, PanelUser

_SAME = timedelta(seconds=1)  # the panel keeps milliseconds


class Act(StrEnum):
    """What is done with a notice."""

    TELL = "tell"
    TELL_CUT = "tell_cut"  # we have switched it off: another text
    LATER = "later"  # not known; asked again
    STALE = "stale"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The act, and why it is not to be told: a word of subscriptions.lifecycle.reasons."""

    act: Act
    reason: str = ""


class Money(StrEnum):
    """Whether somebody has paid for more than the panel shows."""

    NONE = "none"
    COMING = "coming"  # paid, access is being switched on
    STUCK = "stuck"  # paid, and a person has to look


def same_moment(one: datetime, other: datetime) -> bool:
    """Whether two dates of expiry are the same one."""
    return abs(one - other) < _SAME


def out_of_time(stage: Stage, expire_at: datetime, now: datetime) -> str:
    """Why a notice is no news any more, whatever the panel says; empty: it is."""
    if stage is Stage.EXPIRED:
        return "too_late" if now - expire_at > TOLD_WITHIN else ""
    return "later_stage" if BY_STAGE[stage].is_over(expire_at, now) else ""


def notice_judge(
    stage: Stage, expire_at: datetime, look: Look, *, now: datetime, money: Money, cut_by: str
) -> Verdict:
    """What becomes of a notice. An unknown answer tells nobody anything."""
    if reason := out_of_time(stage, expire_at, now):
        return Verdict(Act.STALE, reason)
    if isinstance(look, Unknown):
        # Asking again would not make it the same person.
        is_final = look.reason == "other_person"
        return Verdict(Act.SKIP if is_final else Act.LATER, look.reason)
    if isinstance(look, Gone):
        return Verdict(Act.SKIP, "gone")
    if not same_moment(look.user.expire_at, expire_at):
        return Verdict(Act.STALE, "moved")
    if money is Money.COMING:
        return Verdict(Act.LATER, "paid")
    if money is Money.STUCK:
        return Verdict(Act.SKIP, "paid")
    if stage is Stage.EXPIRED:
        return _expired(look.user, cut_by)
    return _reminder(look.user)


def _reminder(user: PanelUser) -> Verdict:
    if user.status is PanelStatus.DISABLED:
        return Verdict(Act.SKIP, "disabled")
    if user.status is PanelStatus.EXPIRED:
        return Verdict(Act.STALE, "expired")
    return Verdict(Act.TELL)


def _expired(user: PanelUser, cut_by: str) -> Verdict:
    if user.status is PanelStatus.DISABLED:
        is_ours = cut_by == CutBy.SWEEP
        return Verdict(Act.TELL_CUT) if is_ours else Verdict(Act.SKIP, "disabled")
    if user.status is PanelStatus.EXPIRED:
        return Verdict(Act.TELL)
    return Verdict(Act.LATER, "served")  # the panel has not expired it yet
