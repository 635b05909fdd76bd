"""Reports are made once, sent once per chat whoever is killed, and again if a person asks."""

from datetime import date, timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs.models import AuditEntry
from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from lib.errors import InputInvalid
from notifications.telegram.models import QueuedMessage
from reports.statistics.errors import (
    DayNotOver,
    NobodyToTell,
    PeriodInvalid,
    ReportNotPossible,
)
from reports.statistics.models import Report, ReportDelivery, ReportSubscription
from reports.statistics.reporting import sending
from reports.statistics.services import (
    latest_period,
    recipients,
    report_ask,
    report_make,
    report_renew,
    report_send,
    report_tell,
    reports_catch_up,
    subscription_end,
    subscription_set,
)
from tests.reports.statistics.rows import day_back
from tests.reports.statistics.stats import stat

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TEAM, WIFE = -100_200, 5_000_002
THE_DAY = day_back(4)


def chats() -> list[int]:
    return sorted(QueuedMessage.objects.values_list("telegram_id", flat=True))


def made(day: date = THE_DAY) -> Report:
    stat(day)
    return report_make(kind="daily", period=day)[0]


class Killed(BaseException):
    """The process is gone: nothing catches this, and nothing runs after it."""


def test_each_chat_is_told_once_in_its_language(admin_chat: int) -> None:
    subscription_set(chat_id=TEAM, language="ru", daily=True, weekly=False, by=None)
    report = made()
    assert report_tell(report) == 2
    assert report_tell(report) == 0
    texts = dict(QueuedMessage.objects.values_list("telegram_id", "message"))
    assert set(texts) == {admin_chat, TEAM}
    assert "Daily report" in texts[admin_chat]
    assert "Отчёт за день" in texts[TEAM]
    report.refresh_from_db()
    assert report.told_at is not None


def test_who_subscribes_later_is_told_and_the_others_are_not_again(admin_chat: int) -> None:
    report = made()
    report_tell(report)
    subscription_set(chat_id=TEAM, language="en", daily=True, weekly=True, by=None)
    assert report_tell(report) == 1
    assert chats() == [TEAM, admin_chat]


@pytest.mark.parametrize("strike_at", [1, 2])
def test_killed_between_write_and_send_everybody_is_told_once(
    admin_chat: int, monkeypatch: pytest.MonkeyPatch, strike_at: int
) -> None:
    subscription_set(chat_id=TEAM, language="ru", daily=True, weekly=True, by=None)
    stat(latest_period("daily"))
    seen = 0

    def strike(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == strike_at:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sending, "fault", strike)
        with pytest.raises(Killed):
            job_perform("reports.send_daily_report")
    assert Report.objects.get().told_at is None  # it is written, and nobody was told
    assert chats() == []
    job_perform("reports.send_daily_report")
    job_perform("reports.send_daily_report")
    assert chats() == [TEAM, admin_chat]
    assert ReportDelivery.objects.count() == 2


def test_an_admin_may_want_less_or_another_language(settings: Settings, admin_chat: int) -> None:
    subscription_set(chat_id=admin_chat, language="ru", daily=True, weekly=False, by=None)
    assert (recipients("daily"), recipients("weekly")) == ({admin_chat: "ru"}, {})
    subscription_end(chat_id=admin_chat, by=None)
    assert recipients("weekly") == {admin_chat: settings.TELEGRAM_LANGUAGE}


def test_a_report_that_nobody_gets_says_so() -> None:
    report = made()
    assert report_tell(report) == 0
    report.refresh_from_db()
    assert (report.told_at, report.skip_reason) == (None, "nobody")
    with pytest.raises(NobodyToTell):
        report_send(report=report, by=None)


def test_a_person_sends_again_to_all_or_to_one(admin_chat: int) -> None:
    report = made()
    report_tell(report)
    report_send(report=report, by=None)
    report_send(report=report, by=None, chat_id=WIFE, language="ru")
    assert chats() == [admin_chat, admin_chat, WIFE]
    assert AuditEntry.objects.filter(action="reports.send").count() == 2
    with pytest.raises(InputInvalid):
        report_send(report=report, by=None, chat_id=WIFE, language="de")
    with pytest.raises(InputInvalid):
        report_send(report=report, by=None, chat_id=0)


def test_a_report_stays_as_it_was_made_until_a_person_renews_it() -> None:
    report = made()
    row = stat(THE_DAY - DAY)
    report.refresh_from_db()
    row = type(row).objects.get(pk=THE_DAY)
    row.users_new = 77
    row.save()
    again, is_new = report_make(kind="daily", period=THE_DAY)
    assert (again.pk, is_new, again.payload["now"]["users_new"]) == (report.pk, False, 5)
    assert report_renew(report=report, by=None).payload["now"]["users_new"] == 77


def test_what_was_made_in_the_night_is_told_with_the_figures_of_the_morning(
    admin_chat: int,
) -> None:
    row = stat(THE_DAY, is_final=False)
    early = report_ask(kind="daily", period=THE_DAY, is_told=False, by=None)
    row.users_new, row.is_final = 77, True
    row.save()
    job_perform("reports.send_daily_report", day=str(THE_DAY))
    early.refresh_from_db()
    assert (early.payload["now"]["users_new"], early.payload["is_final"]) == (77, True)
    assert "77" in QueuedMessage.objects.get(telegram_id=admin_chat).message
    row.users_new = 78
    row.save()
    assert report_make(kind="daily", period=THE_DAY)[0].payload["now"]["users_new"] == 77


def test_what_was_told_before_its_figures_were_final_stays_as_people_read_it(
    admin_chat: int,
) -> None:
    row = stat(THE_DAY, is_final=False)
    report_tell(report_make(kind="daily", period=THE_DAY)[0])
    row.users_new, row.is_final = 77, True
    row.save()
    assert report_make(kind="daily", period=THE_DAY)[0].payload["now"]["users_new"] == 5


def test_an_early_report_that_nobody_was_told_is_finished_afterwards(admin_chat: int) -> None:
    row = stat(THE_DAY, is_final=False)
    report = report_ask(kind="daily", period=THE_DAY, is_told=False, by=None)
    row.users_new, row.is_final = 77, True
    row.save()
    assert reports_catch_up("daily") == 0
    report.refresh_from_db()
    assert (report.payload["now"]["users_new"], report.skip_reason) == (77, "late")


def test_what_cannot_be_reported_is_refused() -> None:
    with pytest.raises(ReportNotPossible):
        report_make(kind="daily", period=THE_DAY)
    with pytest.raises(DayNotOver):
        report_make(kind="daily", period=clock.now().date() + DAY)
    monday = latest_period("weekly")
    with pytest.raises(PeriodInvalid):
        report_make(kind="weekly", period=monday + DAY)
    with pytest.raises(DayNotOver):
        report_make(kind="weekly", period=monday + timedelta(days=14))


def test_the_daily_job_computes_what_is_due_and_tells_of_yesterday(admin_chat: int) -> None:
    outcome = job_perform("reports.send_daily_report")
    assert isinstance(outcome, Done)
    assert outcome.result["period"] == str(latest_period("daily"))
    assert (outcome.result["chats"], chats()) == (1, [admin_chat])


def test_the_weekly_job_tells_of_the_week_that_is_over(admin_chat: int) -> None:
    monday = latest_period("weekly")
    assert monday.weekday() == 0
    for number in range(7):
        stat(monday + DAY * number)
    outcome = job_perform("reports.send_weekly_report")
    assert isinstance(outcome, Done)
    assert outcome.result["period"] == str(monday)
    assert "Weekly report" in QueuedMessage.objects.get().message
    assert chats() == [admin_chat]


def test_periods_that_were_missed_are_written_and_nobody_is_woken(admin_chat: int) -> None:
    for back in (1, 2, 3, 4):
        stat(day_back(back), is_final=back != 3)
    assert reports_catch_up("daily") == 2
    assert reports_catch_up("daily") == 0
    found = dict(Report.objects.values_list("period", "skip_reason"))
    assert found == {day_back(2): "late", day_back(4): "late"}
    assert chats() == []


def test_a_person_makes_a_report_and_may_have_it_told(admin_chat: int) -> None:
    stat(THE_DAY)
    report = report_ask(kind="daily", period=THE_DAY, is_told=False, by=None)
    assert report.told_at is None
    assert report_ask(kind="daily", period=THE_DAY, is_told=True, by=None).pk == report.pk
    job_perform("reports.send_daily_report", day=str(THE_DAY))
    assert chats() == [admin_chat]


def test_a_chat_is_put_down_once_and_forgotten() -> None:
    for language in ("en", "ru"):
        subscription_set(
            chat_id=TEAM, language=language, daily=True, weekly=True, title="  A  team ", by=None
        )
    row = ReportSubscription.objects.get()
    assert (row.language, row.title) == ("ru", "A team")
    with pytest.raises(InputInvalid):
        subscription_set(chat_id=0, language="en", daily=True, weekly=True, by=None)
    with pytest.raises(InputInvalid):
        subscription_set(chat_id=TEAM, language="de", daily=True, weekly=True, by=None)
    subscription_end(chat_id=TEAM, by=None)
    assert AuditEntry.objects.filter(action="reports.unsubscribe").count() == 1
