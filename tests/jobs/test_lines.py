"""Lines of partition keys: in order within a key, parallel across keys."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.ending import leases_release
from jobs.enqueue import enqueue_many
from jobs.lines import line_jobs
from jobs.models import Job
from jobs.registry import JobKind
from jobs.testing import drain
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def _stand(kind: JobKind[Any], key: str, *numbers: int, **options: Any) -> None:
    for n in numbers:
        kind.enqueue(n=n, partition=key, **options)


def _numbers(held: list[Any]) -> list[int]:
    rows = {row.pk: row.args["n"] for row in Job.objects.all()}
    return [rows[one.id] for one in held]


def test_only_the_head_of_a_key_may_be_leased(kind: JobKind[Any]) -> None:
    _stand(kind, "a", 1, 2, 3)
    assert play.line("a") == [
        (1, "available", False),
        (2, "available", True),
        (3, "available", True),
    ]
    assert _numbers(play.lease()) == [1]
    assert play.lease() == []


def test_keys_do_not_wait_for_each_other(kind: JobKind[Any]) -> None:
    for key in "abc":
        _stand(kind, key, 1, 2)
    kind.enqueue(n=9)
    assert sorted(_numbers(play.lease())) == [1, 1, 1, 9]


@pytest.mark.parametrize("name", ["completed", "dead", "cancelled"])
def test_the_next_goes_when_the_head_has_ended(kind: JobKind[Any], name: str) -> None:
    _stand(kind, "a", 1, 2, 3)
    play.finish(play.lease_one(), name=name)
    assert _numbers(play.lease()) == [2]


@pytest.mark.parametrize("name", ["retried", "snoozed"])
def test_a_head_that_is_tried_again_holds_its_key(kind: JobKind[Any], name: str) -> None:
    _stand(kind, "a", 1, 2)
    play.finish(play.lease_one(), name=name, run_in=timedelta(minutes=5))
    assert play.lease() == []
    with clock.shift(timedelta(minutes=6)):
        assert _numbers(play.lease()) == [1]


def test_a_head_whose_time_lies_ahead_holds_its_key(kind: JobKind[Any]) -> None:
    _stand(kind, "a", 1, delay="1h")
    _stand(kind, "a", 2)
    assert play.lease() == []
    with clock.shift(timedelta(hours=2)):
        assert drain() == 2


def test_priority_does_not_overtake_within_a_key(kind: JobKind[Any]) -> None:
    _stand(kind, "a", 1, priority=3)
    _stand(kind, "a", 2, priority=0)
    assert _numbers(play.lease()) == [1]


def test_a_key_spans_kinds_and_queues(kind: JobKind[Any], declare: Declare) -> None:
    other = declare(name="tests.other", queue="maintenance")
    _stand(kind, "a", 1)
    _stand(other, "a", 2)
    assert play.lease("maintenance") == []
    play.finish(play.lease_one())
    assert _numbers(play.lease("maintenance")) == [2]


def test_a_bulk_insert_stands_in_the_order_of_its_calls(kind: JobKind[Any]) -> None:
    enqueue_many([(kind, {"n": n, "partition": f"k{n % 3}"}) for n in range(30)])
    for key in range(3):
        line = play.line(f"k{key}")
        assert [n for n, _, _ in line] == list(range(key, 30, 3))
        assert [blocked for _, _, blocked in line] == [False] + [True] * 9


def test_a_chain_leases_the_jobs_behind_a_head_in_their_order(kind: JobKind[Any]) -> None:
    _stand(kind, "a", 1, 2, 3, 4, 5)
    held = play.lease(chain=9, limit=4)
    assert _numbers(held) == [1, 2, 3, 4]
    assert play.line("a")[-1] == (5, "available", True)
    assert play.lease(chain=9, worker="w2") == []


def test_a_chain_ends_at_a_job_that_is_not_due(kind: JobKind[Any]) -> None:
    _stand(kind, "a", 1, 2)
    _stand(kind, "a", 3, delay="1h")
    _stand(kind, "a", 4)
    assert _numbers(play.lease(chain=9)) == [1, 2]


def test_a_chain_leaves_room_for_others(kind: JobKind[Any]) -> None:
    enqueue_many([(kind, {"n": n, "partition": "hot"}) for n in range(50)])
    enqueue_many([(kind, {"n": 100 + n}) for n in range(5)])
    held = _numbers(play.lease(chain=9, limit=20))
    assert sum(n >= 100 for n in held) >= 1
    assert [n for n in held if n < 100] == list(range(sum(n < 100 for n in held)))


def test_a_chain_of_several_keys_keeps_the_order_of_each(kind: JobKind[Any]) -> None:
    enqueue_many([(kind, {"n": n, "partition": f"k{n % 4}"}) for n in range(40)])
    held = play.lease(chain=9, limit=20)
    assert len(held) == 20
    for key in range(4):
        mine = [n for n in _numbers(held) if n % 4 == key]
        assert mine == list(range(key, key + 4 * len(mine), 4))


def test_released_followers_stand_behind_their_head_again(kind: JobKind[Any]) -> None:
    _stand(kind, "a", 1, 2, 3)
    head, *followers = play.lease(chain=9)
    play.finish(head, name="retried", run_in=timedelta(minutes=1))
    assert leases_release(followers) == {one.id for one in followers}
    assert play.line("a") == [
        (1, "scheduled", False),
        (2, "available", True),
        (3, "available", True),
    ]
    with clock.shift(timedelta(minutes=2)):
        assert _numbers(play.lease(chain=9)) == [1, 2, 3]


def test_followers_released_in_any_order_keep_their_order(kind: JobKind[Any]) -> None:
    _stand(kind, "a", 1, 2, 3)
    head, second, third = play.lease(chain=9)
    leases_release([third])
    play.finish(head)
    leases_release([second])
    assert play.line("a") == [(2, "available", False), (3, "available", True)]


def test_a_line_can_be_listed_in_its_order(kind: JobKind[Any]) -> None:
    _stand(kind, "a", 3, 1, 2)
    _stand(kind, "b", 9)
    assert [row.args["n"] for row in line_jobs("a")] == [3, 1, 2]
    assert [row.args["n"] for row in line_jobs("a", limit=2)] == [3, 1]
