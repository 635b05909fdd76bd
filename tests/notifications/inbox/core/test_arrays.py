"""Lists that Postgres reads as they were written."""

from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import sql
from notifications.inbox.arrays import ints, texts, uuids

STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
within_one_test = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def back(kind: str, text: str) -> list[object]:
    found = sql.row(f"SELECT %s::{kind}[]", [text])
    assert found is not None
    values: list[object] = found[0]
    return values


@given(st.lists(st.none() | STORABLE))
@within_one_test
def test_texts_come_back(values: list[str | None]) -> None:
    assert back("text", texts(values)) == values


@pytest.mark.parametrize(
    "values",
    [
        [], [""], ["", ""], ["NULL", "null"], [None], ['"'], ["\\"], ['","'], ['a","b', "c"],
        ["{}", ",", " "], ["%s", "'"], ["☃\n\t"], ['"', None, "\\N"],
    ],
)  # fmt: skip
def test_texts_with_marks_of_their_own_come_back(values: list[str | None]) -> None:
    assert back("text", texts(values)) == values


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
@within_one_test
def test_numbers_come_back(values: list[int | None]) -> None:
    assert back("bigint", ints(values)) == values


def test_ids_come_back() -> None:
    values = [uuid4(), UUID(int=0), UUID(int=2**128 - 1)]
    assert back("uuid", uuids(values)) == values
    assert back("uuid", uuids([])) == []
