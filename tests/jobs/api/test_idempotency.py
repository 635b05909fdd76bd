"""The Idempotency-Key: asked twice, done once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from jobs.idempotency import answer_once, answers_forget
from jobs.models import Job, KeptAnswer
from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from tests.jobs.api.caller import EVERYTHING, Caller, Reply, together
from tests.jobs.api.conftest import MakeCaller

BODY = {"kind": "external.echo", "payload": {"message": "once"}}
KEY = {"Idempotency-Key": "order 17"}


def test_the_same_body_gets_the_same_answer_byte_for_byte(api: Caller) -> None:
    first = api.post("worker/jobs", BODY, **KEY)
    again = api.post("worker/jobs", BODY, **KEY)

    assert (first.status, again.status) == (201, 201)
    assert again.raw == first.raw
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Job.objects.count() == 1


def test_the_order_of_fields_does_not_make_another_body(api: Caller) -> None:
    first = api.post("worker/jobs", BODY, **KEY)
    assert api.post("worker/jobs", dict(reversed(BODY.items())), **KEY).raw == first.raw


def test_another_body_under_the_same_key_is_refused(api: Caller) -> None:
    api.post("worker/jobs", BODY, **KEY)

    reply = api.post("worker/jobs", {**BODY, "priority": 0}, **KEY)

    assert (reply.status, reply.body["code"]) == (422, "idempotency_key_reused")
    assert Job.objects.count() == 1


def test_what_was_refused_may_be_mended_under_the_same_key(api: Caller) -> None:
    assert api.post("worker/jobs", {**BODY, "delay_s": -1}, **KEY).status == 422
    assert api.post("worker/jobs", BODY, **KEY).status == 201


def test_a_key_belongs_to_its_account_and_its_address(api: Caller, caller: MakeCaller) -> None:
    other = caller(*EVERYTHING, name="other")

    ids = {api.post("worker/jobs", BODY, **KEY).body["id"]}
    ids.add(other.post("worker/jobs", BODY, **KEY).body["id"])
    assert api.post("worker/jobs:batch", [BODY], **KEY).status == 207

    assert len(ids) == 2
    assert Job.objects.count() == 3


def test_a_batch_is_made_once(api: Caller) -> None:
    first = api.post("worker/jobs:batch", {"jobs": [BODY] * 3}, **KEY)
    again = api.post("worker/jobs:batch", {"jobs": [BODY] * 3}, **KEY)

    assert again.raw == first.raw
    assert Job.objects.count() == 3


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel"])
def test_a_key_that_cannot_be_kept_is_refused(api: Caller, key: str) -> None:
    reply = api.post("worker/jobs", BODY, **{"Idempotency-Key": key})

    assert (reply.status, reply.body["code"]) == (422, "idempotency_key_invalid")


def test_keys_are_forgotten_after_a_day(api: Caller) -> None:
    api.post("worker/jobs", BODY, **KEY)
    with clock.shift(timedelta(hours=23)):
        assert answers_forget() == 0
    with clock.shift(timedelta(hours=25)):
        assert job_perform("jobs.forget_requests") == Done({"answers": 1, "lines": 0})
    assert not KeptAnswer.objects.exists()


@pytest.mark.usefixtures("committed")
def test_fifty_at_once_with_one_key_make_one_job(api: Caller) -> None:
    def ask() -> Reply:
        return api.twin().post("worker/jobs", BODY, **KEY)

    replies = together(*[ask] * 50)

    made = {reply.raw for reply in replies if reply.status == 201}
    refused = {reply.body["code"] for reply in replies if reply.status == 409}
    assert len(made) == 1
    assert refused <= {"idempotency_in_flight"}
    assert {reply.status for reply in replies} <= {201, 409}
    assert Job.objects.count() == KeptAnswer.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_while_the_first_is_at_work_the_second_is_told_so(api: Caller) -> None:
    seen: list[Reply] = []

    def act() -> tuple[int, Any]:
        seen.extend(together(lambda: api.twin().post("worker/jobs", BODY, **KEY)))
        return 201, {"made": True}

    account = User.objects.get(username="machine")
    answer_once(
        account_id=account.pk, scope="POST /v1/worker/jobs", key="order 17", body=BODY, act=act
    )

    assert [(reply.status, reply.body["code"]) for reply in seen] == [
        (409, "idempotency_in_flight")
    ]
    assert api.post("worker/jobs", BODY, **KEY).body == {"made": True}


@pytest.mark.usefixtures("committed")
def test_what_fails_half_way_leaves_neither_work_nor_key(api: Caller) -> None:
    account = User.objects.get(username="machine")

    def act() -> tuple[int, Any]:
        api.make()
        raise RuntimeError("the process died here")

    with pytest.raises(RuntimeError):
        answer_once(account_id=account.pk, scope="s", key="k", body={}, act=act)

    assert not Job.objects.exists()
    again = answer_once(
        account_id=account.pk, scope="s", key="k", body={}, act=lambda: (201, "done")
    )
    assert (again.body, again.is_repeat) == (b'"done"', False)
