"""Dead letters: grouped by what they died of, listed, replayed as a group."""

from typing import Any

import pytest
from django.test import Client

from jobs.models import Job
from jobs.registry import JobKind
from jobs.selectors.dead import dead_count, dead_groups
from jobs.testing import drain
from tests.jobs.admin.ways import ids, job, text, to
from tests.jobs.conftest import Declare
from tests.jobs.play import state

pytestmark = pytest.mark.django_db

DEAD = "jobrecord_dead"
Kind = JobKind[Any]


def test_errors_that_differ_in_numbers_and_ids_are_one_group(failing: Kind) -> None:
    made = [failing.enqueue(payment_id=n, currency="XYZ").id for n in (7, 4711, 12)]
    drain()
    groups = dead_groups()
    assert [(group.kind, group.count) for group in groups] == [("tests.capture", 3)]
    assert groups[0].sample == "ValueError: invoice 12: currency XYZ is not known"
    assert groups[0].newest_id == made[-1]
    assert groups[0].oldest_at < groups[0].newest_at


def test_other_errors_and_other_kinds_are_other_groups(failing: Kind, declare: Declare) -> None:
    def explode() -> None:
        raise RuntimeError("boom")

    failing.enqueue(payment_id=1, currency="XYZ")
    failing.enqueue(payment_id=1, currency="GBP")
    failing.enqueue(payment_id=2, currency="GBP")
    declare(explode, name="tests.explode").enqueue()
    drain()
    assert [group.count for group in dead_groups()] == [2, 1, 1]
    assert {group.sample.split(":")[0] for group in dead_groups()} == {"ValueError", "RuntimeError"}


def test_the_text_of_a_group_finds_its_jobs(alice: Client, failing: Kind) -> None:
    made = [failing.enqueue(payment_id=n, currency="XYZ").id for n in (7, 8)]
    failing.enqueue(payment_id=9, currency="GBP")
    drain()
    group = next(group for group in dead_groups() if group.count == 2)
    answer = alice.get(to(DEAD), {"kind": group.kind, "error": group.search})
    assert set(ids(answer)) == set(made)


def test_a_dead_job_without_an_error_does_no_harm(alice: Client, failing: Kind) -> None:
    made = failing.enqueue(payment_id=1, currency="XYZ").id
    drain()
    Job.objects.filter(pk=made).update(last_error=None)
    assert dead_groups()[0].search == ""
    assert "no reason was kept" in text(alice.get(to(DEAD)))


def test_the_page_lists_only_what_still_waits_for_a_person(alice: Client, failing: Kind) -> None:
    first = failing.enqueue(payment_id=1, currency="XYZ").id
    second = failing.enqueue(payment_id=2, currency="XYZ").id
    drain()
    alice.post(job(first, "discard"))
    answer = alice.get(to(DEAD))
    assert ids(answer) == [second]
    assert dead_count() == 1
    assert "1 dead" in text(answer)


def test_the_state_cannot_be_widened_by_the_address(
    alice: Client, failing: Kind, quiet: Kind
) -> None:
    quiet.enqueue()
    dead = failing.enqueue(payment_id=1, currency="XYZ").id
    drain()
    assert ids(alice.get(f"{to(DEAD)}?state=completed")) == [dead]


def test_a_whole_group_is_replayed_from_its_line(alice: Client, failing: Kind) -> None:
    made = [failing.enqueue(payment_id=n, currency="XYZ").id for n in (7, 8)]
    drain()
    html = alice.get(to(DEAD)).content.decode()
    link = next(part for part in html.split('"') if "action=replay&amp;scope=matching" in part)
    page = alice.get(link.replace("&amp;", "&"))
    assert page.context["willing"] == 2
    assert [state(one) for one in made] == ["dead", "dead"]


def test_an_empty_page_says_what_comes_here(alice: Client) -> None:
    assert "No job is dead" in text(alice.get(to(DEAD)))


def test_the_page_costs_the_same_with_more_dead(alice: Client, failing: Kind, queries: Any) -> None:
    failing.enqueue(payment_id=1, currency="XYZ")
    drain()
    few = queries(alice, to(DEAD))
    for number in range(15):
        failing.enqueue(payment_id=number, currency=f"X{chr(65 + number)}")
    drain()
    assert queries(alice, to(DEAD)) == few
