"""Lease tokens: worth one lease, and nobody else can make one."""

import string
from datetime import timedelta
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from jobs.api import tokens
from jobs.remote.leases import Held
from lib.ids import uuid7

pytestmark = pytest.mark.unit

HELD = Held(UUID("01a20126-7a2e-77fc-8cf0-eca7b9d515ad"), 7, timedelta(seconds=90))


def test_a_token_says_which_lease_it_is() -> None:
    assert tokens._read(tokens.token_make(HELD)) == HELD
    assert tokens.token_read(tokens.token_make(HELD), HELD.job_id) == HELD


def test_no_character_of_a_token_can_be_another() -> None:
    token = tokens.token_make(HELD)
    alphabet = string.ascii_letters + string.digits + "-_+/=. \n"
    forged = {
        token[:place] + other + token[place + 1 :]
        for place in range(len(token))
        for other in alphabet
    } - {token}

    assert len(forged) > 3000
    assert not [each for each in forged if tokens._read(each) is not None]


@pytest.mark.parametrize("token", ["", "x", "x" * 56, "é" * 56, "=" * 56, "A" * 5600])
def test_what_is_no_token_is_read_as_none(token: str) -> None:
    assert tokens._read(token) is None
    assert tokens._read(tokens.token_make(HELD) + token) is None or token == ""


def test_another_fence_job_or_time_is_another_token() -> None:
    others = [
        Held(HELD.job_id, 8, HELD.span),
        Held(uuid7(), 7, HELD.span),
        Held(HELD.job_id, 7, timedelta(seconds=91)),
    ]
    assert len({tokens.token_make(held) for held in (HELD, *others)}) == 4


def test_a_rotated_key_fences_nobody_while_it_is_a_fallback(settings: Settings) -> None:
    token = tokens.token_make(HELD)
    old = settings.SECRET_KEY

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key " * 4, [old]
    assert tokens._read(token) == HELD
    assert tokens.token_make(HELD) != token

    settings.SECRET_KEY_FALLBACKS = []
    assert tokens._read(token) is None
