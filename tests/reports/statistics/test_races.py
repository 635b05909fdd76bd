"""Two at once: a day is computed once, a chat is told once. The controls show that without the locks
both would write."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import pytest
from django.db import IntegrityError

from notifications.telegram.models import QueuedMessage
from reports.statistics.days import computing
from reports.statistics.models import DailyStat, Report
from reports.statistics.reporting import sending
from reports.statistics.services import day_compute, report_make, report_tell
from tests.races.parties import parties
from tests.reports.statistics.rows import day_back
from tests.reports.statistics.stats import stat

BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])
THE_DAY = day_back(4)


@pytest.fixture(autouse=True)
def all_commit(committed: None) -> None:
    """A race needs two connections."""


@contextmanager
def refused_unless(is_locked: bool) -> Iterator[None]:
    """Without its lock the second comes upon what the first has written."""
    with nullcontext() if is_locked else pytest.raises(IntegrityError):
        yield


@BOTH
def test_a_day_is_computed_by_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, *, is_locked: bool
) -> None:
    if not is_locked:
        monkeypatch.setattr(computing, "day_lock", lambda _: None)
    with parties() as begin:
        first = begin(partial(day_compute, THE_DAY)).wait()
        second = begin(partial(day_compute, THE_DAY)).wait_blocked()
        first.commit()
        with refused_unless(is_locked):
            second.commit()
    assert DailyStat.objects.count() == 1


@BOTH
def test_a_chat_is_told_once_by_two_who_send_at_once(
    admin_chat: int, monkeypatch: pytest.MonkeyPatch, *, is_locked: bool
) -> None:
    stat(THE_DAY)
    report, _ = report_make(kind="daily", period=THE_DAY)
    if not is_locked:
        monkeypatch.setattr(sending, "report_lock", lambda report: Report.objects.get(pk=report.pk))
    with parties() as begin:
        first = begin(partial(report_tell, report)).wait()
        second = begin(partial(report_tell, report)).wait_blocked()
        assert first.commit() == 1
        with refused_unless(is_locked):
            assert second.commit() == 0
    assert list(QueuedMessage.objects.values_list("telegram_id", flat=True)) == [admin_chat]
