"""The list of jobs: filters, search, pages, and how far back a slow filter looks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils.http import urlencode

from jobs.bulk import JobFilter
from jobs.models import Job
from jobs.registry import JobKind
from jobs.selectors import listing
from jobs.selectors.listing import id_floor, jobs_page, made_at
from jobs.testing import drain
from lib import clock
from lib.context import correlated
from tests.jobs.admin.ways import ids, is_redirect, job, text, to
from tests.jobs.play import lease_one

pytestmark = pytest.mark.django_db

HOME = "jobrecord_changelist"
Kind = JobKind[Any]


@pytest.fixture
def find(alice: Client) -> Callable[..., list[UUID]]:
    """The ids that the list shows for a filter: find(kind="tests.quiet")."""

    def found(**query: str) -> list[UUID]:
        answer = alice.get(f"{to(HOME)}?{urlencode(query)}")
        assert not answer.context["form"].errors
        return ids(answer)

    return found


def test_the_newest_come_first_and_finished_ones_are_there_too(
    quiet: Kind, find: Callable[..., list[UUID]]
) -> None:
    done = quiet.enqueue().id
    drain()
    waits = quiet.enqueue().id
    assert find() == [waits, done]


def test_each_filter_narrows(
    quiet: Kind, failing: Kind, flaky: Kind, find: Callable[..., list[UUID]]
) -> None:
    dead = failing.enqueue(payment_id=7, currency="XYZ").id
    with correlated("request-0001"):
        tried = flaky.enqueue(chat_id=7, partition="chat:7").id
    drain()
    running = quiet.enqueue(n=1).id
    held = lease_one(worker="web-1")
    assert held.id == running
    later = quiet.enqueue(n=2, delay="1h").id
    due = quiet.enqueue(n=3).id

    assert find(kind="tests.capture") == [dead]
    assert find(state="dead") == [dead]
    assert find(state="running") == [running]
    assert find(state="retrying") == [tried]
    assert find(state="available") == [due]
    assert find(state="scheduled") == [later, tried]
    assert find(queue="external") == []
    assert find(error="does not answer") == [tried]
    assert find(key="chat:7") == [tried]
    assert find(args='{"n": 3}') == [due]
    assert find(worker="web-1") == [running]
    assert find(correlation_id="request-0001") == [tried]
    assert find(kind="tests.quiet", state="scheduled") == [later]
    assert find(created_from="today", state="dead") == [dead]
    assert find(created_from="1h", kind="tests.capture") == [dead]
    assert find(created_to="1h") == []


def test_a_dead_job_that_was_put_away_is_no_longer_dead(
    alice: Client, failing: Kind, find: Callable[..., list[UUID]]
) -> None:
    dead = failing.enqueue(payment_id=7, currency="XYZ").id
    drain()
    alice.post(job(dead, "discard"))
    assert find(state="dead") == []
    assert find(state="put_away") == [dead]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("args", "{chat_id: 7}", "This is not JSON"),
        ("args", "[7]", "This must be a JSON object"),
        ("created_from", "next week", "Write 2026-11-22"),
        ("created_to", "2026-13-41", "Write 2026-11-22"),
        ("state", "lost", "Select a valid choice"),
    ],
)
def test_a_filter_that_cannot_be_used_says_so_at_its_field(
    alice: Client, quiet: Kind, field: str, value: str, words: str
) -> None:
    quiet.enqueue()
    answer = alice.get(f"{to(HOME)}?{urlencode({field: value})}")
    assert words in answer.context["form"].errors[field][0]
    assert words in text(answer)
    assert ids(answer) == []


def test_pages_follow_without_gap_or_double(
    alice: Client, quiet: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    monkeypatch.setattr(jobs_page, "__kwdefaults__", {"after": None, "size": 3})
    made = [quiet.enqueue(n=n).id for n in range(7)]
    seen: list[UUID] = []
    address, number = f"{to(HOME)}?kind=tests.quiet", 1
    while address:
        answer = alice.get(address)
        assert f"Page {number}" in text(answer)
        seen += ids(answer)
        following = answer.context["following"]
        address, number = following and to(HOME) + following, number + 1
    assert seen == made[::-1]
    assert number == 4


def test_a_job_made_meanwhile_does_not_shift_the_next_page(quiet: Kind) -> None:
    made = [quiet.enqueue(n=n).id for n in range(4)]
    first = jobs_page(JobFilter(), size=2)
    quiet.enqueue()
    second = jobs_page(JobFilter(), after=first.after, size=2)
    assert [found.pk for found in (*first.jobs, *second.jobs)] == made[::-1]
    assert second.after is None


def test_a_filter_without_an_index_looks_window_by_window(
    quiet: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BUDGET_S", 3600)  # however loaded the machine is
    monkeypatch.setattr(listing, "WINDOW", 4)
    wanted = quiet.enqueue(n=1).id
    for _ in range(10):
        quiet.enqueue(n=2)
    page = jobs_page(JobFilter(args={"n": 1}))
    assert [found.pk for found in page.jobs] == [wanted]
    assert page.after is None


def test_a_search_that_takes_long_stops_and_goes_on_from_there(
    alice: Client, quiet: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WINDOW", 4)
    monkeypatch.setattr(listing, "BUDGET_S", -1)
    wanted = quiet.enqueue(n=1).id
    for _ in range(10):
        quiet.enqueue(n=2)
    address, pages = to(HOME) + "?" + urlencode({"args": '{"n": 1}'}), 0
    while True:
        answer = alice.get(address)
        pages += 1
        if ids(answer):
            break
        assert "Nothing found yet" in text(answer)
        address = to(HOME) + answer.context["following"]
    assert ids(answer) == [wanted]
    assert pages == 3


def test_a_future_job_is_found_by_its_state_once_its_time_has_come(quiet: Kind) -> None:
    later = quiet.enqueue(delay="1h").id
    assert [found.pk for found in jobs_page(JobFilter(state="scheduled")).jobs] == [later]
    with clock.shift(timedelta(hours=2)):
        assert [found.pk for found in jobs_page(JobFilter(state="available")).jobs] == [later]


def test_the_id_says_when_a_job_was_made(quiet: Kind) -> None:
    row = Job.objects.get(pk=quiet.enqueue().id)
    assert abs(made_at(row.pk) - row.created_at) < timedelta(seconds=5)
    assert id_floor(made_at(row.pk)) <= row.pk


def test_the_search_leads_to_a_job_a_key_or_a_request(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue(partition="chat:7").id

    def search(words: str) -> Any:
        return alice.get(f"{to(HOME)}?{urlencode({'q': words})}")

    assert is_redirect(search(str(made)), job(made))
    assert is_redirect(search(made.hex), job(made))
    assert is_redirect(search("chat:7"), f"{to(HOME)}?key=chat%3A7")
    assert is_redirect(search("req-0001"), f"{to(HOME)}?correlation_id=req-0001")
    unknown = "0" * 32
    assert is_redirect(search(unknown), f"{to(HOME)}?correlation_id={unknown}")


def test_each_filter_that_is_on_can_be_taken_out(alice: Client) -> None:
    answer = alice.get(f"{to(HOME)}?kind=a.b&state=dead")
    assert [chip["without"] for chip in answer.context["chips"]] == ["state=dead", "kind=a.b"]
    assert answer.context["share"].endswith("?kind=a.b&state=dead")


def test_an_empty_list_says_what_to_do(alice: Client) -> None:
    assert "There is no job yet" in text(alice.get(to(HOME)))
    assert "Take a filter out" in text(alice.get(f"{to(HOME)}?kind=nothing"))


def test_nonsense_in_the_address_does_no_harm(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue().id
    for query in ("after=nobody", "page=-1", "page=²", "page=x", "colour=red"):
        assert ids(alice.get(f"{to(HOME)}?{query}")) == [made]


def test_the_list_costs_the_same_with_more_rows(
    alice: Client, quiet: Kind, failing: Kind, queries: Any
) -> None:
    quiet.enqueue()
    few = queries(alice, to(HOME))
    for number in range(20):
        quiet.enqueue(n=number, partition=f"k{number}")
        failing.enqueue(payment_id=number, currency="XYZ")
    drain()
    assert queries(alice, to(HOME)) == few


def test_no_list_counts_the_table(
    alice: Client, quiet: Kind, django_assert_num_queries: Any
) -> None:
    quiet.enqueue()
    # Who it is (4), the names of the queues, and the jobs.
    with django_assert_num_queries(6) as captured:
        alice.get(f"{to(HOME)}?kind=tests.quiet")
    assert not [query for query in captured if "count(" in query["sql"].lower()]
