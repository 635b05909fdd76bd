"""Finding an operation by its id alone, and doing what it can do."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from jobs.batches import batch_open, batch_seal
from jobs.models import Batch
from jobs.progress import registry
from jobs.progress.registry import (
    ActForbidden,
    ActImpossible,
    OperationUnknown,
    operation_act,
    operation_find,
    progress_register,
)
from jobs.progress.snapshot import Progress, Stage
from lib.ids import uuid7
from tests.jobs.progress.kinds import STEER, VIEW, Digging, NotToday


def test_an_operation_is_found_by_its_id_alone(digging: Digging) -> None:
    kind, progress = operation_find(digging.now.id)
    assert (kind.name, progress) == ("digging", digging.now)


def test_an_id_that_is_known_costs_one_find(
    digging: Digging, db: None, django_assert_num_queries: Callable[[int], object]
) -> None:
    operation_find(digging.now.id)
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        operation_find(digging.now.id)  # nobody else is asked again
    assert digging.looks == 2


def test_an_unknown_id_is_told(digging: Digging, db: None) -> None:
    with pytest.raises(OperationUnknown):
        operation_find(uuid7())


def test_an_operation_that_is_deleted_is_unknown_from_then_on(digging: Digging, db: None) -> None:
    gone = digging.now.id
    operation_find(gone)
    digging.set(id=uuid7())
    with pytest.raises(OperationUnknown):
        operation_find(gone)


def test_memory_of_ids_has_an_end(digging: Digging, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REMEMBERED", 3)
    for _ in range(10):
        digging.set(id=uuid7())
        operation_find(digging.now.id)
    assert len(registry._known) == 3


def test_a_name_is_given_once(digging: Digging) -> None:
    def other(operation_id: object) -> Progress | None:
        raise AssertionError(operation_id)

    with pytest.raises(ValueError, match="registered already"):
        progress_register("digging", other, permission=VIEW)


def test_an_act_is_done_and_looked_at(digging: Digging, account: Callable[..., User]) -> None:
    alice = account("alice", STEER)
    after = operation_act(digging.now.id, "pause", by=alice)
    assert (after.stage, digging.paused_by) == (Stage.PAUSED, alice)


def test_what_is_not_possible_now_is_refused(
    digging: Digging, account: Callable[..., User]
) -> None:
    alice = account("alice", STEER)
    for name in ("resume", "fly"):
        with pytest.raises(ActImpossible):
            operation_act(digging.now.id, name, by=alice)
    with pytest.raises(NotToday):
        operation_act(digging.now.id, "blow_up", by=alice)


def test_who_may_only_look_does_nothing(digging: Digging, account: Callable[..., User]) -> None:
    with pytest.raises(ActForbidden, match=STEER):
        operation_act(digging.now.id, "pause", by=account("eve", VIEW))
    assert digging.paused_by is None


def test_a_batch_is_an_operation(db: None) -> None:
    batch_id = batch_open(title="import")
    assert operation_find(batch_id)[1].stage is Stage.WAITING
    Batch.objects.filter(pk=batch_id).update(total=4, completed=1, dead=1, cancelled=1)
    batch_seal(batch_id)
    progress = operation_find(batch_id)[1]
    assert (progress.kind, progress.stage, progress.settled) == ("batch", Stage.RUNNING, 3)
    assert [each.count for each in progress.reasons] == [1, 1]
    Batch.objects.filter(pk=batch_id).update(finished_at="2026-11-22T10:00:00Z")
    assert operation_find(batch_id)[1].stage is Stage.OVER
