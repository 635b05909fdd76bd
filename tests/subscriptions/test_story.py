"""The story of a subscriber: written in the transaction of what happened, said in sentences."""

import string

import pytest
from pytest_django import DjangoAssertNumQueries

from jobs.testing import job_perform
from lib import clock
from lib.context import correlated
from subscriptions.models import Subscriber, SubscriberEvent
from subscriptions.story import EventRow, event_write, events_write
from subscriptions.words import SENTENCES, SOURCES, KindUnknown, say, say_source
from tests.subscriptions.buyers import row_make


def test_a_line_carries_who_and_what_it_belongs_to(db: None) -> None:
    person = row_make(1)
    with correlated("abc"):
        event = event_write(person.pk, "disabled", "staff", data={"reason": "spam"})
    assert (event.correlation_id, event.actor, event.job_id) == ("abc", "", None)


def test_a_line_of_a_job_names_the_job(db: None) -> None:
    row_make(1, auto_renew=True, telegram_id=None)
    Subscriber.objects.update(expire_at=clock.now())
    job_perform("subscriptions.auto_renew")
    assert SubscriberEvent.objects.get().job_id is not None


def test_many_lines_are_written_by_few_statements(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    person = row_make(1)
    rows = (
        EventRow(subscriber_id=person.pk, kind="extended", source="bulk", data={"days": number})
        for number in range(1500)
    )
    with django_assert_num_queries(2):
        assert events_write(rows) == 1500
    assert events_write([]) == 0


@pytest.mark.parametrize(("kind", "source"), [("exploded", "staff"), ("disabled", "aliens")])
def test_what_has_no_words_is_not_written(db: None, kind: str, source: str) -> None:
    with pytest.raises(KindUnknown):
        event_write(row_make(1).pk, kind, source)


@pytest.mark.unit
@pytest.mark.parametrize("kind", SENTENCES)
def test_every_kind_is_a_sentence_whatever_is_known(kind: str) -> None:
    assert say(kind, {}).endswith(".")
    names = {name for _, name, _, _ in string.Formatter().parse(SENTENCES[kind]) if name}
    filled = say(kind, dict.fromkeys(names, "7"))
    assert "{" not in filled
    assert "unknown" not in filled


@pytest.mark.unit
def test_moments_sizes_and_lists_are_written_for_people() -> None:
    assert say("told_served", {"until": "2026-12-01T03:00:00+03:00"}).endswith(
        "lasts until 2026-12-01 00:00 UTC."
    )
    assert (
        say("traffic_reset", {"before": 1536}) == "Used traffic was set to zero (before: 1.5 KB)."
    )
    assert say("edited", {"fields": ["note", "plan"]}) == "Edited here: note, plan."
    assert say("told_served", {"until": "soon"}).endswith("until soon.")


@pytest.mark.unit
def test_a_kind_of_a_later_version_is_shown_as_it_is() -> None:
    assert say("moved_to_mars", {}) == "Moved to mars."
    assert say_source("mars") == "mars"
    assert all(say_source(source) for source in SOURCES)


@pytest.mark.unit
def test_kinds_fit_their_columns() -> None:
    assert all(len(kind) <= 40 for kind in SENTENCES)
    assert all(len(source) <= 12 for source in SOURCES)
