"""The one clock."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from lib import clock


def test_now_is_the_moment_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


def test_a_shift_moves_the_clock_and_ends() -> None:
    with clock.shift(timedelta(days=3)):
        ahead = clock.now() - datetime.now(UTC)
        assert timedelta(days=3) - timedelta(seconds=1) < ahead <= timedelta(days=3)
        assert clock.offset() == timedelta(days=3)
    assert clock.offset() == clock.ZERO


def test_shifts_nest_and_survive_an_error() -> None:
    with clock.shift(timedelta(hours=2)), clock.shift(timedelta(minutes=-30)):
        assert clock.offset() == timedelta(hours=1, minutes=30)
    with pytest.raises(ZeroDivisionError), clock.shift(timedelta(hours=2)):
        _ = 1 / 0
    assert clock.offset() == clock.ZERO


@pytest.mark.parametrize(("written", "seconds"), [("86400", 86_400), ("-1.5", -1.5), ("", 0)])
def test_a_process_starts_with_the_offset_of_its_environment(written: str, seconds: float) -> None:
    program = "from lib import clock; print(clock.offset().total_seconds())"
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "CLOCK_OFFSET_SECONDS": written},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(said.stdout) == seconds
