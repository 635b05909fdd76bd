"""Keys of a job: partition, unique, debounce."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.errors import EnqueueInvalid
from jobs.registry import Debounce
from jobs.specs import JobSpec, spec_build
from lib.ids import uuid7
from tests.jobs.conftest import Declare

pytestmark = pytest.mark.unit

SOON = Debounce("30s", max_wait="5m")


@pytest.fixture
def spec(declare: Declare) -> Any:
    """Build a spec of a plain kind: spec(partition="chat:5")."""
    kind = declare()

    def build(**given: Any) -> JobSpec:
        return spec_build(kind, given)

    return build


@pytest.mark.parametrize(
    ("given", "written"),
    [("chat:5", "chat:5"), (("chat", 5), "chat:5"), (["chat", 5], "chat:5"), (5, "5"), (0, "0")],
)
def test_a_key_is_a_text_or_its_parts(spec: Any, given: Any, written: str) -> None:
    assert spec(partition=given).partition_key == written
    assert spec(unique=given).unique_key == written


def test_unique_by_the_kind_alone_is_true(spec: Any) -> None:
    assert spec(unique=True).unique_key == "tests.kind"


def test_no_key_is_no_key(spec: Any) -> None:
    plain = spec(partition=None, unique=None, debounce=None)
    assert (plain.partition_key, plain.unique_key, plain.debounce_key) == (None, None, None)
    assert spec(unique=False).unique_key is None


def test_a_unique_key_may_hold_for_a_time(spec: Any) -> None:
    assert spec(unique="a", unique_ttl="1h").unique_ttl == timedelta(hours=1)
    assert spec(unique="a").unique_ttl is None


def test_debounce_goes_by_kind_and_args(spec: Any, declare: Declare) -> None:
    one, same, other = (spec(n=n, debounce=SOON) for n in (1, 1, 2))
    assert one.debounce_key == same.debounce_key == 'tests.kind:{"n":1}'
    assert other.debounce_key != one.debounce_key
    namesake = spec_build(declare(name="tests.other"), {"n": 1, "debounce": SOON})
    assert namesake.debounce_key != one.debounce_key


def test_debounce_may_go_by_a_key_of_its_own(spec: Any) -> None:
    made = spec(n=1, debounce=(("chat", 5), SOON))
    assert made.debounce_key == "tests.kind:chat:5"
    assert (made.run_at - made.created_at, made.state) == (timedelta(seconds=30), "scheduled")


def test_a_single_kind_has_one_key_whoever_calls_it(declare: Declare) -> None:
    def sweep() -> None: ...

    made = spec_build(declare(sweep, single=True), {"unique": "a"})
    assert made.coalesce
    assert (made.debounce_key, made.partition_key, made.unique_key) == (
        "tests.kind", "tests.kind", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"partition": ""}, "partition must have 1 to 160 characters"),
        ({"partition": "k" * 161}, "partition must have 1 to 160 characters"),
        ({"partition": "a\x00b"}, "partition must have 1 to 160 characters"),
        ({"partition": True}, "partition must be a text, a number or a list of them"),
        ({"partition": {"chat": 5}}, "partition must be a text, a number or a list of them"),
        ({"partition": ()}, "partition must have 1 to 160 characters"),
        ({"unique": ""}, "unique must have 1 to 200 characters"),
        ({"unique": "k" * 201}, "unique must have 1 to 200 characters"),
        ({"unique": "\udcff"}, "unique must have 1 to 200 characters"),
        ({"unique_ttl": "1h"}, "unique_ttl needs unique"),
        ({"unique": "a", "unique_ttl": -1}, "unique_ttl: -1 is negative"),
        ({"unique": "a", "unique_ttl": "99999999d"}, "unique_ttl must be at most ten years"),
        ({"debounce": "30s"}, 'debounce must be Debounce("30s") or (key, Debounce("30s"))'),
        ({"debounce": ("k" * 200, SOON)}, "debounce must have 1 to 200 characters"),
        ({"debounce": Debounce("9999d")}, "debounce must be at most ten years"),
        ({"debounce": SOON, "unique": "a"}, "debounce goes with neither unique, partition nor batch"),
        ({"debounce": SOON, "partition": "a"}, "debounce goes with neither unique, partition nor batch"),
        ({"debounce": SOON, "batch": uuid7()}, "debounce goes with neither unique, partition nor batch"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_refused_with_a_sentence(
    spec: Any, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(EnqueueInvalid) as refused:
        spec(**options)
    assert refused.value.message == says


def test_a_single_kind_takes_no_batch(declare: Declare) -> None:
    def sweep() -> None: ...

    with pytest.raises(EnqueueInvalid, match="a single kind goes into no batch"):
        spec_build(declare(sweep, single=True), {"batch": uuid7()})
