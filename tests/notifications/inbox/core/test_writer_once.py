"""Requests with an Idempotency-Key that are written together: the same one acts once."""

from concurrent.futures import Future
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.db import DataError

from jobs.idempotency import (
    Answer,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    answer_once,
)
from jobs.models import KeptAnswer
from lib.errors import InputInvalid
from notifications.inbox import writer
from notifications.inbox.models import Notification
from notifications.inbox.repeats import Once, once
from notifications.inbox.shapes import Draft
from tests.notifications.inbox.core.play import ALICE, BOB, draft, inbox, until_waiting

pytestmark = pytest.mark.django_db(transaction=True)

LONG_S = 20


@pytest.fixture
def account() -> int:
    return User.objects.create_user("backend").pk


def keyed(account_id: int, key: str = "k", body: Any = None) -> Once:
    return once(account_id=account_id, scope="POST /api/v1/notify", key=key, body=body)


def test_the_same_request_gets_the_same_answer(account: int) -> None:
    first = writer.submit(draft(), once=keyed(account)).result(LONG_S)
    again = writer.submit(draft(), once=keyed(account)).result(LONG_S)
    assert again == Answer(202, first.body, is_repeat=True)
    assert len(inbox()) == 1


def test_another_body_under_the_same_key_is_refused(account: int) -> None:
    writer.submit(draft(), once=keyed(account, body={"a": 1})).result(LONG_S)
    with pytest.raises(IdempotencyKeyReused):
        writer.submit(draft(), once=keyed(account, body={"a": 2})).result(LONG_S)
    assert len(inbox()) == 1


def test_other_accounts_and_other_keys_are_other_requests(account: int) -> None:
    other = User.objects.create_user("other").pk
    for each in (keyed(account), keyed(other), keyed(account, "k2")):
        assert not writer.submit(draft(), once=each).result(LONG_S).is_repeat
    assert len(inbox()) == 3


def test_two_that_come_together_are_one(gate: Any, account: int) -> None:
    held = gate()
    first: Future[Answer] = writer.submit(draft(ALICE))
    until_waiting()
    same = [writer.submit(draft(BOB), once=keyed(account)) for _ in range(3)]
    other = writer.submit(draft(BOB), once=keyed(account, body="another"))
    held.commit()
    assert first.result(LONG_S).status == 202
    answers = [future.result(LONG_S) for future in same]
    assert len({answer.body for answer in answers}) == 1
    assert [answer.is_repeat for answer in answers] == [False, True, True]
    with pytest.raises(IdempotencyKeyReused):
        other.result(LONG_S)
    assert len(inbox(BOB)) == 1


def test_it_meets_what_the_platform_has_kept_and_the_other_way_round(account: int) -> None:
    scope = "POST /api/v1/notify"
    written = writer.submit(draft(), once=keyed(account, body={"n": 1})).result(LONG_S)
    found = answer_once(account_id=account, scope=scope, key="k", body={"n": 1}, act=_never)
    assert found == Answer(202, written.body, is_repeat=True)
    kept = answer_once(account_id=account, scope=scope, key="k2", body=[], act=lambda: (202, {}))
    found = writer.submit(draft(), once=keyed(account, "k2", [])).result(LONG_S)
    assert found == Answer(202, kept.body, is_repeat=True)
    assert len(inbox()) == 1


def test_nothing_is_kept_of_what_was_not_written(account: int) -> None:
    one = draft()
    future = writer.submit(_broken(one), once=keyed(account))
    with pytest.raises(DataError):
        future.result(LONG_S)
    assert not KeptAnswer.objects.exists()
    assert not Notification.objects.exists()
    assert not writer.submit(draft(), once=keyed(account)).result(LONG_S).is_repeat


@pytest.mark.parametrize("key", ["", "k" * 201, "ключ", "a\nb"])
def test_a_key_has_printable_characters(key: str) -> None:
    with pytest.raises(IdempotencyKeyInvalid):
        once(account_id=1, scope="s", key=key, body={})


def test_a_body_that_nobody_can_write_down_has_no_hash() -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(InputInvalid, match="deep"):
        once(account_id=1, scope="s", key="k", body=deep)


def _broken(one: Draft) -> Draft:
    """Passes the check, and Postgres refuses it: JSON with a number that no numeric holds."""
    one.data = {"n": orjson.Fragment("1e400000")}
    return one


def _never() -> tuple[int, Any]:
    raise AssertionError("it was asked before")
