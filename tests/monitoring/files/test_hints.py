"""The window: it closes when nothing more happens, and memory stays as it is."""

import threading

import pytest

from monitoring.files import hints
from monitoring.files.hints import Hints

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(hints, "time", clock)
    return clock


@pytest.fixture
def window(time: Clock) -> Hints:
    return Hints(500, threading.Event())


def test_nothing_happened_nothing_is_due(window: Hints) -> None:
    assert window.due_at is None


def test_each_event_puts_the_end_off(window: Hints, time: Clock) -> None:
    window.add(["a"])
    time.now += 0.3
    window.add(["b"])
    assert window.due_at == pytest.approx(1000.8)
    assert window.take().paths == frozenset({"a", "b"})
    assert window.due_at is None


def test_but_not_for_ever(window: Hints, time: Clock) -> None:
    for _ in range(100):
        window.add(["log"])
        time.now += 0.1
    assert window.due_at == pytest.approx(1005.0)


def test_a_long_debounce_may_be_put_off_longer(time: Clock) -> None:
    window = Hints(2_000, threading.Event())
    for _ in range(300):
        window.add(["log"])
        time.now += 0.1
    assert window.due_at == pytest.approx(1020.0)


def test_too_many_paths_become_a_look_at_everything(window: Hints) -> None:
    window.add(str(number) for number in range(hints.MOST))
    window.add(["one more"])
    window.add(["and another"])
    assert window.take().paths is None
    window.add(["a"])
    assert window.take().paths == frozenset({"a"})


def test_a_look_at_once_is_due_whatever_happens(window: Hints, time: Clock) -> None:
    window.add_whole(at_once=True)
    window.add(["a"])
    due = window.due_at
    assert due is not None
    assert due <= time.now
    assert window.take().paths is None


def test_whoever_waits_is_woken(time: Clock) -> None:
    wake = threading.Event()
    Hints(500, wake).add(["a"])
    assert wake.is_set()
