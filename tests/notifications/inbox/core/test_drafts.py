"""What a notification may be."""

from datetime import datetime
from typing import Any

import pytest

from notifications.inbox.drafts import data_text, draft_check, login_check
from notifications.inbox.errors import DraftInvalid, TooManyTargets
from tests.notifications.inbox.core.play import ALICE, BOB, draft

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "x" * 4000, "source": "s" * 100},
        {"message": "☃ и \x01", "ttl_s": 1, "priority": 0},
        {"ttl_s": 15 * 86400, "priority": 3, "collapse_key": "k" * 200, "fallback_after_s": 1},
        {"data": {}},
        {"data": {"text": "a literal \\u0000 is only text"}},
    ],
)
def test_what_fits_is_taken(fields: dict[str, Any]) -> None:
    draft_check(draft(**fields))


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"message": ""}, "message"),
        ({"message": "x" * 4001}, "message"),
        ({"message": "a\x00b"}, "message"),
        ({"message": "half \ud800"}, "message"),
        ({"source": ""}, "source"),
        ({"source": "s" * 101}, "source"),
        ({"ttl_s": 0}, "ttl_s"),
        ({"ttl_s": 15 * 86400 + 1}, "ttl_s"),
        ({"priority": 4}, "priority"),
        ({"priority": -1}, "priority"),
        ({"collapse_key": ""}, "collapse_key"),
        ({"collapse_key": "k" * 201}, "collapse_key"),
        ({"fallback_after_s": 0}, "fallback_after_s"),
        ({"created_at": datetime(2024, 1, 1)}, "created_at"),  # noqa: DTZ001
        ({"data": {"a": "x" * 4096}}, "data"),
        ({"data": {"a": "\x00"}}, "data"),
        ({"data": {"a": object()}}, "data"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(fields: dict[str, Any], word: str) -> None:
    with pytest.raises(DraftInvalid, match=word):
        draft_check(draft(**fields))


@pytest.mark.parametrize("target", [(2**63, "a"), (-(2**63) - 1, "a"), (1, ""), (1, "x" * 151)])
def test_nobody_is_called_so(target: tuple[int, str]) -> None:
    with pytest.raises(DraftInvalid, match="target"):
        draft_check(draft(ALICE, target))


def test_a_draft_names_somebody_but_not_everybody(settings: Any) -> None:
    settings.INBOX_MAX_TARGETS = 2
    draft_check(draft(ALICE, BOB))
    with pytest.raises(TooManyTargets, match="2 targets"):
        draft_check(draft(ALICE, BOB, ALICE))
    nobody = draft()
    nobody.targets, nobody.ids = [], {}
    with pytest.raises(DraftInvalid, match="nobody"):
        draft_check(nobody)


def test_a_target_that_is_named_twice_has_one_id() -> None:
    one = draft(ALICE, BOB, ALICE)
    assert list(one.ids) == [ALICE, BOB]
    assert len(set(one.ids.values())) == 2


def test_free_fields_become_json() -> None:
    assert data_text(None) is None
    assert data_text({"a": [1]}) == '{"a":[1]}'


def test_a_login_has_words() -> None:
    login_check("alice")
    with pytest.raises(DraftInvalid, match="login"):
        login_check("")
