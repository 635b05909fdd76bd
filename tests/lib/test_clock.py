"""The one clock."""

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


def test_processes_that_share_a_file_are_moved_together(tmp_path: Path) -> None:
    program = (
        "import sys; from datetime import timedelta; from lib import clock\n"
        "for line in sys.stdin:\n"
        "    if line != '\\n': clock.move(timedelta(seconds=float(line)))\n"
        "    print(clock.offset().total_seconds(), flush=True)\n"
    )
    env = {**os.environ, "CLOCK_FILE": str(tmp_path / "clock"), "CLOCK_OFFSET_SECONDS": "1"}

    def ask(process: subprocess.Popen[str], line: str) -> float:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    with ExitStack() as stack:
        one, other = (
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", program],
                    env=env,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        )
        assert ask(one, "") == ask(other, "") == 1
        assert ask(one, "3600.5") == 3601.5
        assert ask(other, "") == 3601.5
        assert ask(other, "-3600.5") == 1
        assert ask(one, "") == 1


def test_a_clock_without_a_file_is_not_moved_for_others() -> None:
    with pytest.raises(clock.ClockFixed):
        clock.move(timedelta(hours=1))
    assert clock.offset() == clock.ZERO


def test_a_clock_is_not_moved_out_of_the_calendar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    monkeypatch.setattr(clock, "_shared", clock._open_shared())
    for wild in (timedelta(days=40_000), timedelta(days=-40_000)):
        with pytest.raises(ValueError, match="hundred years"):
            clock.move(wild)
    assert clock.offset() == clock.ZERO
