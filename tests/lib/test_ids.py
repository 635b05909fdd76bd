"""Identifiers that grow with time."""

import time
from concurrent.futures import ThreadPoolExecutor

from lib.ids import uuid7


def test_an_identifier_is_of_version_7_and_holds_its_moment() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before <= made.int >> 80 <= after


def test_later_identifiers_sort_after_earlier_ones() -> None:
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_threads_never_get_the_same_identifier() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [
            one
            for many in pool.map(lambda _: [uuid7() for _ in range(500)], range(8))
            for one in many
        ]
    assert len(set(made)) == 4000
