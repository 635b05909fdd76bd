"""Turns at the panel: over all processes, given back, and never within a transaction."""

import threading
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from jobs import breakers, rates, sql
from jobs.models import Breaker
from jobs.registry import Rate
from lib import clock
from subscriptions.models import PanelPlace
from subscriptions.panel import errors, limits
from subscriptions.panel.places import NoPlace, place_hold
from tests.subscriptions.panel import bodies
from tests.subscriptions.panel.stage import Stage

SPAN = timedelta(minutes=1)
AT_ONCE = timedelta(0)
FAST = Rate(100_000, "1s", 1000)


def turn(**changes: Any) -> Any:
    return limits.Turns(**{"concurrency": 2, "rate": FAST, "span": SPAN, **changes})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PATIENCE", AT_ONCE)


def test_as_many_places_as_there_are_and_no_more() -> None:
    with ExitStack() as held:
        numbers = [held.enter_context(place_hold(3, span=SPAN, patience=AT_ONCE)) for _ in range(3)]
        assert sorted(numbers) == [1, 2, 3]
        with pytest.raises(NoPlace), place_hold(3, span=SPAN, patience=AT_ONCE):
            pytest.fail("a fourth place was given")
    with place_hold(3, span=SPAN, patience=AT_ONCE) as number:
        assert number == 1


def test_a_place_of_somebody_who_died_is_free_in_time() -> None:
    with place_hold(1, span=timedelta(0), patience=AT_ONCE):  # its time is over at once
        with place_hold(1, span=SPAN, patience=AT_ONCE):
            pass
        # The late one comes back and must not free what is another's by now.
        assert PanelPlace.objects.get(pk=1).token == 2


def test_who_comes_back_late_frees_nobody_elses_place() -> None:
    late = place_hold(1, span=timedelta(0), patience=AT_ONCE)
    late.__enter__()
    with place_hold(1, span=SPAN, patience=AT_ONCE):
        late.__exit__(None, None, None)
        with pytest.raises(NoPlace), place_hold(1, span=SPAN, patience=AT_ONCE):
            pytest.fail("the place was freed by the late one")


@pytest.mark.django_db(transaction=True)
def test_a_place_of_somebody_who_is_killed_is_free_at_once() -> None:
    """Else a worker that dies amid its requests would lock all others out for the span of one."""
    sessions: list[int] = []
    held, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with suppress(DatabaseError), place_hold(1, span=SPAN, patience=AT_ONCE):
            sessions.append(connection.connection.info.backend_pid)
            held.set()
            is_over.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(60)
    try:
        with pytest.raises(NoPlace), place_hold(1, span=SPAN, patience=AT_ONCE):
            pytest.fail("the place of somebody who lives was given away")
        sql.rows("SELECT pg_terminate_backend(%s, 10000)", sessions)
        with place_hold(1, span=SPAN, patience=AT_ONCE) as number:
            assert number == 1
    finally:
        is_over.set()
        holder.join(60)


def test_more_places_are_made_when_the_setting_grows() -> None:
    with (
        place_hold(1, span=SPAN, patience=AT_ONCE),
        place_hold(2, span=SPAN, patience=AT_ONCE) as number,
    ):
        assert number == 2


@pytest.mark.django_db(transaction=True)
def test_threads_never_hold_more_places_than_there_are() -> None:
    inside, most, lock = 0, 0, threading.Lock()
    barrier = threading.Barrier(6)

    def work() -> None:
        nonlocal inside, most
        try:
            barrier.wait(10)
            for _ in range(5):
                with place_hold(2, span=SPAN, patience=timedelta(seconds=30)):
                    with lock:
                        inside += 1
                        most = max(most, inside)
                    sql.rows("SELECT pg_sleep(0.002)")
                    with lock:
                        inside -= 1
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert inside == 0
    assert most <= 2


def test_a_full_house_is_told_as_busy(impatient: None) -> None:
    with turn()(), turn()():
        with pytest.raises(errors.PanelBusy) as caught, turn()():
            pytest.fail("a third turn was given")
        assert caught.value.retry_after > AT_ONCE


def test_background_work_leaves_a_place_to_the_rest(impatient: None) -> None:
    background = turn(concurrency=4, is_background=True)
    with background(), background(), background():
        with pytest.raises(errors.PanelBusy), background():
            pytest.fail("background work took the last place")
        with turn(concurrency=4)():
            pass


def test_a_used_up_rate_is_told_as_busy(impatient: None) -> None:
    slow = turn(rate=Rate(1, "1h", 1))
    with slow():
        pass
    with pytest.raises(errors.PanelBusy) as caught, slow():
        pytest.fail("the rate was exceeded")
    assert caught.value.retry_after > timedelta(minutes=50)


def test_who_finds_no_place_spends_nothing_of_the_rate(impatient: None) -> None:
    slow = turn(concurrency=1, rate=Rate(2, "1h", 2))
    with slow():
        for _ in range(3):
            with pytest.raises(errors.PanelBusy, match="under way"), slow():
                pytest.fail("there was no place")
    with slow():
        pass
    with pytest.raises(errors.PanelBusy, match="as many requests"), slow():
        pytest.fail("the rate was exceeded")


def test_who_is_too_fast_takes_no_place(impatient: None) -> None:
    slow = turn(concurrency=1, rate=Rate(1, "1h", 1))
    with slow():
        pass
    with pytest.raises(errors.PanelBusy), slow():
        pytest.fail("the rate was exceeded")
    assert not PanelPlace.objects.filter(until__gt=clock.now()).exists()


def test_a_429_makes_everybody_wait(impatient: None) -> None:
    with pytest.raises(errors.PanelBusy), turn()():
        raise errors.PanelBusy("429", timedelta(seconds=40))
    wait = rates.paused_until(limits.BUCKET)
    assert wait is not None
    with pytest.raises(errors.PanelBusy), turn()():
        pytest.fail("somebody asked during the pause")


@pytest.mark.parametrize("error", [errors.PanelAway, errors.PanelUnknown])
def test_three_failures_close_the_door_and_nothing_is_asked(error: type[Exception]) -> None:
    for _ in range(breakers.THRESHOLD):
        with pytest.raises(error), turn()():
            raise error("503")
    with pytest.raises(errors.PanelDown) as caught, turn()():
        pytest.fail("a panel that is away was asked")
    assert caught.value.retry_after > AT_ONCE
    assert isinstance(caught.value, breakers.BreakerOpen)  # a job that lets it through is put off


@pytest.mark.parametrize(
    "error",
    [errors.PanelMissing(404, "A063", "gone"), errors.PanelFailed("A039", "clash")],
    ids=["missing", "failed"],
)
def test_an_answer_that_only_says_no_closes_nothing(error: Exception) -> None:
    for _ in range(breakers.THRESHOLD + 1):
        with pytest.raises(type(error)), turn()():
            raise error
    assert not Breaker.objects.exclude(state="closed").exists()


def test_the_panel_is_never_asked_within_a_transaction() -> None:
    with (
        transaction.atomic(),
        pytest.raises(RuntimeError, match="transaction"),
        turn()(),
    ):
        pytest.fail("a transaction would have waited for the panel")


@pytest.fixture
def broken_panel(stage: Stage) -> Stage:
    for _ in range(breakers.THRESHOLD):
        stage.say(b"<html>", status=503)
    return stage


def test_a_client_asks_a_panel_that_is_away_no_more(broken_panel: Stage) -> None:
    client = broken_panel.client(turn=turn())
    for _ in range(breakers.THRESHOLD):
        with pytest.raises(errors.PanelAway):
            client.user(1042)
    with pytest.raises(errors.PanelDown):
        client.user(1042)
    assert len(broken_panel.asked) == breakers.THRESHOLD


def test_places_are_given_back_whatever_happens(stage: Stage, impatient: None) -> None:
    client = stage.client(turn=turn(concurrency=1))
    stage.say(b"<html>", status=503)
    stage.say(bodies.user())
    with pytest.raises(errors.PanelAway):
        client.user(1042)
    assert client.user(1042).id == 1042


def test_a_visit_is_one_place_and_the_pace_of_all_its_requests(impatient: None) -> None:
    pace = turn(concurrency=1, rate=Rate(3, "1h", 1))
    with pace.visit(3):
        for _ in range(3):
            with pace():
                assert PanelPlace.objects.filter(until__gt=clock.now()).count() == 1
    with pytest.raises(errors.PanelBusy, match="as many requests"), pace():
        pytest.fail("the rate was exceeded")
    assert not PanelPlace.objects.filter(until__gt=clock.now()).exists()


def test_requests_of_a_visit_ask_the_database_for_nothing(
    django_assert_num_queries: Any,
) -> None:
    pace = turn()
    with pace.visit(2):
        breakers.wait_for("remnawave")  # looked at once in a while
        with django_assert_num_queries(0), pace(), pace():
            pass


def test_what_a_visit_did_not_allow_takes_its_own_turn(impatient: None) -> None:
    pace = turn(concurrency=1)
    with pace.visit(1):
        with pace():
            pass
        with pytest.raises(errors.PanelBusy, match="under way"), pace():
            pytest.fail("a second request went out on one turn")


def test_a_visit_that_lasts_takes_turns_again(impatient: None) -> None:
    pace = turn(concurrency=1, span=timedelta(0))
    with pace.visit(5):
        assert not pace._visits.take()  # its place may be another's by now


def test_a_visit_is_of_its_thread(impatient: None) -> None:
    pace = turn(concurrency=1)
    taken: list[bool] = []
    with pace.visit(2):
        other = threading.Thread(target=lambda: taken.append(pace._visits.take()))
        other.start()
        other.join(10)
    assert taken == [False]


def test_a_visit_that_fails_leaves_nothing_behind(impatient: None) -> None:
    pace = turn(concurrency=1)
    with pytest.raises(errors.PanelBusy), pace.visit(3), pace():
        raise errors.PanelBusy("429", timedelta(seconds=40))
    assert not pace._visits.take()
    assert not PanelPlace.objects.filter(until__gt=clock.now()).exists()


def test_a_visit_waits_for_a_panel_that_is_away_like_a_request() -> None:
    for _ in range(breakers.THRESHOLD):
        with pytest.raises(errors.PanelAway), turn()():
            raise errors.PanelAway("503")
    with pytest.raises(errors.PanelDown), turn().visit(3):
        pytest.fail("a panel that is away was visited")
