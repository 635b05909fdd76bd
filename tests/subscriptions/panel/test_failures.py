"""Every way in which the panel, or somebody before it, may fail us."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from subscriptions.panel import errors
from subscriptions.panel.client import PanelClient
from subscriptions.panel.types import PanelStatus
from tests.lib.wire import Wire, answering, reset, silent
from tests.subscriptions.panel import bodies
from tests.subscriptions.panel.stage import TOKEN, Stage

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def read(client: PanelClient) -> Any:
    return client.user(1042)


def write(client: PanelClient) -> Any:
    return client.user_update(1042, expire_at=LATER)


UNAUTHORIZED = {"message": "Unauthorized", "statusCode": 401}
NO_SCOPE = {"message": "Forbidden resource", "error": "Forbidden", "statusCode": 403}
CRASH = {"statusCode": 500, "message": "Internal server error"}
GONE = bodies.business_error("A063", "User with specified params not found")
NO_USER = bodies.business_error("A025", "User not found")
EXISTS = bodies.business_error("A019", "User username already exists")
CLASH = bodies.business_error("A039", "Update user error")
HTML = b"<html><h1>502 Bad Gateway</h1></html>"


@pytest.mark.parametrize(
    ("call", "status", "body", "error"),
    [
        (read, 401, UNAUTHORIZED, errors.PanelDenied),
        (write, 401, UNAUTHORIZED, errors.PanelDenied),
        (read, 403, NO_SCOPE, errors.PanelDenied),
        (read, 403, bodies.business_error("E000", "Forbidden"), errors.PanelDenied),
        (read, 403, HTML, errors.PanelDenied),
        (read, 404, GONE, errors.PanelMissing),
        (write, 404, NO_USER, errors.PanelMissing),
        (read, 404, bodies.no_route("GET", "/api/users/1042"), errors.PanelHeld),
        (write, 404, bodies.no_route("PATCH", "/api/users"), errors.PanelHeld),
        (read, 404, HTML, errors.PanelAway),
        (read, 404, {"message": "not here"}, errors.PanelAway),
        (read, 400, bodies.validation_error("userId"), errors.PanelRefused),
        (write, 400, bodies.validation_error("expireAt"), errors.PanelRefused),
        (write, 400, EXISTS, errors.PanelRefused),
        (write, 400, {"message": "Bad JSON", "statusCode": 400}, errors.PanelRefused),
        (write, 409, bodies.business_error("A054", "No enabled nodes"), errors.PanelRefused),
        (write, 413, HTML, errors.PanelRefused),
        (read, 429, HTML, errors.PanelBusy),
        (write, 429, {"message": "Too many"}, errors.PanelBusy),
        (read, 500, CRASH, errors.PanelAway),
        (write, 500, CRASH, errors.PanelUnknown),
        (read, 500, CLASH, errors.PanelAway),
        (write, 500, CLASH, errors.PanelFailed),
        (write, 500, bodies.business_error("A089", "not allowed"), errors.PanelRefused),
        (read, 502, HTML, errors.PanelAway),
        (write, 502, HTML, errors.PanelUnknown),
        (read, 503, HTML, errors.PanelAway),
        (write, 503, HTML, errors.PanelAway),
        (write, 503, {"message": "down"}, errors.PanelAway),
        (write, 504, HTML, errors.PanelUnknown),
        (write, 408, HTML, errors.PanelUnknown),
        (read, 302, b"", errors.PanelAway),
        (write, 302, b"", errors.PanelAway),
        (read, 200, HTML, errors.PanelAway),
        (write, 200, HTML, errors.PanelUnknown),
        (read, 200, b'{"response": ', errors.PanelAway),
    ],
)
def test_an_answer_means_what_the_caller_has_to_do(
    stage: Stage,
    client: PanelClient,
    call: Callable[[PanelClient], Any],
    status: int,
    body: Any,
    error: type[errors.PanelError],
) -> None:
    stage.say(body, status=status)
    with pytest.raises(errors.PanelError) as caught:
        call(client)
    assert type(caught.value) is error
    assert len(stage.asked) == 1  # whatever it was, it was asked once


def test_the_error_says_what_the_panel_said_and_not_the_token(
    stage: Stage, client: PanelClient
) -> None:
    stage.say(bodies.business_error("A019", f"exists, by Bearer {TOKEN}"), status=400)
    with pytest.raises(errors.PanelRefused) as caught:
        write(client)
    assert (caught.value.status, caught.value.code) == (400, "A019")
    assert "exists" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_validation_names_the_fields_and_not_the_wording(
    stage: Stage, client: PanelClient
) -> None:
    stage.say(bodies.validation_error("fields", "expireAt"), status=400)
    with pytest.raises(errors.PanelRefused, match=r"validation.*fields\.expireAt"):
        write(client)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("soon", 5), ("0", 5), ("99999", 300)])
def test_a_429_is_waited_out_as_long_as_it_says(
    stage: Stage, client: PanelClient, header: str, seconds: int
) -> None:
    stage.say(HTML, status=429, headers={"Retry-After": header})
    with pytest.raises(errors.PanelBusy) as caught:
        write(client)
    assert caught.value.retry_after == timedelta(seconds=seconds)


def test_a_connection_cut_after_the_request_leaves_a_write_unknown(
    stage: Stage, client: PanelClient
) -> None:
    stage.cut()
    with pytest.raises(errors.PanelUnknown):
        write(client)
    stage.cut()
    with pytest.raises(errors.PanelAway):
        read(client)
    assert len(stage.asked) == 2


def test_a_refused_connection_means_that_nothing_was_done(closed_port: int) -> None:
    client = PanelClient(f"http://127.0.0.1:{closed_port}", TOKEN)
    with pytest.raises(errors.PanelAway):
        write(client)


def test_a_panel_that_drops_whoever_comes_past_its_proxy_is_away() -> None:
    with Wire(reset) as wire, pytest.raises(errors.PanelAway):
        PanelClient(wire.url, TOKEN, has_proxy_headers=False).metadata()


def test_a_silent_panel_is_given_up() -> None:
    with Wire(silent) as wire, pytest.raises(errors.PanelAway):
        PanelClient(wire.url, TOKEN, read_timeout_s=0.1, total_timeout_s=0.5).metadata()


def test_an_empty_200_is_no_answer() -> None:
    with Wire(answering(b"")) as wire, pytest.raises(errors.PanelAway):
        PanelClient(wire.url, TOKEN).metadata()


def test_what_differs_holds_the_writes_and_not_the_reads(stage: Stage, client: PanelClient) -> None:
    raw = bodies.user()
    raw["expiresAt"] = raw.pop("expireAt")
    stage.say(raw)
    with pytest.raises(errors.PanelHeld, match=r"user\.expireAt is missing"):
        read(client)
    with pytest.raises(errors.PanelHeld, match=r"user\.expireAt is missing"):
        write(client)
    assert [asked.method for asked in stage.asked] == ["GET"]  # the write never went out
    stage.say([bodies.NODE])
    assert len(client.nodes()) == 1


def test_a_write_whose_answer_differs_may_have_been_done(stage: Stage, client: PanelClient) -> None:
    stage.say({"id": 1042})
    with pytest.raises(errors.PanelUnknown):
        write(client)
    assert client.contract.held() is not None


def test_an_answer_about_somebody_else_is_trusted_by_nobody(
    stage: Stage, client: PanelClient
) -> None:
    stage.say(bodies.user(id=7))
    with pytest.raises(errors.PanelHeld, match="about user 7 when asked for 1042"):
        read(client)
    with pytest.raises(errors.PanelHeld):
        write(client)


@pytest.mark.parametrize(
    ("method", "code", "status"),
    [
        ("user_disable", "A029", PanelStatus.DISABLED),
        ("user_enable", "A030", PanelStatus.ACTIVE),
    ],
)
def test_what_is_so_already_is_done(
    stage: Stage, client: PanelClient, method: str, code: str, status: PanelStatus
) -> None:
    stage.say(bodies.business_error(code, "already"), status=400)
    stage.say(bodies.user(status=status))
    assert getattr(client, method)(1042).status is status


def test_who_is_gone_is_deleted(stage: Stage, client: PanelClient) -> None:
    stage.say(status=204)
    stage.say(NO_USER, status=404)
    assert (client.user_delete(1042), client.user_delete(1042)) == (True, False)


@pytest.mark.parametrize("body", [HTML, bodies.no_route("DELETE", "/api/users/1042")])
def test_a_404_of_somebody_else_deletes_nobody(
    stage: Stage, client: PanelClient, body: Any
) -> None:
    stage.say(body, status=404)
    with pytest.raises((errors.PanelAway, errors.PanelHeld)):
        client.user_delete(1042)
