from datetime import timedelta
from uuid import UUID

import pytest

from jobs import sql
from lib import clock
from lib.ids import uuid7
from notifications.webhooks import endpoints, lanes
from notifications.webhooks.answers import Verdict
from notifications.webhooks.flow import Fate, Flow
from notifications.webhooks.lanes import Holder
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Lane
from notifications.webhooks.wire import Reply
from tests.notifications.webhooks.rows import SECRET, delivery_make, endpoint_make
from tests.races.parties import parties


def holder(job_id: UUID | None = None, fence: int = 1) -> Holder:
    return Holder(job_id or uuid7(), fence)


def fetched(flow: Flow, most: int = 10) -> list[int]:
    found = lanes.deliveries_due([(flow, most)])[flow.config.endpoint_id]
    flow.waiting.extend(found)
    return [due.id for due in found]


def sent(flow: Flow, outcome: str = "delivered") -> Fate:
    due = flow.launch(clock.now(), 0, is_scarce=False)
    assert due is not None
    verdict = Verdict("delivered") if outcome == "delivered" else Verdict("failed", "answered 400")
    now = clock.now()
    return flow.settle(due, Reply(204, duration_s=0.01), verdict, began=now, now=now)


def test_a_lane_is_taken_when_something_is_due_in_it() -> None:
    due, later = delivery_make(), delivery_make(next_attempt_at=clock.now() + timedelta(1))
    (flow,) = lanes.lanes_take(holder(), limit=10)
    assert flow.config.endpoint_id == due.endpoint_id
    assert flow.config.secrets == (SECRET,)
    assert later.endpoint_id != due.endpoint_id


@pytest.mark.parametrize("column", ["open_until", "paused_until"])
def test_a_lane_that_is_shut_is_taken_when_its_time_comes(column: str) -> None:
    delivery_make()
    Lane.objects.update(**{column: clock.now() + timedelta(minutes=1)})
    assert lanes.lanes_take(holder(), limit=10) == []
    with clock.shift(timedelta(minutes=2)):
        assert len(lanes.lanes_take(holder(), limit=10)) == 1


def test_a_lane_of_an_endpoint_that_is_off_is_not_taken() -> None:
    delivery_make(endpoint_make(state="deleted"))
    assert lanes.lanes_take(holder(), limit=10) == []


def test_a_held_lane_is_taken_by_nobody_else_until_its_lease_is_over() -> None:
    delivery_make()
    assert lanes.lanes_take(holder(), limit=10)
    assert lanes.lanes_take(holder(), limit=10) == []
    sql.run("UPDATE webhook_lane SET held_until = clock_timestamp() - interval '1 second'")
    assert lanes.lanes_take(holder(), limit=10)


def test_the_next_attempt_of_a_killed_job_takes_over_at_once() -> None:
    delivery_make()
    killed = holder(fence=1)
    (flow,) = lanes.lanes_take(killed, limit=10)
    fetched(flow)
    fate = sent(flow)
    again = holder(killed.job_id, fence=2)
    assert lanes.lanes_take(again, limit=10)
    # The killed one was only stopped: it wakes up and must change nothing.
    assert lanes.lanes_renew(killed) == {}
    assert lanes.fates_write(killed, [fate], [flow]) == (set(), set())
    assert Delivery.objects.get().state == "pending"
    assert Attempt.objects.get().outcome == "delivered", "but that it was sent is on record"
    assert Lane.objects.get().last_success_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("locked", "winners"), [(True, 1), (False, 2)], ids=["locked", "control"])
def test_of_two_runs_at_once_one_gets_the_lane(
    monkeypatch: pytest.MonkeyPatch, locked: bool, winners: int
) -> None:
    delivery_make()
    if not locked:
        lock = "FOR NO KEY UPDATE OF l SKIP LOCKED"
        assert lock in lanes._TAKE
        monkeypatch.setattr(lanes, "_TAKE", lanes._TAKE.replace(lock, ""))

    def take() -> int:
        return len(lanes.lanes_take(holder(), limit=10))

    with parties() as party:
        first = party(take).wait()
        second = party(take).wait_blocked()
        taken = first.commit() + second.commit()
    assert taken == winners


def test_what_is_known_is_not_fetched_again() -> None:
    endpoint = endpoint_make()
    ids = [delivery_make(endpoint).pk for _ in range(5)]
    (flow,) = lanes.lanes_take(holder(), limit=10)
    assert fetched(flow, 2) == ids[:2]
    sent(flow)
    assert fetched(flow, 2) == ids[2:4], "one is in flight or unwritten, one waits here"
    assert fetched(flow, 9) == ids[4:]


def test_the_oldest_due_goes_first() -> None:
    endpoint, now = endpoint_make(), clock.now()
    late = delivery_make(endpoint, next_attempt_at=now)
    early = delivery_make(endpoint, next_attempt_at=now - timedelta(minutes=1))
    (flow,) = lanes.lanes_take(holder(), limit=10)
    assert fetched(flow) == [early.pk, late.pk]


def test_people_s_changes_are_seen_when_the_lease_is_renewed() -> None:
    delivery = delivery_make()
    mine = holder()
    lanes.lanes_take(mine, limit=10)
    endpoints.endpoint_change(
        endpoint_id=delivery.endpoint_id, by=None, title="New", rate_per_minute=5
    )
    config = lanes.lanes_renew(mine)[delivery.endpoint_id]
    assert config is not None
    assert config.rate_per_minute == 5
    endpoints.endpoint_disable(endpoint_id=delivery.endpoint_id, by=None)
    assert lanes.lanes_renew(mine) == {delivery.endpoint_id: None}


def test_a_delivery_that_was_cancelled_meanwhile_stays_so() -> None:
    delivery_make()
    mine = holder()
    (flow,) = lanes.lanes_take(mine, limit=10)
    fetched(flow)
    fate = sent(flow)
    Delivery.objects.update(state="cancelled", finished_at=clock.now())
    changed, held = lanes.fates_write(mine, [fate], [flow])
    assert (changed, len(held)) == (set(), 1)
    assert Delivery.objects.get().state == "cancelled"
    assert Attempt.objects.count() == 1


def test_an_attempt_of_a_delivery_that_was_removed_is_dropped() -> None:
    delivery_make()
    mine = holder()
    (flow,) = lanes.lanes_take(mine, limit=10)
    fetched(flow)
    fate = sent(flow)
    Delivery.objects.all().delete()
    assert lanes.fates_write(mine, [fate], [flow])[0] == set()
    assert not Attempt.objects.exists()


def test_what_a_run_learned_is_there_for_the_next() -> None:
    delivery_make()
    mine = holder()
    (flow,) = lanes.lanes_take(mine, limit=10)
    fetched(flow)
    fate = sent(flow, "failed")
    lanes.fates_write(mine, [fate], [flow])
    lanes.lanes_free(mine, [flow.config.endpoint_id])
    with clock.shift(timedelta(hours=1)):
        (again,) = lanes.lanes_take(holder(), limit=10)
    assert again.standing == flow.standing
    assert again.standing.failing_since is not None


def test_the_next_due_moment_heeds_what_holds_a_lane_back() -> None:
    assert lanes.next_due_at() is None
    now = clock.now()
    delivery = delivery_make(next_attempt_at=now)
    assert lanes.next_due_at() == now
    Lane.objects.update(open_until=now + timedelta(minutes=3))
    assert lanes.next_due_at() == now + timedelta(minutes=3)
    delivery_make(next_attempt_at=now + timedelta(minutes=1))
    assert lanes.next_due_at() == now + timedelta(minutes=1)
    Endpoint.objects.filter(pk=delivery.endpoint_id).update(state="deleted")
    assert lanes.next_due_at() == now + timedelta(minutes=1)
