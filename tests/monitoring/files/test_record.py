"""A change is recorded once, by the leader, for the rule as it was read; races with their control."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from jobs.testing import jobs_of
from lib import clock
from monitoring.files import record
from monitoring.files.errors import LeadershipLost, RuleChanged
from monitoring.files.forget import history_forget
from monitoring.files.leader import Self, leader_extend, leader_take, leader_yield
from monitoring.files.models import FileBatch, FileEvent, Leader, Rule, WatchedFile
from tests.monitoring.files.rows import Drop, lead, look, new_events, rule_make, settle


def other(pid: int = 1) -> Self:
    return Self(f"other:{pid}", f"machine {pid}", pid, 0.0)


def test_a_former_leader_writes_nothing(rule: Rule, drop: Drop) -> None:
    former = lead()
    drop.write("a.csv")
    settle()
    lead()
    with pytest.raises(LeadershipLost):
        look(rule, fence=former)
    assert not WatchedFile.objects.exists()
    assert jobs_of("files.file_event") == []


@pytest.mark.parametrize("change", [{"version": 2}, {"paused_at": clock.now()}])
def test_a_rule_that_was_edited_or_paused_meanwhile_is_looked_at_anew(
    rule: Rule, drop: Drop, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    drop.write("a.csv")
    settle()
    check = record.mandate_check

    def edit_first(mandate: record.Mandate) -> None:
        Rule.objects.update(**change)
        check(mandate)

    monkeypatch.setattr(record, "mandate_check", edit_first)
    with pytest.raises(RuleChanged):
        look(rule)
    assert not WatchedFile.objects.exists()


def test_nothing_is_left_of_a_batch_whose_transaction_fails(
    rule: Rule, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.write("a.csv")
    settle()

    def fail(_: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(record, "moment_of", fail)
        with pytest.raises(RuntimeError), transaction.atomic():
            look(rule)
    assert not WatchedFile.objects.exists()
    assert not FileBatch.objects.exists()
    look(rule)
    assert new_events(rule) == [("added", "a.csv")]


def test_one_leads_and_its_lease_can_be_taken_when_it_is_over(db: None) -> None:
    first = leader_take(other(1))
    assert first is not None
    assert leader_take(other(2)) is None
    assert leader_extend(first)
    Leader.objects.update(lease_until=clock.now() - timedelta(seconds=1))
    second = leader_take(other(2))
    assert second == first + 1
    assert not leader_extend(first)
    leader_yield(second)
    assert leader_take(other(3)) == second + 1


def test_a_leader_whose_process_is_gone_is_replaced_at_once(db: None) -> None:
    me = Self.here()
    gone = Self("gone", me.place, me.pid, me.born_at - 1000)  # the same pid, an earlier process
    assert leader_take(gone)
    assert leader_take(me)
    assert leader_take(Self("rival", me.place, me.pid, me.born_at)) is None


def test_a_batch_has_so_many_files_at_most(
    rule: Rule, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.files.look.MOST", 11)
    for number in range(25):
        drop.write(f"{number}.csv", str(number))
    settle()
    look(rule)
    assert list(FileBatch.objects.order_by("id").values_list("total", flat=True)) == [10, 10, 5]
    assert FileEvent.objects.values("file").distinct().count() == 25


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("fenced", "recorded"), [(True, 1), (False, 2)], ids=["fenced", "control"])
def test_two_watchers_that_saw_the_same_record_it_once(
    drop: Drop, monkeypatch: pytest.MonkeyPatch, fenced: bool, recorded: int
) -> None:
    rule = rule_make(drop)
    drop.write("a.csv")
    settle()
    together = threading.Barrier(2, timeout=30)
    check: Callable[[record.Mandate], None] = record.mandate_check

    def meet(mandate: record.Mandate) -> None:
        together.wait()  # both have looked, none has written
        if fenced:
            check(mandate)

    monkeypatch.setattr(record, "mandate_check", meet)
    fences = [lead(), lead()]
    refused: list[str] = []

    def watch(fence: int) -> None:
        try:
            look(rule, fence=fence)
        except LeadershipLost:
            refused.append("lost")
        finally:
            connection.close()

    threads = [threading.Thread(target=watch, args=[fence]) for fence in fences]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert FileEvent.objects.count() == recorded
    assert len(refused) == 2 - recorded


def test_history_is_forgotten_and_the_index_is_not(rule: Rule, drop: Drop) -> None:
    drop.write("a.csv")
    drop.write("b.csv")
    settle()
    look(rule)
    (drop.path / "b.csv").unlink()
    look(rule)
    old = clock.now() - timedelta(days=40)
    FileBatch.objects.update(state="finished", finished_at=old)
    WatchedFile.objects.update(checked_at=old)
    assert history_forget(clock.now() - timedelta(days=30)) == {
        "batches": 2, "files": 1, "watchers": 0,
    }  # fmt: skip
    assert list(WatchedFile.objects.values_list("path", flat=True)) == ["a.csv"]
    look(rule)
    assert new_events(rule) == []
