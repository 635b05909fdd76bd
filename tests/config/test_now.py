"""The start page of the admin says first what needs a person."""

from collections.abc import Callable, Iterable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lib import now
from lib.now import Attention, Severity, attention, gather


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of this test alone."""
    monkeypatch.setattr(now, "_sources", {})


@pytest.fixture
def operator(client: Client, account: Callable[..., User]) -> Client:
    client.force_login(account("operator", is_staff=True))
    return client


def page(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_list_is_calm(operator: Client) -> None:
    assert "Nothing needs you now" in page(operator)


def test_what_is_zero_is_nothing(operator: Client) -> None:
    attention()(lambda: Attention("Dead jobs", 0, Severity.CRITICAL))
    assert "Nothing needs you now" in page(operator)


def test_each_thing_is_a_card_that_leads_to_its_place(operator: Client) -> None:
    attention()(lambda: Attention("Dead <jobs>", 1200, Severity.CRITICAL, "/dead/", "Replay."))
    html = page(operator)
    assert "Dead &lt;jobs&gt;" in html
    assert 'href="/dead/"' in html
    assert "1,200" in html
    assert "Replay." in html
    assert "now-critical" in html
    assert "Nothing needs you now" not in html


def test_the_worst_comes_first_then_the_order(account: Callable[..., User]) -> None:
    @attention(order=2)
    def second() -> Iterable[Attention]:
        return [Attention("late", 1, Severity.WARNING), Attention("dead", 1, Severity.CRITICAL)]

    @attention(order=1)
    def first() -> Attention:
        return Attention("early", 1, Severity.WARNING)

    @attention(order=0)
    def notice() -> Attention:
        return Attention("by the way", 1, Severity.NOTICE)

    @attention()
    def nothing() -> None:
        return None

    titles = [item.title for item in gather(account())]
    assert titles == ["dead", "early", "late", "by the way"]


def test_what_one_may_not_see_is_not_shown(account: Callable[..., User]) -> None:
    attention(permission="config.view_ops")(lambda: Attention("Secret", 1, Severity.NOTICE))
    assert gather(account("one")) == []
    assert len(gather(account("other", "config.view_ops"))) == 1


def test_a_source_that_fails_is_shown_and_hides_no_other(
    account: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    @attention()
    def broken() -> Attention:
        raise ZeroDivisionError

    attention()(lambda: Attention("Dead jobs", 1, Severity.CRITICAL))
    titles = [item.title for item in gather(account())]
    assert titles[0] == "Dead jobs"
    assert "broken failed" in titles[1]
    assert any(record.exc_info for record in caplog.records)


def test_the_cards_are_drawn_again_without_the_page(operator: Client) -> None:
    attention()(lambda: Attention("Dead jobs", 3, Severity.CRITICAL))
    answer = operator.get("/admin/now/")
    assert b"Dead jobs" in answer.content
    assert b"<html" not in answer.content


def test_strangers_are_sent_to_the_login(client: Client) -> None:
    for path in ("/admin/", "/admin/now/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")
