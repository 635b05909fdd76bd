"""How many messages go together, by the pace that the bot has."""

import pytest
from pytest_django.fixtures import Settings

from notifications.telegram import governor


@pytest.mark.parametrize(("rate", "pack"), [(1, 3), (30, 3), (40, 4), (1000, 100)])
def test_a_pack_is_a_tenth_of_a_second_and_never_less_than_three(
    settings: Settings, rate: int, pack: int
) -> None:
    settings.TELEGRAM_RATE = rate
    assert governor.pack() == pack


@pytest.mark.django_db
def test_two_packs_may_leave_together_and_the_third_waits(settings: Settings) -> None:
    settings.TELEGRAM_RATE = 40
    assert governor.take(governor.pack()) is None
    assert governor.take(governor.pack()) is None
    assert governor.take(governor.pack()) is not None
