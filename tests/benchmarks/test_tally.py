"""The instrument of the benchmarks: what counts, and from when."""

import os
from pathlib import Path

import pytest

from benchmarks import tally
from benchmarks.tally import Tally, Timeline

SECOND = 1_000_000_000


@pytest.mark.unit
def test_the_clock_starts_when_every_worker_has_run_a_job() -> None:
    timeline = Timeline(
        times=(1 * SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND, 6 * SECOND),
        pids=(10, 10, 11, 10, 11),
        runs=(1, 1, 1, 1, 1),
    )

    assert timeline.window(2) == (2, 3.0)
    assert timeline.window(1) == (4, 5.0)


@pytest.mark.unit
def test_a_worker_that_never_ran_a_job_voids_the_run() -> None:
    timeline = Timeline(times=(SECOND, 2 * SECOND), pids=(10, 10), runs=(1, 1))

    with pytest.raises(ValueError, match="only 1 of 2"):
        timeline.window(2)


@pytest.mark.unit
def test_lost_and_repeated_jobs_are_counted() -> None:
    timeline = Timeline(times=(SECOND, 0, 2 * SECOND), pids=(10, 0, 11), runs=(1, 0, 3))

    assert (timeline.missing(), timeline.repeated(), timeline.processes()) == (1, 1, 2)


def test_marks_of_a_forked_worker_carry_its_own_process_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Tally(tmp_path / "tally", 3)
    monkeypatch.setattr(tally, "_here", tally._Here())  # a process marks one table in its life
    monkeypatch.setenv(tally.VARIABLE, str(table.path))
    tally.mark(0)
    child = os.fork()
    if child == 0:
        tally.mark(1)
        os._exit(0)
    os.waitpid(child, 0)
    tally.mark(0)

    timeline = table.timeline()
    assert timeline.pids == (os.getpid(), child, 0)
    assert timeline.runs == (2, 1, 0)
    assert table.ran() == 2
