"""What the command clients are made of."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.backoff import Backoff
from clients.place import place_read
from clients.reads import Reads

pytestmark = pytest.mark.unit


def test_delays_stay_below_a_ceiling_that_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _least, most: most)
    backoff = Backoff()
    assert [backoff.next() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next() == 1


@given(st.integers(0, 2000))
def test_a_delay_is_never_outside_of_its_span(tries: int) -> None:
    backoff = Backoff(tries=tries)
    assert backoff.least_s <= backoff.next() <= backoff.most_s


def test_a_read_stays_until_the_server_knows_it() -> None:
    reads = Reads()
    for each in ("a", "b", "a", "c"):
        reads.add(each)
    assert reads.take(2) == ["a", "b"]
    assert reads.take(9) == ["c"]
    assert reads.take(9) == []
    assert reads.done("b")
    assert not reads.done("b")
    reads.again()
    assert reads.take(9) == ["a", "c"]
    assert len(reads) == 2
    assert "b" not in reads


def test_the_environment_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEV_URL", "DEV_USER_ID", "DEV_LOGIN", "DEV_TOKEN", "PORT"):
        monkeypatch.delenv(name, raising=False)
    place = place_read()
    assert (place.name, place.url, place.headers) == ("1-test_user", "http://127.0.0.1:8000", {})
    monkeypatch.setenv("PORT", "9000")
    assert place_read().websocket_url == "ws://127.0.0.1:9000/ws"
    monkeypatch.setenv("DEV_URL", "https://shop.example/")
    assert place_read().websocket_url == "wss://shop.example/ws"
    monkeypatch.setenv("DEV_TOKEN", "secret")
    assert place_read().headers == {"Authorization": "Bearer secret"}


@pytest.mark.parametrize(
    ("name", "value"), [("DEV_USER_ID", "seven"), ("DEV_USER_ID", "-1"), ("DEV_URL", "ftp://x")]
)
def test_a_wrong_value_stops_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"{name} must .*{value}"):
        place_read()
