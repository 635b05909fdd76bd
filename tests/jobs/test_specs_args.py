"""Args as JSON: what Postgres can hold, and no more than 256 kB of it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import ArgsInvalid, ArgsTooLarge
from jobs.specs import args_dump
from jobs.sql import row

LIMIT = 256 * 1024
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


def test_args_are_json() -> None:
    moment = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    dumped = args_dump({"u": UUID(int=7), "at": moment, "items": (1, 2)})
    assert orjson.loads(dumped) == {
        "u": str(UUID(int=7)),
        "at": "2026-11-22T01:02:03+00:00",
        "items": [1, 2],
    }


@pytest.mark.parametrize(
    "value",
    [object(), b"bytes", {1, 2}, "\udcff", {"\udcff": 1}, 2**70, {1: "a"}],
    ids=[
        "object",
        "bytes",
        "set",
        "half a letter",
        "half a letter as key",
        "too long",
        "int as key",
    ],
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ArgsInvalid, match="args are not JSON"):
        args_dump({"x": value})


@pytest.mark.parametrize("value", ["\x00", "a\x00b", ["\x00"], {"k": {"\x00": 1}}, "\\\x00"])
def test_a_nul_character_is_refused_wherever_it_stands(value: Any) -> None:
    with pytest.raises(ArgsInvalid, match="NUL"):
        args_dump({"x": value})


@pytest.mark.parametrize("value", ["\\u0000", "C:\\u0000", "\\\\u0000"])
def test_text_that_only_looks_like_a_nul_is_taken(value: str) -> None:
    assert orjson.loads(args_dump({"x": value})) == {"x": value}


def test_args_may_have_256_kb_and_not_a_byte_more() -> None:
    fits = LIMIT - len('{"x":""}')
    assert len(args_dump({"x": "a" * fits})) == LIMIT
    with pytest.raises(ArgsTooLarge, match="262145 bytes; at most 262144") as refused:
        args_dump({"x": "a" * (fits + 1)})
    assert (refused.value.status, refused.value.code) == (413, "args_too_large")


def test_the_limit_counts_bytes_and_not_letters() -> None:
    with pytest.raises(ArgsTooLarge):
        args_dump({"x": "ж" * (LIMIT // 2)})


@pytest.mark.django_db
@given(st.dictionaries(texts, values, max_size=4))
def test_postgres_keeps_what_was_taken(args: dict[str, Any]) -> None:
    found = row("SELECT (%s::jsonb)::text", [args_dump(args).decode()])
    assert found is not None
    assert orjson.loads(found[0]) == args
