"""The expiring board: each number is what it says, and leads to the people behind it."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from lib import clock
from notifications.telegram.models import Chat
from subscriptions.models import Notice, NoticeState, Subscriber
from subscriptions.screens.board import DAYS, board_get
from subscriptions.templatetags.subscribers_console import sums
from tests.subscriptions.buyers import order_open, paid, plan_make, row_make

BOARD = "/admin/subscriptions/subscriber/expiring/"
LIST = "/admin/subscriptions/subscriber/"


def noon(days: int) -> datetime:
    """Noon of a coming day in UTC."""
    now = clock.now()
    return datetime.combine(now.date() + timedelta(days=days), time(12), now.tzinfo)


def remind(row: Subscriber, stage: str, state: str = "queued") -> None:
    Notice.objects.create(
        subscriber=row, stage=stage, expire_at=row.expire_at, state=state, created_at=clock.now()
    )


def test_a_day_counts_who_ends_and_what_was_done_about_it(db: None) -> None:
    plan, end = plan_make(), noon(2)
    told, billed, on_way, mute, blocked = (
        row_make(n, telegram_id=n, expire_at=end, plan=plan) for n in range(1, 6)
    )
    Subscriber.objects.filter(pk=mute.pk).update(telegram_id=None, plan=None)
    Subscriber.objects.filter(pk=blocked.pk).update(auto_renew=True)
    Chat.objects.create(chat_id=5, unreachable_since=clock.now())
    remind(told, "7d")
    remind(told, "3d")
    remind(mute, "7d", NoticeState.SKIPPED)
    order_open(billed)
    paid(on_way)
    day = board_get().days[2]
    assert day.day == end.date()
    assert (day.ending, day.no_telegram, day.blocked, day.unreachable) == (5, 1, 1, 2)
    assert (day.auto_renew, day.invoiced, day.paid) == (1, 1, 1)
    assert day.reminded == {"7d": 1, "3d": 1}
    # Of four with a price one has paid; one has no plan.
    assert (day.at_risk, day.without_price) == ({"USDT": Decimal(15)}, 1)


def test_who_renewed_after_a_reminder_is_counted_on_the_day_of_the_old_end(db: None) -> None:
    row = row_make(1, expire_at=noon(1))
    remind(row, "7d")
    remind(row, "3d")
    Subscriber.objects.update(expire_at=noon(31))
    day = board_get().days[1]
    assert (day.ending, day.renewed, day.reminded) == (0, 1, {})


def test_who_is_not_served_or_ends_elsewhen_is_not_on_the_board(db: None) -> None:
    row_make(1, expire_at=noon(1), status="DISABLED")
    row_make(2, expire_at=noon(1), missing_since=clock.now())
    row_make(3, expire_at=noon(DAYS))
    row_make(4, expire_at=noon(-1))
    row_make(5, expire_at=noon(DAYS - 1), status="LIMITED")
    board = board_get()
    assert [day.ending for day in board.days] == [0] * (DAYS - 1) + [1]
    assert board.total.ending == 1


def test_every_number_leads_to_its_people(operator: Client) -> None:
    end = noon(3)
    told, billed, mute = (row_make(n, telegram_id=n, expire_at=end) for n in range(1, 4))
    row_make(9, telegram_id=9, expire_at=noon(4))
    Subscriber.objects.filter(pk=mute.pk).update(telegram_id=None)
    remind(told, "7d")
    order_open(billed)
    text = operator.get(BOARD).content.decode()
    day = f"expires_from={end:%Y-%m-%d}&expires_before={end + timedelta(days=1):%Y-%m-%d}"
    for more, people in (
        ("", [told, billed, mute]), ("&reminded=yes", [told]), ("&invoice=yes", [billed]),
        ("&telegram=away", [mute]),
    ):  # fmt: skip
        query = f"?{day}&status=served{more}"
        assert query.replace("&", "&amp;") in text
        assert operator.get(f"{LIST}{query}").context["page"].rows == people


def test_large_sums_can_be_read() -> None:
    assert sums({"USDT": Decimal("1344601.5"), "EUR": Decimal(40)}) == "40 EUR + 1,344,601.5 USDT"


def test_the_board_is_kept_for_a_moment(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row_make(1, expire_at=noon(1))
    with django_assert_num_queries(3):
        assert board_get().total.ending == 1
    row_make(2, expire_at=noon(1))
    with django_assert_num_queries(0):
        assert board_get().total.ending == 1
    assert operator.get(f"{BOARD}?fresh=1").context["board"].total.ending == 2


def test_an_empty_board_says_so(operator: Client) -> None:
    assert "Nobody's time ends within 14 days" in operator.get(BOARD).content.decode().replace(
        "&#x27;", "'"
    )
