"""Webhooks of the panel: signed, repeated three times, lost, late, twice, out of order."""

import hashlib
import hmac
from collections.abc import Iterator

import pytest

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox_tests.panel_api import PanelApi
from tests.sandbox_tests.receiver import Receiver

SECRET = "SampleSecretSampleSecretSampleSecret0000"


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """Hears all events of a fresh panel."""
    with Receiver() as server:
        sandbox.panel.webhooks_to(server.url, SECRET)
        yield server


def wait_for_tries(sandbox: Sandbox, tries: int) -> None:
    sandbox.wait_for(lambda: sandbox.panel.webhooks()[0]["attempts"] == tries)


def test_a_change_arrives_signed_with_the_user_as_he_is_now(
    sandbox: Sandbox, api: PanelApi, receiver: Receiver
) -> None:
    user = sandbox.panel.add(description="Кириллица")
    sandbox.wait_for(lambda: receiver.arrivals)
    receiver.arrivals.clear()
    api.change("POST", f"users/{user['id']}/actions/disable")
    (arrival,) = sandbox.wait_for(lambda: receiver.arrivals)
    signature = hmac.new(SECRET.encode(), arrival.body, hashlib.sha256).hexdigest()
    assert arrival.headers["X-Remnawave-Signature"] == signature
    assert arrival.headers["User-Agent"] == "Remnawave"
    assert arrival.headers["Content-Type"] == "application/json"
    assert arrival.headers["X-Remnawave-Timestamp"] == arrival.content["timestamp"]
    assert list(arrival.content) == ["scope", "event", "timestamp", "data", "meta"]
    assert (arrival.content["scope"], arrival.content["event"]) == ("user", "user.disabled")
    assert arrival.content["data"] == sandbox.panel.user(user["id"])
    assert arrival.content["meta"] is None


def test_each_change_has_its_event(sandbox: Sandbox, api: PanelApi, receiver: Receiver) -> None:
    made = {"username": "somebody", "expireAt": "2030-01-01T00:00:00Z"}
    user_id = api.change("POST", "users", made)["id"]
    api.change("PATCH", "users", {"id": user_id, "status": "DISABLED"})
    for action, body in (
        ("enable", None),
        ("disable", None),
        ("reset-traffic", None),
        ("revoke", None),
        ("extend", {"days": 1}),
    ):
        api.change("POST", f"users/{user_id}/actions/{action}", body)
    api.change("DELETE", f"users/{user_id}")
    expected = ["created", "modified", "enabled", "disabled", "traffic_reset", "revoked"]
    expected += ["modified", "deleted"]
    sandbox.wait_for(lambda: len(receiver.arrivals) == len(expected))
    assert sorted(receiver.events()) == sorted(f"user.{name}" for name in expected)


def test_a_failed_delivery_is_tried_three_times_more_and_then_lost(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.statuses = [500, 0, 302, 404]
    sandbox.panel.add()
    for tries in (1, 2, 3):
        wait_for_tries(sandbox, tries)
        assert len(receiver.arrivals) == tries
        sandbox.clock_advance(5.1)
    sandbox.wait_for(lambda: sandbox.panel.webhooks(state="lost"))
    assert len(receiver.arrivals) == 4
    assert len({arrival.body for arrival in receiver.arrivals}) == 1


def test_a_retry_that_succeeds_ends_it(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.statuses = [503]
    sandbox.panel.add()
    wait_for_tries(sandbox, 1)
    sandbox.clock_advance(5.1)
    sandbox.wait_for(lambda: sandbox.panel.webhooks(state="delivered"))
    assert len(receiver.arrivals) == 2


def test_nobody_at_the_address_is_a_failure_as_well(sandbox: Sandbox) -> None:
    sandbox.panel.webhooks_to("http://127.0.0.1:9/hook", SECRET)
    sandbox.panel.add()
    delivery = sandbox.wait_for(
        lambda: [item for item in sandbox.panel.webhooks() if item["error"]]
    )[0]
    assert delivery["status"] is None
    assert "Refused" in delivery["error"] or "connect" in delivery["error"].lower()


def test_events_go_to_all_addresses_but_not_the_muted_ones(sandbox: Sandbox) -> None:
    with Receiver() as one, Receiver() as two:
        sandbox.panel.webhooks_to([one.url, two.url], SECRET, muted=["user.created"])
        user = sandbox.panel.add()
        sandbox.panel.operator(user["id"], "disable")
        sandbox.wait_for(lambda: one.arrivals and two.arrivals)
        sandbox.wait_for(lambda: len(sandbox.panel.webhooks(state="delivered")) == 2)
        assert one.events() == two.events() == ["user.disabled"]


def test_events_can_be_lost_on_the_way(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.panel.webhooks_to(receiver.url, SECRET, lost_share=1)
    sandbox.panel.add()
    assert [item["state"] for item in sandbox.panel.webhooks()] == ["dropped"]
    assert receiver.arrivals == []


def test_a_delivery_can_be_repeated_byte_for_byte(sandbox: Sandbox, receiver: Receiver) -> None:
    user = sandbox.panel.add()
    sandbox.wait_for(lambda: receiver.arrivals)
    sandbox.panel.change(user["id"], tag="LATER")
    sandbox.panel.repeat_webhook(sandbox.panel.webhooks()[0]["id"])
    sandbox.wait_for(lambda: len(receiver.arrivals) == 2)
    first, second = receiver.arrivals
    assert first.body == second.body
    with pytest.raises(SandboxFailed, match="webhook 999999 is not kept"):
        sandbox.panel.repeat_webhook(999_999)


def test_any_event_can_be_sent_by_hand(sandbox: Sandbox, receiver: Receiver) -> None:
    user = sandbox.panel.add()
    meta = {"notConnectedAfterHours": 6}
    sandbox.panel.event("user.not_connected", user_id=user["id"], meta=meta)
    sandbox.panel.event("service.panel_started", data={"panelVersion": "3.3.2"})
    sandbox.wait_for(lambda: len(receiver.arrivals) == 3)
    found = {arrival.content["event"]: arrival.content for arrival in receiver.arrivals}
    assert found["user.not_connected"]["meta"] == meta
    assert found["service.panel_started"]["data"] == {"panelVersion": "3.3.2"}
    assert "meta" not in found["service.panel_started"]


def test_an_operator_changes_people_by_the_rules_and_is_heard(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    user = sandbox.panel.add(status="EXPIRED", expireInSeconds=-60)
    changed = sandbox.panel.operator(user["id"], "update", expireAt="2030-01-01T00:00:00Z")
    assert changed["status"] == "ACTIVE"
    later = sandbox.panel.operator(user["id"], "extend", days=1)
    assert later["expireAt"] == "2030-01-02T00:00:00.000Z"
    sandbox.wait_for(lambda: receiver.events().count("user.modified") == 2)
    assert sandbox.panel.writes() == []
    with pytest.raises(SandboxFailed, match="Validation failed"):
        sandbox.panel.operator(user["id"], "update", expireAt="2020-01-01T00:00:00Z")
    with pytest.raises(SandboxFailed, match="action must be one of"):
        sandbox.panel.operator(user["id"], "forget")


def test_a_device_is_announced_without_the_squads_of_its_owner(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    user = sandbox.panel.add()
    sandbox.panel.add_device(user["id"], "A1B2")
    sandbox.wait_for(lambda: "user_hwid_devices.added" in receiver.events())
    content = next(item.content for item in receiver.arrivals if item.content["scope"] != "user")
    assert content["data"]["user"]["activeInternalSquads"] == []
    assert content["data"]["hwidUserDevice"]["userId"] == user["id"]


def test_v2_webhooks_carry_the_uuid(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.panel.dialect("2.8")
    sandbox.panel.add()
    (arrival,) = sandbox.wait_for(lambda: receiver.arrivals)
    assert arrival.content["data"]["uuid"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"urls": ["http://x/"]}, "secret must be a text"),
        ({"urls": "http://x/"}, "urls must be a list"),
        ({"lost_share": -1}, "lost_share must be a number"),
        ({"address": "x"}, "address is unknown"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(
    sandbox: Sandbox, order: dict[str, object], words: str
) -> None:
    with pytest.raises(SandboxFailed, match=words):
        sandbox._call("PUT", "remnawave/webhooks", order)
