"""One Idempotency-Key, many requests at the same moment."""

from concurrent.futures import Future

import pytest
from django.contrib.auth.models import User

from jobs.idempotency import Answer, IdempotencyInFlight, IdempotencyKeyReused, answer_once
from notifications.inbox import writer
from notifications.inbox.accept import accept
from notifications.inbox.repeats import Once, once
from tests.notifications.inbox.conftest import own_threads
from tests.notifications.inbox.core.play import ALICE, BOB, draft, inbox
from tests.races.parties import parties
from tests.races.together import LONG_S, run_together

__all__ = ["own_threads"]

SCOPE = "POST /api/v1/notify"


@pytest.fixture
def account() -> int:
    return User.objects.create_user("backend").pk


def keyed(account_id: int, body: object = None) -> Once:
    return once(account_id=account_id, scope=SCOPE, key="order-1", body=body)


def test_fifty_threads_with_one_key_are_one_notification(account: int) -> None:
    futures = run_together([lambda: writer.submit(draft(), once=keyed(account)) for _ in range(50)])
    answers = [future.result(LONG_S) for future in futures]
    assert len(inbox()) == 1
    assert len({answer.body for answer in answers}) == 1
    assert [answer.is_repeat for answer in answers].count(False) == 1


def test_without_a_key_fifty_threads_are_fifty() -> None:
    """The control: it is the key that makes them one."""
    futures = run_together([lambda: writer.submit(draft()) for _ in range(50)])
    assert {future.result(LONG_S).status for future in futures} == {202}
    assert len(inbox()) == 50


def test_of_two_bodies_under_one_key_one_is_written(account: int) -> None:
    futures = run_together(
        [lambda n=n: writer.submit(draft(), once=keyed(account, n % 2)) for n in range(20)]  # type: ignore[misc]
    )
    written = [future for future in futures if _outcome(future) == "written"]
    assert [_outcome(future) for future in futures].count("reused") == 10
    assert len(written) == 10
    assert len(inbox()) == 1


def test_while_another_process_works_on_it_it_is_in_flight(account: int) -> None:
    def act() -> tuple[int, object]:
        accept([draft(ALICE)])
        return 202, {"results": []}

    with parties() as begin:
        elsewhere = begin(
            lambda: answer_once(account_id=account, scope=SCOPE, key="order-1", body=None, act=act)
        ).wait()
        asked = writer.submit(draft(BOB), once=keyed(account))
        with pytest.raises(IdempotencyInFlight):
            asked.result(LONG_S)
        kept = elsewhere.commit()
    again = writer.submit(draft(BOB), once=keyed(account)).result(LONG_S)
    assert again == Answer(202, kept.body, is_repeat=True)
    assert (len(inbox(ALICE)), len(inbox(BOB))) == (1, 0)


def test_what_was_rolled_back_elsewhere_is_written_here(account: int) -> None:
    def act() -> tuple[int, object]:
        accept([draft(ALICE)])
        raise LookupError("rolled back")

    with parties() as begin:
        failing = begin(
            lambda: answer_once(account_id=account, scope=SCOPE, key="order-1", body=None, act=act)
        )
        with pytest.raises(LookupError):
            failing.commit()
    answer = writer.submit(draft(ALICE), once=keyed(account)).result(LONG_S)
    assert not answer.is_repeat
    assert len(inbox()) == 1


def _outcome(future: Future[Answer]) -> str:
    error = future.exception(LONG_S)
    if error is None:
        return "written"
    return "reused" if isinstance(error, IdempotencyKeyReused) else "failed"
