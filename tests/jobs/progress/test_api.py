"""The same by REST, and the page."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from jobs.progress.snapshot import Stage
from lib.ids import uuid7
from tests.jobs.progress.kinds import STEER, VIEW, Digging

pytestmark = pytest.mark.django_db

Account = Callable[..., User]


@pytest.fixture
def olga(client: Client, account: Account) -> User:
    """She may look and steer, and is logged in."""
    user = account("olga", VIEW, STEER)
    client.force_login(user)
    return user


def api(digging: Digging, end: str = "") -> str:
    return f"/api/v1/progress/{digging.now.id}{end}"


def test_a_look_tells_all_and_what_the_caller_may_do(
    digging: Digging, client: Client, olga: User, account: Account
) -> None:
    found = client.get(api(digging)).json()
    assert (found["percent"], found["stage"], found["actions"]) == (
        50.0,
        "running",
        ["pause", "blow_up"],
    )
    assert found["reasons"] == [{"text": "hit a rock", "count": 1, "fate": "failed"}]
    client.force_login(account("nina", VIEW))
    assert client.get(api(digging)).json()["actions"] == []


def test_doors_are_closed_to_strangers_and_to_those_without_permission(
    digging: Digging, client: Client, account: Account
) -> None:
    for end, method in (("", "get"), ("/actions/pause", "post"), ("/tickets", "post")):
        client.logout()
        assert getattr(client, method)(api(digging, end)).status_code == 401
        client.force_login(User.objects.filter(username="eve").first() or account("eve"))
        refused = getattr(client, method)(api(digging, end))
        assert (refused.status_code, VIEW in refused.json()["detail"]) == (403, True)
    assert digging.paused_by is None


def test_an_unknown_operation_is_404_to_those_who_are_known(
    digging: Digging, client: Client, olga: User
) -> None:
    answer = client.get(f"/api/v1/progress/{uuid7()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "operation_unknown")
    client.logout()
    assert client.get(f"/api/v1/progress/{uuid7()}").status_code == 401


def test_an_act_answers_with_the_look_after_it(
    digging: Digging, client: Client, olga: User
) -> None:
    answer = client.post(api(digging, "/actions/pause"))
    assert (answer.status_code, answer.json()["stage"]) == (200, "paused")
    again = client.post(api(digging, "/actions/pause"))
    assert (again.status_code, again.json()["code"]) == (409, "act_impossible")
    assert digging.paused_by == olga


def test_what_the_operation_refuses_is_told_in_its_words(
    digging: Digging, client: Client, olga: User
) -> None:
    answer = client.post(api(digging, "/actions/blow_up"))
    assert (answer.status_code, answer.json()["detail"]) == (409, "Not today.")


def test_who_may_only_look_cannot_act(digging: Digging, client: Client, account: Account) -> None:
    client.force_login(account("nina", VIEW))
    answer = client.post(api(digging, "/actions/pause"))
    assert (answer.status_code, STEER in answer.json()["detail"]) == (403, True)


def test_an_act_of_a_session_needs_the_csrf_token(digging: Digging, olga: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(olga)
    assert strict.post(api(digging, "/actions/pause")).json()["code"] == "csrf_failed"


def test_a_ticket_is_given_to_those_who_may_look(
    digging: Digging, client: Client, olga: User
) -> None:
    answer = client.post(api(digging, "/tickets"))
    assert answer.status_code == 201
    assert set(answer.json()) == {"ticket", "expires_at"}


def test_the_page_asks_strangers_to_log_in_and_comes_back(digging: Digging, client: Client) -> None:
    page = f"/progress/{digging.now.id}"
    answer = client.get(page)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={page}")


def test_the_page_is_closed_to_those_without_permission(
    digging: Digging, client: Client, account: Account
) -> None:
    client.force_login(account("eve", STEER))
    assert client.get(f"/progress/{digging.now.id}").status_code == 403
    client.force_login(account("nina", VIEW))
    assert client.get(f"/progress/{uuid7()}").status_code == 404


def test_the_page_shows_its_numbers_without_any_script(
    digging: Digging, client: Client, olga: User
) -> None:
    digging.set(note="The ground is <hard>.")
    answer = client.get(f"/progress/{digging.now.id}")
    html = answer.content.decode()
    for words in (
        "Holes along the road",
        "5 of 10 holes",
        "digging",
        "The ground is &lt;hard&gt;.",
    ):
        assert words in html
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]


def test_an_operation_that_is_not_counted_yet_says_so(
    digging: Digging, client: Client, olga: User
) -> None:
    digging.set(total=None)
    assert "It is being counted." in client.get(f"/progress/{digging.now.id}").content.decode()
    digging.set(stage=Stage.WAITING, state="scheduled")
    assert "It is not counted yet." in client.get(f"/progress/{digging.now.id}").content.decode()


def test_with_open_identity_everybody_sees_the_page(
    digging: Digging, client: Client, settings: Settings
) -> None:
    settings.OPEN_IDENTITY = True
    assert client.get(f"/progress/{digging.now.id}").status_code == 200
    assert client.post(api(digging, "/actions/pause")).status_code == 200


def test_a_look_is_cheap(
    digging: Digging,
    client: Client,
    olga: User,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    client.get(api(digging))
    with django_assert_max_num_queries(4):  # type: ignore[attr-defined]
        client.get(api(digging))  # session, user, two for permissions
