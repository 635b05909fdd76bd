"""What follows from a look at the panel: an unknown answer decides nothing, whoever is asked about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from subscriptions.lifecycle.cutting import Cut, cut_judge
from subscriptions.lifecycle.sight import Gone, Look, Seen, Unknown
from subscriptions.lifecycle.stages import BRACKETS, TOLD_WITHIN, Bracket
from subscriptions.lifecycle.verdicts import Act, Money, Verdict, notice_judge
from subscriptions.models import CutBy, Stage
from subscriptions.panel.types import PanelStatus
from tests.subscriptions.lifecycle.users import panel_user

pytestmark = pytest.mark.unit

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
GRACE = timedelta(minutes=2)
UNKNOWN = Unknown("HTTP 503")


def seen(status: PanelStatus, expire_at: datetime) -> Seen:
    return Seen(replace(panel_user(), status=status, expire_at=expire_at), NOW)


def judge(
    stage: Stage,
    left: timedelta,
    look: Look | None = None,
    money: Money = Money.NONE,
    cut_by: str = "",
) -> Verdict:
    expire_at = NOW + left
    shown = look or seen(PanelStatus.ACTIVE, expire_at)
    return notice_judge(stage, expire_at, shown, now=NOW, money=money, cut_by=cut_by)


IN_TIME = {**{each.stage: each.within for each in BRACKETS}, Stage.EXPIRED: -timedelta(hours=1)}


@pytest.mark.parametrize("stage", list(Stage))
def test_an_unknown_answer_decides_nothing(stage: Stage) -> None:
    for money in Money:
        assert judge(stage, IN_TIME[stage], UNKNOWN, money).act is Act.LATER


def test_what_is_no_news_any_more_ends_whatever_the_panel_says() -> None:
    """Else somebody about whom the panel never answers would be asked about for ever."""
    over = Verdict(Act.STALE, "later_stage")
    assert judge(Stage.HOURS_24, timedelta(hours=6), UNKNOWN) == over
    assert judge(Stage.EXPIRED, -TOLD_WITHIN - timedelta(seconds=1), UNKNOWN).reason == "too_late"


def test_somebody_else_under_the_number_is_not_told() -> None:
    look = Unknown("another", "other_person")
    assert judge(Stage.HOURS_6, timedelta(hours=5), look) == Verdict(Act.SKIP, "other_person")


@pytest.mark.parametrize("bracket", BRACKETS, ids=lambda bracket: bracket.stage)
def test_a_bracket_is_told_from_its_beginning_to_its_end_and_no_longer(bracket: Bracket) -> None:
    second = timedelta(seconds=1)
    for left, expected in (
        (bracket.within, Act.TELL),
        (bracket.until + second, Act.TELL),
        (bracket.until, Act.STALE),
        (bracket.until - second, Act.STALE),
    ):
        assert judge(bracket.stage, left).act is expected, left


def test_the_brackets_leave_no_gap_and_do_not_overlap() -> None:
    for earlier, later in pairwise(BRACKETS):
        assert earlier.until == later.within
    assert BRACKETS[-1].until == timedelta(0)


@pytest.mark.parametrize(
    ("look", "money", "expected"),
    [
        (Gone(), Money.NONE, Verdict(Act.SKIP, "gone")),
        (seen(PanelStatus.ACTIVE, NOW + timedelta(days=30)), Money.NONE, Verdict(Act.STALE, "moved")),
        (seen(PanelStatus.DISABLED, NOW + timedelta(hours=5)), Money.NONE, Verdict(Act.SKIP, "disabled")),
        (seen(PanelStatus.LIMITED, NOW + timedelta(hours=5)), Money.NONE, Verdict(Act.TELL)),
        (seen(PanelStatus.ACTIVE, NOW + timedelta(hours=5)), Money.COMING, Verdict(Act.LATER, "paid")),
        (seen(PanelStatus.ACTIVE, NOW + timedelta(hours=5)), Money.STUCK, Verdict(Act.SKIP, "paid")),
        (seen(PanelStatus.EXPIRED, NOW + timedelta(hours=5)), Money.NONE, Verdict(Act.STALE, "expired")),
    ],
)  # fmt: skip
def test_a_reminder_tells_the_truth(look: Look, money: Money, expected: Verdict) -> None:
    assert judge(Stage.HOURS_6, timedelta(hours=5), look, money) == expected


@pytest.mark.parametrize(
    ("status", "cut_by", "expected"),
    [
        (PanelStatus.EXPIRED, "", Verdict(Act.TELL)),
        (PanelStatus.DISABLED, CutBy.SWEEP, Verdict(Act.TELL_CUT)),
        (PanelStatus.DISABLED, CutBy.OPERATOR, Verdict(Act.SKIP, "disabled")),
        (PanelStatus.DISABLED, "", Verdict(Act.SKIP, "disabled")),
        (PanelStatus.ACTIVE, "", Verdict(Act.LATER, "served")),
    ],
)
def test_an_end_is_told_when_the_panel_has_ended_it(
    status: PanelStatus, cut_by: str, expected: Verdict
) -> None:
    ended = -timedelta(hours=1)
    assert judge(Stage.EXPIRED, ended, seen(status, NOW + ended), cut_by=cut_by) == expected


def test_an_end_of_long_ago_is_no_news() -> None:
    ended = -TOLD_WITHIN - timedelta(seconds=1)
    look = seen(PanelStatus.EXPIRED, NOW + ended)
    assert judge(Stage.EXPIRED, ended, look) == Verdict(Act.STALE, "too_late")


@pytest.mark.parametrize(
    ("look", "is_ours", "cut", "reason"),
    [
        (UNKNOWN, False, Cut.UNKNOWN, "unknown"),
        (UNKNOWN, True, Cut.UNKNOWN, "unknown"),
        (Unknown("another", "other_person"), False, Cut.SKIP, "other_person"),
        (Gone(), False, Cut.SKIP, "gone"),
        (seen(PanelStatus.ACTIVE, NOW - timedelta(hours=1)), False, Cut.GO, ""),
        (seen(PanelStatus.LIMITED, NOW - timedelta(hours=1)), False, Cut.GO, ""),
        (seen(PanelStatus.EXPIRED, NOW - timedelta(hours=1)), False, Cut.SKIP, "panel_expired"),
        (seen(PanelStatus.DISABLED, NOW - timedelta(hours=1)), False, Cut.SKIP, "disabled"),
        (seen(PanelStatus.DISABLED, NOW - timedelta(hours=1)), True, Cut.DONE, "cut"),
        (seen(PanelStatus.ACTIVE, NOW + timedelta(days=30)), False, Cut.SKIP, "moved"),
        (seen(PanelStatus.ACTIVE, NOW - timedelta(hours=2)), False, Cut.SKIP, "moved"),
    ],
)
def test_only_a_positive_answer_with_a_past_date_cuts(
    look: Look, is_ours: bool, cut: Cut, reason: str
) -> None:
    ended_at = NOW - timedelta(hours=1)
    found = cut_judge(look, ended_at, now=NOW, grace=GRACE, is_ours=is_ours)
    assert (found.cut, found.reason) == (cut, reason)


def test_nobody_is_cut_within_the_grace() -> None:
    for ended_at, cut in ((NOW - GRACE, Cut.GO), (NOW - GRACE + timedelta(seconds=1), Cut.SKIP)):
        look = seen(PanelStatus.ACTIVE, ended_at)
        assert cut_judge(look, ended_at, now=NOW, grace=GRACE, is_ours=False).cut is cut
