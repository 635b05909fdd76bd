"""Acting on many: first how many and which, then the act, then what was refused and why."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils.http import urlencode

from jobs.models import Job, JobRecord, State
from jobs.registry import JobKind
from jobs.testing import drain
from tests.jobs.admin.ways import acts, said, text, to
from tests.jobs.play import lease_one, state

pytestmark = pytest.mark.django_db

ACT = "jobrecord_act"
Kind = JobKind[Any]


def dead_make(kind: Kind, count: int) -> list[UUID]:
    made = [kind.enqueue(payment_id=n, currency="XYZ").id for n in range(count)]
    drain()
    return made


def look(client: Client, **query: Any) -> Any:
    return client.get(f"{to(ACT)}?{urlencode(query, doseq=True)}")


def confirm(client: Client, page: Any, **more: str) -> Any:
    """Press the button of a dry run."""
    data: dict[str, Any] = {}
    for name, value in page.context["hidden"]:
        data.setdefault(name, []).append(value)
    return client.post(to(ACT), data | more, follow=True)


def test_a_dry_run_says_how_many_and_changes_nothing(alice: Client, failing: Kind) -> None:
    made = dead_make(failing, 3)
    page = look(alice, action="discard", scope="matching", kind="tests.capture")
    assert "Discard 3 jobs?" in text(page)
    assert "3 can be discarded as they are now" in text(page)
    assert {job.pk for job in page.context["sample"]} == set(made)
    assert [state(one) for one in made] == ["dead"] * 3
    assert acts() == []


def test_all_that_match_are_acted_on(alice: Client, failing: Kind, quiet: Kind) -> None:
    made, other = dead_make(failing, 3), quiet.enqueue(delay="1h").id
    page = look(alice, action="replay", scope="matching", state="dead", kind="tests.capture")
    answer = confirm(alice, page)
    assert "3 jobs replayed" in text(answer)
    records = JobRecord.objects.filter(pk__in=made)
    assert all(str(job.resolution).startswith("replayed as") for job in records)
    assert Job.objects.filter(replay_of__in=made).count() == 3
    assert state(other) == "scheduled"
    assert acts()[-1] == ("alice", "jobs.bulk_replay", "matching")
    assert len(acts()) == 4


def test_only_the_ticked_ones_are_acted_on(alice: Client, failing: Kind) -> None:
    first, second, third = dead_make(failing, 3)
    page = look(alice, action="discard", id=[str(first), str(third)])
    assert "Discard 2 jobs?" in text(page)
    confirm(alice, page)
    left = Job.objects.filter(state=State.DEAD).values_list("pk", flat=True)
    assert list(left) == [second]


def test_refusals_are_foretold_and_told_with_reasons(
    alice: Client, failing: Kind, quiet: Kind
) -> None:
    dead = dead_make(failing, 1)[0]
    running = quiet.enqueue().id
    lease_one()
    page = look(alice, action="discard", id=[str(dead), str(running)])
    assert "1 can be discarded as they are now" in text(page)
    assert "1 is running: that would be refused" in text(page)
    answer = confirm(alice, page)
    assert "1 job discarded" in text(answer)
    assert "1 refused" in text(answer)
    assert f"job {running} is running" in text(answer)


def test_loading_the_result_again_does_nothing_again(alice: Client, failing: Kind) -> None:
    dead = dead_make(failing, 1)
    answer = confirm(alice, look(alice, action="replay", id=[str(dead[0])]))
    before = Job.objects.count()
    again = alice.get(answer.request["PATH_INFO"])
    assert "1 job replayed" in text(again)
    assert Job.objects.count() == before


def test_a_confirmation_works_once(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue().id
    drain()
    page = look(alice, action="replay", id=[str(made)])
    confirm(alice, page)
    again = confirm(alice, page)
    assert "Nothing was done" in said(again)[0]
    assert Job.objects.filter(replay_of=made).count() == 1


def test_without_a_look_nothing_is_done(alice: Client, quiet: Kind) -> None:
    made = quiet.enqueue(delay="1h").id
    answer = alice.post(to(ACT), {"action": "cancel", "id": str(made)}, follow=True)
    assert "Nothing was done" in said(answer)[0]
    assert state(made) == "scheduled"


def test_jobs_made_after_the_look_stay_out(alice: Client, quiet: Kind) -> None:
    seen = quiet.enqueue(delay="1h").id
    page = look(alice, action="cancel", scope="matching", kind="tests.quiet")
    late = quiet.enqueue(delay="1h").id
    confirm(alice, page)
    assert (state(seen), state(late)) == ("cancelled", "scheduled")


def test_a_replay_of_all_that_are_dead_repeats_no_older_one(alice: Client, failing: Kind) -> None:
    first = dead_make(failing, 1)[0]
    confirm(alice, look(alice, action="discard", id=[str(first)]))
    second = dead_make(failing, 1)[0]
    page = look(alice, action="replay", scope="matching", state="dead")
    assert [job.pk for job in page.context["sample"]] == [second]


def test_the_priority_of_many(alice: Client, quiet: Kind) -> None:
    made = [quiet.enqueue().id for _ in range(2)]
    page = look(alice, action="reprioritize", scope="matching", kind="tests.quiet")
    assert "New priority" in text(page)
    confirm(alice, page, priority="0")
    assert set(Job.objects.filter(pk__in=made).values_list("priority", flat=True)) == {0}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"action": "replay"}, "Tick at least one job first."),
        ({"action": "replay", "id": "nobody"}, "Tick at least one job first."),
        ({"action": "drop", "scope": "matching", "kind": "x"}, "Choose what to do first."),
        ({"action": "cancel", "scope": "matching"}, "Filter the list first"),
        ({"action": "cancel", "scope": "matching", "args": "{"}, "Args contain: This is not JSON"),
    ],
)
def test_what_is_missing_is_said(alice: Client, quiet: Kind, query: Any, words: str) -> None:
    made = quiet.enqueue(delay="1h").id
    answer = alice.get(to(ACT), query, follow=True)
    assert words in said(answer)[0]
    answer = alice.post(to(ACT), query, follow=True)
    assert words in said(answer)[0]
    assert state(made) == "scheduled"


def test_nothing_that_matches_is_said(alice: Client) -> None:
    page = look(alice, action="cancel", scope="matching", kind="tests.none")
    assert "No job matches now" in text(page)


def test_the_result_page_without_a_result_leads_to_the_list(alice: Client) -> None:
    answer = alice.get(to("jobrecord_act_done"))
    assert answer.headers["Location"] == to("jobrecord_changelist")


def test_the_way_back_after_an_act_is_never_to_another_site(alice: Client, failing: Kind) -> None:
    dead = dead_make(failing, 1)
    page = look(alice, action="discard", id=[str(dead[0])], next="https://evil.example/")
    assert "evil.example" not in page.content.decode().split("hidden", 1)[0]
    answer = confirm(alice, page)
    assert "evil.example" not in answer.content.decode()
