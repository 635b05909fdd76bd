"""Statistics and reports in the console."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from notifications.telegram.models import QueuedMessage
from reports.statistics.models import Report, ReportSubscription
from reports.statistics.services import cohorts_compute, report_make, report_tell
from tests.console import Person
from tests.reports.statistics.rows import at, day_back, paid, person
from tests.reports.statistics.stats import incident, line, server, stat

pytestmark = pytest.mark.django_db
DAYS = "/admin/statistics/dailystat/"
REPORTS = "/admin/statistics/report/"
PAGES = (DAYS, f"{DAYS}business/", REPORTS)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.fixture
def report(admin_chat: int) -> Report:
    """A report that was told."""
    day = day_back(3)
    stat(day, incidents=[incident("fra-1", at(day, 3))])
    made, _ = report_make(kind="daily", period=day)
    report_tell(made)
    return made


def test_before_the_first_day_the_pages_say_what_will_come(operator: Client) -> None:
    assert "No day of this span is computed." in page(operator, DAYS)
    assert "No day of this span is computed." in page(operator, f"{DAYS}business/")
    assert "There is no report yet." in page(operator, REPORTS)


@pytest.mark.parametrize("address", PAGES)
def test_who_may_not_look_is_refused(person: Person, address: str) -> None:
    assert person("eve").get(address).status_code == 403


def test_charts_show_every_day_and_what_is_missing(supporter: Client) -> None:
    for back in (1, 2, 4):
        stat(day_back(back), amount="7.5")
    text = page(supporter, f"{DAYS}?days=7")
    assert "22.5 USDT" in text
    assert text.count("not computed</title>") >= 4  # days without a row, per chart
    assert "Uptime of fra-1 by day" in text
    assert "100 active, 2 limited, 40 expired, 3 disabled" in text


def test_another_span_and_currency_are_chosen_and_strange_ones_are_not(operator: Client) -> None:
    stat(day_back(1), revenue={"EUR": "3"}, revenue_by_plan=[line("m", "M", "3", 1, "EUR")])
    assert 'aria-current="page">90 days' in page(operator, f"{DAYS}?days=90&currency=EUR")
    answer = operator.get(f"{DAYS}?days=5000&currency=%00")
    assert (answer.status_code, answer.context["span"], answer.context["currency"]) == (
        200,
        30,
        "EUR",
    )


def test_a_span_costs_the_same_however_long_it_is(
    operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for back in range(1, 60):
        stat(day_back(back), nodes=[server(f"n{number}") for number in range(9)])
    page(operator, DAYS)
    with django_assert_max_num_queries(6):  # session, account, two of permissions; the days
        page(operator, f"{DAYS}?days=90")


def test_one_day_shows_everything_it_knows(operator: Client) -> None:
    day = day_back(2)
    stat(day, incidents=[incident("fra-1", at(day, 3))], refunds={"USDT": "5"})
    text = page(operator, f"{DAYS}{day}/change/")
    for words in ("5 USDT refunded", "fra-1", "after midnight", "jobs.replay", "ValueError: x"):
        assert words in text
    assert "counted at the end of the day" in text
    assert operator.get(f"{DAYS}{day_back(9)}/change/").status_code == 404
    assert operator.get(f"{DAYS}yesterday/change/").status_code == 404


def test_days_are_computed_by_a_click(operator: Client, supporter: Client) -> None:
    assert supporter.post(f"{DAYS}compute/").status_code == 403
    operator.post(f"{DAYS}compute/")
    assert_enqueued("reports.compute_daily_stats")
    operator.post(f"{DAYS}compute/")
    assert_enqueued("reports.compute_daily_stats")  # an impatient click finds the one that waits
    day = day_back(3)
    operator.post(f"{DAYS}{day}/compute/")
    assert_enqueued("reports.compute_daily_stats", day=str(day))
    assert AuditEntry.objects.filter(action="statistics.compute", account_name="olga").count() == 3
    answer = operator.post(f"{DAYS}{day_back(-1)}/compute/", follow=True)
    assert "Refused" in answer.content.decode()


def test_business_shows_run_rate_churn_and_cohorts(operator: Client) -> None:
    for back in range(1, 15):
        stat(day_back(back), run_rate={"USDT": "450" if back > 7 else "540"})
    row = person(at(day_back(100)), at(day_back(-3)))
    paid(at(day_back(99)), subscriber_id=row.pk)
    cohorts_compute()
    text = page(operator, f"{DAYS}business/?days=7")
    assert "540 USDT" in text
    assert "▲ +20 %" in text
    assert "14.0 %" in text  # 14 left of 100
    assert "100 %</td>" in text  # the one who joined paid within 7 days


def test_reports_are_listed_filtered_and_paged(operator: Client) -> None:
    for back in range(3, 8):
        stat(day_back(back))
        report_make(kind="daily", period=day_back(back))
    assert page(operator, f"{REPORTS}?kind=daily&told=no").count("not sent yet") >= 5
    assert "No report matches." in page(operator, f"{REPORTS}?kind=weekly")
    assert "The filter cannot be used as it is." in page(operator, f"{REPORTS}?since=x")
    first = Report.objects.order_by("-pk")[2]
    assert page(operator, f"{REPORTS}?after={first.pk}").count("/change/") >= 2


def test_the_list_costs_the_same_however_long_it_is(
    operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for back in range(3, 15):
        stat(day_back(back))
        report_make(kind="daily", period=day_back(back))
    page(operator, REPORTS)
    with django_assert_max_num_queries(7):
        page(operator, REPORTS)


def test_a_report_shows_its_text_in_both_languages_and_whom_it_reached(
    supporter: Client, report: Report, admin_chat: int
) -> None:
    text = page(supporter, f"{REPORTS}{report.pk}/change/")
    for words in ("Daily report", "Отчёт за день", str(admin_chat), "pending", "fra-1"):
        assert words in text
    assert "Send again to all" not in text  # who may only look has no buttons
    assert supporter.get(f"{REPORTS}{report.pk + 1}/change/").status_code == 404


def test_a_report_is_sent_again_and_to_me(
    operator: Client, supporter: Client, report: Report, admin_chat: int
) -> None:
    one = f"{REPORTS}{report.pk}"
    for act in ("send", "send-to", "renew"):
        assert supporter.post(f"{one}/{act}/").status_code == 403
    operator.post(f"{one}/send/")
    operator.post(f"{one}/send-to/", {"chat_id": "77", "language": "ru"})
    found = list(QueuedMessage.objects.order_by("pk").values_list("telegram_id", flat=True))
    assert found == [admin_chat, admin_chat, 77]
    assert 'value="77"' in page(operator, f"{one}/change/")  # kept for the next time
    wrong = operator.post(f"{one}/send-to/", {"chat_id": "me", "language": "ru"}, follow=True)
    assert "Refused: Telegram id of the chat" in wrong.content.decode()
    operator.post(f"{one}/renew/")
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "reports.send",
        "reports.renew",
    }


def test_a_report_is_made_by_a_click(operator: Client, supporter: Client) -> None:
    day = day_back(3)
    stat(day)
    assert supporter.post(f"{REPORTS}make/").status_code == 403
    answer = operator.post(
        f"{REPORTS}make/", {"kind": "daily", "period": str(day), "is_told": "on"}
    )
    assert answer["Location"] == f"{REPORTS}{Report.objects.get().pk}/change/"
    assert_enqueued("reports.send_daily_report", day=str(day))
    for given, words in (
        ({"kind": "daily", "period": str(day_back(30))}, "is computed"),
        ({"kind": "hourly"}, "Kind"),
    ):
        refused = operator.post(f"{REPORTS}make/", given, follow=True).content.decode()
        assert "Refused" in refused
        assert words in refused


def test_a_chat_is_subscribed_and_forgotten(operator: Client, supporter: Client) -> None:
    assert supporter.post(f"{REPORTS}subscribe/").status_code == 403
    given = {"chat_id": "-100200", "language": "ru", "title": "Team", "weekly": "on"}
    answer = operator.post(f"{REPORTS}subscribe/", given, follow=True)
    assert "Team gets weekly reports." in answer.content.decode()
    row = ReportSubscription.objects.get()
    assert (row.wants_daily, row.wants_weekly, row.created_by) == (False, True, "olga")
    assert supporter.post(f"{REPORTS}unsubscribe/").status_code == 403
    operator.post(f"{REPORTS}unsubscribe/", {"chat_id": "-100200"})
    assert not ReportSubscription.objects.exists()
    again = operator.post(f"{REPORTS}unsubscribe/", {"chat_id": "-100200"}, follow=True)
    assert "Refused" in again.content.decode()
