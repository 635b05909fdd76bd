"""Days and reports over REST."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.accounts import token_issue
from jobs.testing import assert_enqueued, assert_not_enqueued
from notifications.telegram.models import QueuedMessage
from reports.statistics.models import Report
from reports.statistics.services import report_make
from tests.reports.statistics.conftest import ACT, VIEW
from tests.reports.statistics.rows import day_back
from tests.reports.statistics.stats import stat

pytestmark = pytest.mark.django_db
DAYS = "/api/v1/reports/daily"
REPORTS = "/api/v1/reports"
MakeCaller = Callable[..., Client]


@pytest.fixture
def caller(account: Callable[..., User]) -> MakeCaller:
    """A machine with a token and these permissions."""

    def make(*permissions: str, name: str = "machine") -> Client:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make


@pytest.fixture
def api(caller: MakeCaller) -> Client:
    return caller(*VIEW, *ACT)


def got(api: Client, address: str) -> dict[str, Any]:
    answer = api.get(address)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_day_says_everything_with_amounts_as_texts(api: Client) -> None:
    day = day_back(3)
    stat(day, amount="0.000000000001")
    found = got(api, f"{DAYS}/{day}")
    assert found["revenue"] == {"USDT": "0.000000000001"}
    assert (found["users"]["active"], found["users"]["known_by"]) == (100, "counted")
    assert found["payments"]["payers_new"] == 3
    assert found["messages"] == {"sent": 200, "failed": 1}
    assert got(api, DAYS)["items"] == [found]


def test_days_come_page_by_page_the_latest_first(api: Client) -> None:
    for back in range(3, 8):
        stat(day_back(back))
    first = got(api, f"{DAYS}?limit=2")
    second = got(api, f"{DAYS}?limit=2&cursor={first['next_cursor']}")
    seen = [item["day"] for item in first["items"] + second["items"]]
    assert seen == [str(day_back(back)) for back in (3, 4, 5, 6)]
    some = got(api, f"{DAYS}?from={day_back(5)}&to={day_back(4)}")
    assert [item["day"] for item in some["items"]] == [str(day_back(4)), str(day_back(5))]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{DAYS}?from=x", 422),
        (f"{DAYS}?limit=0", 422),
        (f"{DAYS}/yesterday", 422),
        (f"{DAYS}/2020-01-01", 404),
        (f"{REPORTS}?kind=hourly", 422),
        (f"{REPORTS}?cursor=x", 422),
        (f"{REPORTS}/9", 404),
    ],
)
def test_what_cannot_be_is_refused_as_a_problem(api: Client, address: str, status: int) -> None:
    answer = api.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] in {"invalid", "not_found"}


def test_who_lacks_a_permission_is_refused(caller: MakeCaller) -> None:
    viewer = caller(*VIEW, name="viewer")
    assert viewer.post(REPORTS, {}, content_type="application/json").status_code == 403
    assert viewer.post(f"{REPORTS}/1/send", {}, content_type="application/json").status_code == 403
    stranger = caller(name="stranger")
    assert stranger.get(DAYS).status_code == stranger.get(REPORTS).status_code == 403
    assert Client().get(REPORTS).status_code == 401


def test_a_report_is_made_once_and_told_if_asked(api: Client) -> None:
    day = day_back(3)
    stat(day)
    wanted = {"kind": "daily", "period": str(day)}
    first = api.post(REPORTS, wanted, content_type="application/json")
    assert first.status_code == 200, first.content
    assert set(first.json()["texts"]) == {"en", "ru"}
    assert_not_enqueued("reports.send_daily_report")
    second = api.post(REPORTS, {**wanted, "tell": True}, content_type="application/json")
    assert second.json()["id"] == first.json()["id"]
    assert_enqueued("reports.send_daily_report", day=str(day))
    early = api.post(
        REPORTS, {"kind": "daily", "period": str(day_back(-1))}, content_type="application/json"
    )
    assert (early.status_code, early.json()["code"]) == (409, "day_not_over")


def test_a_report_is_sent_to_a_chat(api: Client, admin_chat: int) -> None:
    stat(day_back(3))
    report, _ = report_make(kind="daily", period=day_back(3))
    address = f"{REPORTS}/{report.pk}/send"
    answer = api.post(address, {"chat_id": 77, "language": "ru"}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (202, {"chats": 1})
    api.post(address, {}, content_type="application/json")
    found = list(QueuedMessage.objects.order_by("pk").values_list("telegram_id", flat=True))
    assert found == [77, admin_chat]


def test_a_list_costs_the_same_however_long_it_is(
    api: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for back in range(3, 15):
        stat(day_back(back))
        report_make(kind="daily", period=day_back(back))
    got(api, REPORTS)
    with django_assert_max_num_queries(5):  # token, account, two of permissions; the page
        assert len(got(api, REPORTS)["items"]) == 12
    with django_assert_max_num_queries(5):
        assert len(got(api, DAYS)["items"]) == 12
    assert Report.objects.count() == 12
