"""Fixing the args of a job and replaying it: errors stand beside the field, the new job follows."""

from typing import Any

import pytest
from django.test import Client

from jobs.models import JobRecord
from jobs.registry import JobKind
from jobs.testing import drain
from tests.jobs.admin.ways import acts, job, said, text
from tests.jobs.play import state

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead(failing: JobKind[Any]) -> Any:
    made = failing.enqueue(payment_id=7, currency="XYZ").id
    drain()
    assert state(made) == "dead"
    return made


def test_the_form_shows_the_args_the_error_and_what_the_kind_takes(
    alice: Client, dead: Any
) -> None:
    shown = text(alice.get(job(dead, "edit")))
    assert '"currency": "XYZ"' in shown
    assert "currency XYZ is not known" in shown
    assert "payment_id int required" in shown
    assert "currency str default 'EUR'" in shown


def test_fixed_args_make_a_new_job_that_runs(alice: Client, dead: Any) -> None:
    args = '{"payment_id": 7, "currency": "EUR"}'
    answer = alice.post(job(dead, "edit"), {"args": args}, follow=True)
    new = answer.context["job"]
    assert new.args == {"payment_id": 7, "currency": "EUR"}
    assert "Replayed with your args" in said(answer)[0]
    drain()
    assert state(new.pk) == "completed"
    assert JobRecord.objects.get(pk=dead).resolution == f"replayed as {new.pk}"
    assert acts() == [("alice", "jobs.replay", str(dead))]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("", "This field is required"),
        ('{"payment_id": 7', "This is not JSON"),
        ("[7]", "This must be a JSON object"),
        ('{"currency": "EUR"}', "missing a required argument: 'payment_id'"),
        ('{"payment_id": "seven"}', "payment_id must be int, not str"),
        ('{"payment_id": 7, "colour": "red"}', "unexpected keyword argument 'colour'"),
        ('{"payment_id": 7, "currency": "\\u0000"}', "NUL character"),
    ],
)
def test_args_that_do_not_fit_are_refused_beside_the_field(
    alice: Client, dead: Any, args: str, words: str
) -> None:
    answer = alice.post(job(dead, "edit"), {"args": args})
    assert answer.status_code == 422
    assert words in answer.context["form"].errors["args"][0]
    assert words in text(answer)
    assert state(dead) == "dead"
    assert acts() == []


def test_what_was_typed_is_not_lost_by_an_error(alice: Client, dead: Any) -> None:
    answer = alice.post(job(dead, "edit"), {"args": '{"payment_id": "seven"}'})
    assert '{"payment_id": "seven"}' in text(answer)


def test_a_waiting_job_cannot_be_replayed(alice: Client, quiet: JobKind[Any]) -> None:
    made = quiet.enqueue(delay="1h").id
    answer = alice.get(job(made, "edit"), follow=True)
    assert said(answer) == ["This job cannot be replayed: it is scheduled."]


def test_a_finished_job_can_be_replayed_with_other_args(alice: Client, quiet: JobKind[Any]) -> None:
    made = quiet.enqueue(n=1).id
    drain()
    answer = alice.post(job(made, "edit"), {"args": '{"n": 2}'}, follow=True)
    assert answer.context["job"].args == {"n": 2}
    assert state(made) == "completed"
