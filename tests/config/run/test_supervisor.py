"""Real processes: passed on, started again, stopped together, never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.run import supervisor as module
from config.run.plan import ROOT
from config.run.supervisor import RunEnded, Supervisor

pytestmark = pytest.mark.process

PATIENCE_S = 30.0
FOREVER = "sleep 1000"


class Heard:
    """What a supervisor passes on and says."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.said: list[str] = []

    def of(self, name: str) -> list[str]:
        return [line for who, line in self.lines if who == name]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def supervisor(heard: Heard, tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(
        tmp_path, write=lambda name, line: heard.lines.append((name, line)), say=heard.said.append
    )
    yield made
    made.stop(0)


def until(supervisor: Supervisor, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        supervisor.tick(0.02)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_lines_of_both_streams_are_passed_on_whole(
    supervisor: Supervisor, heard: Heard, tmp_path: Path
) -> None:
    script = "printf 'one\\ntw'; printf 'o\\n'; echo three >&2; printf '\\377 last'"
    (tmp_path / "speak").write_text(script)
    task = supervisor.start("a", "sh speak", os.environ, is_task=True)
    until(supervisor, lambda: task.status is not None)
    assert heard.of("a") == ["one", "two", "three", "\N{REPLACEMENT CHARACTER} last"]


def test_a_process_gets_the_environment_that_it_was_given(
    supervisor: Supervisor, heard: Heard, tmp_path: Path
) -> None:
    task = supervisor.start("a", "env", {"PORT": "8123", "PATH": os.defpath}, is_task=True)
    until(supervisor, lambda: task.status is not None)
    assert "PORT=8123" in heard.of("a")
    assert f"PWD={tmp_path.resolve()}" in heard.of("a")


def test_a_task_that_fails_has_its_status_and_is_not_repeated(supervisor: Supervisor) -> None:
    task = supervisor.start("a", "sh -c 'exit 3'", os.environ, is_task=True)
    until(supervisor, lambda: task.status is not None)
    supervisor.tick(0)
    assert (task.status, task.process) == (3, None)


def test_a_killed_process_is_started_again(supervisor: Supervisor, heard: Heard) -> None:
    child = supervisor.start("worker", FOREVER, os.environ)
    assert child.process
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    until(supervisor, lambda: child.process is not None and child.process.pid != first)
    assert heard.said == ["worker was ended by SIGKILL; it starts again in 0.5 s"]


def test_a_process_that_does_not_stay_up_ends_the_run(
    supervisor: Supervisor, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0, 0, 0))
    supervisor.start("web", "sh -c 'echo no; exit 7'", os.environ)
    with pytest.raises(RunEnded, match="web ended with status 7, 3 times in a row") as ended:
        until(supervisor, lambda: False)
    assert ended.value.name == "web"
    assert heard.of("web") == ["no"] * 3


def test_an_end_after_a_long_life_is_the_first_of_its_row(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0, 0, 0))
    monkeypatch.setattr(module, "SOON_S", 0)
    child = supervisor.start("web", "true", os.environ)
    starts: list[float] = []

    def started_often() -> bool:
        if child.started_at not in starts:
            starts.append(child.started_at)
        return len(starts) > module.FAILURES + 2

    until(supervisor, started_often)
    assert child.failures == 1


def test_a_stop_is_polite_first(supervisor: Supervisor, heard: Heard) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    supervisor.start("polite", f'sh -c "{script}"', os.environ)
    until(supervisor, lambda: heard.of("polite") == ["up"])
    assert supervisor.stop(PATIENCE_S) == []
    assert heard.of("polite") == ["up", "bye"]


def test_what_does_not_listen_is_killed_with_its_children(
    supervisor: Supervisor, heard: Heard
) -> None:
    script = "trap '' TERM; sleep 1000 & echo \\$!; while :; do sleep 0.05; done"
    child = supervisor.start("deaf", f'sh -c "{script}"', os.environ)
    until(supervisor, lambda: heard.of("deaf"))
    assert child.process
    pids = [child.process.pid, int(heard.of("deaf")[0])]
    assert supervisor.stop(0.2) == ["deaf"]
    until(supervisor, lambda: all(map(is_gone, pids)))


PARENT = """
import os, pathlib
from config.run.supervisor import Supervisor
made = Supervisor(pathlib.Path.cwd(), write=lambda name, line: print(line, flush=True), say=print)
made.start("child", "sh -c 'echo $$; exec sleep 1000'", os.environ)
while True:
    made.tick()
"""


def test_children_end_with_a_supervisor_that_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert not is_gone(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not is_gone(child):
        assert time.monotonic() < deadline
        pause.wait(0.02)
