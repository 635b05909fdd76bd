"""The list of subscribers: whom it shows, whom a search means, what it costs."""

from datetime import UTC, timedelta
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from lib import clock
from notifications.telegram.models import Chat
from payments.models import Payment
from subscriptions.models import Notice, NoticeState, Subscriber
from tests.subscriptions.buyers import CHAT, order_open, plan_make, row_make

LIST = "/admin/subscriptions/subscriber/"
NODE = "8a1e4f0c-2f77-4f0c-9d6b-111111111111"


def shown(client: Client, query: str = "") -> list[Subscriber]:
    answer = client.get(f"{LIST}{query}")
    assert answer.status_code == 200
    return list(answer.context["page"].rows)


def found(client: Client, wanted: str) -> str:
    """Where a search leads."""
    answer = client.get(LIST, {"q": wanted})
    assert answer.status_code == 302
    return str(answer["Location"])


def page_of(row: Subscriber) -> str:
    return f"{LIST}{row.pk}/change/"


def test_the_list_shows_the_newest_first(operator: Client) -> None:
    first, second = row_make(1), row_make(2)
    assert shown(operator) == [second, first]


def test_an_empty_list_says_what_to_do(operator: Client) -> None:
    assert "There is no subscriber yet." in operator.get(LIST).content.decode()


def test_whoever_matches_nothing_is_told_so(operator: Client) -> None:
    row_make(1)
    assert "Nobody matches." in operator.get(f"{LIST}?status=EXPIRED").content.decode()


def test_the_list_takes_one_query_for_its_rows(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    plan = plan_make()
    for number in range(3):
        row_make(number, plan=plan)
    operator.get(LIST)
    with django_assert_num_queries(6) as few:  # session, person, permissions (2), plans, the page
        shown(operator)
    for number in range(3, 60):
        row_make(number, plan=plan)
    with django_assert_num_queries(len(few.captured_queries)):
        assert len(shown(operator)) == 50


@pytest.mark.parametrize("order", ["", "?sort=ending"])
def test_pages_go_on_where_the_last_one_ended(operator: Client, order: str) -> None:
    end = clock.now() + timedelta(days=3)
    everybody = [row_make(n, expire_at=end + timedelta(hours=n // 20)) for n in range(55)]
    first = operator.get(f"{LIST}{order}")
    rest = operator.get(f"{LIST}{first.context['following']}")
    names = [row.pk for page in (first, rest) for row in page.context["page"].rows]
    expected = [row.pk for row in everybody]
    assert names == (expected if order else expected[::-1])
    assert rest.context["following"] == ""


@pytest.mark.parametrize("after", ["x", "2026_1", "_", "9999999999999999999", "2026-01-01_5"])
def test_a_page_mark_that_somebody_has_cut_is_no_failure(operator: Client, after: str) -> None:
    row_make(1)
    assert operator.get(LIST, {"after": after, "sort": "ending"}).status_code == 200


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("?status=ACTIVE", True),
        ("?status=served", True),
        ("?status=EXPIRED", False),
        ("?status=gone", False),
        ("?plan=standard", True),
        ("?tag=PRO", True),
        ("?tag=TRIAL", False),
        ("?cut_by=operator", True),
        ("?cut_by=sweep", False),
        ("?expires_before=in 3d", True),
        ("?expires_before=in 1d", False),
        ("?expires_from=today", True),
        ("?expires_from=in 3d", False),
        ("?seen=online", True),
        ("?seen=not-7d", False),
        ("?telegram=yes", True),
        ("?telegram=no", False),
        ("?telegram=away", False),
        ("?auto_renew=yes", True),
        ("?auto_renew=no", False),
        (f"?node={NODE}", True),
        ("?name=BUYER", True),
        ("?name=nobody", False),
        (f"?telegram_id={CHAT}", True),
        ("?panel_id=1", True),
        ("?email=Anna@Example.com", True),
        ("?reminded=yes", False),
        ("?reminded=no", True),
        ("?invoice=yes", False),
        ("?invoice=no", True),
    ],
)
def test_filters(operator: Client, query: str, *, matches: bool) -> None:
    row = row_make(
        1, plan=plan_make(), tag="PRO", cut_by="operator", auto_renew=True, online_at=clock.now(),
        last_node_uuid=UUID(NODE), email="anna@example.com",
        expire_at=clock.now() + timedelta(days=2),
    )  # fmt: skip
    assert shown(operator, query) == ([row] if matches else [])


def test_who_was_reminded_invoiced_or_cannot_be_reached_is_found(operator: Client) -> None:
    told, billed, away, mute = (row_make(n, telegram_id=CHAT + n) for n in range(1, 5))
    Subscriber.objects.filter(pk=mute.pk).update(telegram_id=None)
    Notice.objects.create(
        subscriber=told, stage="3d", expire_at=told.expire_at, state=NoticeState.QUEUED
    )
    order_open(billed)
    Chat.objects.create(chat_id=CHAT + 3, unreachable_since=clock.now())
    assert shown(operator, "?reminded=yes") == [told]
    assert shown(operator, "?invoice=yes") == [billed]
    assert {row.pk for row in shown(operator, "?telegram=away")} == {away.pk, mute.pk}


def test_a_wrong_filter_is_said_beside_the_field(operator: Client) -> None:
    answer = operator.get(f"{LIST}?expires_from=soon&node=7")
    assert answer.context["page"] is None
    text = answer.content.decode()
    assert "Write 2026-11-22" in text
    assert "Enter a valid UUID" in text


def test_a_saved_link_carries_the_filter(operator: Client) -> None:
    row_make(1)
    answer = operator.get(f"{LIST}?status=ACTIVE&expires_before=in+3d")
    assert answer.context["share"].endswith("?status=ACTIVE&expires_before=in+3d")
    assert [label for label, _, is_current in answer.context["quick"] if is_current] == [
        "Ending in 3 days"
    ]


@pytest.mark.parametrize(
    "how",
    ["name", "at", "telegram", "panel", "short", "link", "uuid", "email", "payment", "invoice"],
)
def test_a_subscriber_is_found_by_what_people_have(operator: Client, how: str) -> None:
    row = row_make(
        77, username="anna_k", telegram_id=42, short_uuid="aBcDeFgHiJkLmNoP",
        panel_uuid=UUID(NODE), email="anna@example.com",
    )  # fmt: skip
    row_make(78, username="anna_k2", telegram_id=43)
    payment: Payment = order_open(row, external_id="9000017")
    wanted = {
        "name": "anna_k",
        "at": "@anna_k",
        "telegram": "42",
        "panel": "77",
        "short": "aBcDeFgHiJkLmNoP",
        "link": "https://sub.example.com/aBcDeFgHiJkLmNoP",
        "uuid": NODE,
        "email": "ANNA@example.com",
        "payment": str(payment.pk),
        "invoice": "9000017",
    }[how]
    assert found(operator, wanted) == page_of(row)


def test_a_search_for_several_shows_the_list(operator: Client) -> None:
    one, two = row_make(1, telegram_id=42), row_make(2, telegram_id=42)
    assert found(operator, "42") == f"{LIST}?telegram_id=42"
    assert found(operator, "buyer") == f"{LIST}?name=buyer"
    assert shown(operator, "?name=buyer") == [two, one]


def test_whoever_is_there_goes_before_whoever_is_gone(operator: Client) -> None:
    row_make(1, telegram_id=42, missing_since=clock.now())
    there = row_make(2, telegram_id=42)
    assert found(operator, "42") == page_of(there)


@pytest.mark.parametrize("odd", ["\x00", "'", "%", "ж" * 300, "0", "-1", "9" * 40, "#77"])
def test_an_odd_search_is_no_failure(operator: Client, odd: str) -> None:
    assert operator.get(LIST, {"q": f"{odd}x"}, follow=True).status_code == 200
    assert operator.get(LIST, {"q": odd}, follow=True).status_code == 200


def test_who_may_only_look_sees_no_way_to_act(supporter: Client) -> None:
    row_make(1)
    text = supporter.get(LIST).content.decode()
    assert "buyer_1" in text
    assert "Act on a CSV file" not in text
    assert 'name="action"' not in text


def test_who_may_not_look_sees_nothing(client: Client, db: None) -> None:
    assert client.get(LIST).status_code == 302


def test_moments_have_a_zone(operator: Client) -> None:
    row = row_make(1)
    text = operator.get(LIST).content.decode()
    assert f"{row.expire_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" in text
