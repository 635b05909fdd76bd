"""Errors of the domain as values that every door can show."""

from datetime import timedelta

import pytest

from lib.errors import DomainError, InputInvalid, NotFound, TooLarge, Unavailable


class GateShut(DomainError):
    """The gate is shut.

    It opens in the morning.
    """

    code = "gate_shut"


def test_the_docstring_is_the_message() -> None:
    refused = GateShut()
    assert (refused.message, str(refused)) == ("The gate is shut.", "The gate is shut.")


def test_a_message_of_its_own_says_more() -> None:
    refused = GateShut("gate 7 is shut", gate=7)
    assert (refused.message, str(refused), refused.extra) == (
        "gate 7 is shut", "gate 7 is shut", {"gate": 7},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (DomainError, 409, "conflict"), (NotFound, 404, "not_found"), (InputInvalid, 422, "invalid"),
        (TooLarge, 413, "too_large"), (Unavailable, 503, "unavailable"), (GateShut, 409, "gate_shut"),
    ],
)  # fmt: skip
def test_each_kind_has_its_status_and_its_code(
    kind: type[DomainError], status: int, code: str
) -> None:
    refused = kind()
    assert (refused.status, refused.code) == (status, code)
    assert refused.message.endswith(".")


def test_what_is_unavailable_says_when_to_come_again() -> None:
    assert Unavailable().retry_after == timedelta(seconds=5)
    assert Unavailable("closed", retry_after=timedelta(minutes=1)).retry_after.total_seconds() == 60
