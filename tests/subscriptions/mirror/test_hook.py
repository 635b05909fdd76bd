"""Webhooks of the panel: proved, written down first, and followed by asking the panel itself."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from jobs.testing import drain, jobs_of
from payments.intake.replaying import webhook_replay
from payments.models import IncomingWebhook, Intake
from subscriptions.mirror import hints, hook
from subscriptions.mirror.hints import hints_follow
from subscriptions.models import CutBy, PanelHint, Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelAway, PanelBusy, PanelDenied, PanelError
from tests.panels import SECRET
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.mirror.helping import known, perform, story, versions, whole_pass
from tests.subscriptions.panel import bodies

AT = "2026-11-20T12:00:30.123Z"


def delivery(event: str = "user.modified", **data: Any) -> bytes:
    told = {"scope": event.partition(".")[0], "event": event, "timestamp": AT, "data": data}
    return json.dumps(told | {"meta": None}, ensure_ascii=False).encode()


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def post(client_of_web: Client, settings: Settings) -> Any:
    settings.REMNAWAVE_WEBHOOK_SECRET = SECRET

    def send(body: bytes, signature: str | None = None) -> Any:
        given = signed(body) if signature is None else signature
        return client_of_web.post(
            "/webhooks/remnawave/",
            data=body,
            content_type="application/json",
            headers={"X-Remnawave-Signature": given, "User-Agent": "Remnawave"},
        )

    return send


@pytest.fixture
def client_of_web() -> Client:
    return Client()


def test_the_signature_is_that_of_the_contract(settings: Settings) -> None:
    """The test vector of the contract: hex HMAC-SHA256 of the raw bytes."""
    settings.REMNAWAVE_WEBHOOK_SECRET = "SampleSecret" * 5 + "0000"
    body = '{"scope":"user","event":"user.expired","имя":"Ж"}'.encode()
    made = hmac.new(settings.REMNAWAVE_WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert hook.signature_ok(body, {hook.SIGNATURE: made}) is True
    assert hook.signature_ok(body + b" ", {hook.SIGNATURE: made}) is False
    assert hook.signature_ok(body, {hook.SIGNATURE: made.upper()}) is False
    assert hook.signature_ok(body, {hook.SIGNATURE: "ж"}) is False
    assert hook.signature_ok(body, {}) is False


def test_without_the_secret_nobody_can_tell(settings: Settings) -> None:
    settings.REMNAWAVE_WEBHOOK_SECRET = ""
    assert hook.signature_ok(b"{}", {hook.SIGNATURE: "x"}) is None


def test_what_is_said_of_a_user_is_a_row_and_a_hint_before_it_is_answered(post: Any) -> None:
    assert post(delivery(id=7)).status_code == 200
    row = IncomingWebhook.objects.get()
    assert (row.source, row.kind, row.event) == ("remnawave", "user_event", "user.modified")
    assert (row.state, row.object_ref) == (Intake.PROCESSED, "panel_user:7")
    assert row.processed_at == row.received_at
    assert bytes(row.body) == delivery(id=7)
    assert not jobs_of("subscriptions.process_panel_webhook")
    assert PanelHint.objects.get().panel_id == 7
    assert len(jobs_of("subscriptions.read_back")) == 1


def test_what_is_said_of_a_server_is_a_row_and_a_job_before_it_is_answered(post: Any) -> None:
    assert post(delivery("node.connection_lost", uuid=bodies.NODE["uuid"])).status_code == 200
    assert IncomingWebhook.objects.get().state == Intake.RECEIVED
    assert len(jobs_of("subscriptions.process_panel_webhook")) == 1


def test_many_webhooks_about_one_user_are_one_reading(post: Any) -> None:
    for number in range(5):
        post(delivery(id=7, note=number))
    assert PanelHint.objects.count() == 1
    assert len(jobs_of("subscriptions.read_back")) == 1


def test_a_replay_has_the_user_read_back_again(post: Any) -> None:
    post(delivery("user.expired", id=7))
    PanelHint.objects.all().delete()
    assert webhook_replay(webhook_id=IncomingWebhook.objects.get().pk, by=None) == "started"
    assert IncomingWebhook.objects.get().state == Intake.RECEIVED
    perform("subscriptions.process_panel_webhook", webhook_id=IncomingWebhook.objects.get().pk)
    assert IncomingWebhook.objects.get().state == Intake.PROCESSED
    assert PanelHint.objects.get().panel_id == 7


def test_a_forged_delivery_is_refused_and_moves_nothing(post: Any) -> None:
    assert post(delivery(id=7), signature=signed(delivery(id=7), "other")).status_code == 401
    assert post(delivery(id=7), signature="").status_code == 401
    drain()
    assert not PanelHint.objects.exists()
    assert set(IncomingWebhook.objects.values_list("state", flat=True)) == {Intake.REJECTED}


def test_the_same_delivery_again_is_a_duplicate(post: Any) -> None:
    for _ in range(3):
        assert post(delivery(id=7)).status_code == 200
    states = IncomingWebhook.objects.values_list("state", flat=True)
    assert sorted(states) == [Intake.DUPLICATE, Intake.DUPLICATE, Intake.PROCESSED]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"scope": "user"}', b'{"scope": 1, "event": "x"}', b'"text"']
)
def test_a_signed_body_that_is_none_of_the_panel_is_kept_and_told(post: Any, body: bytes) -> None:
    assert post(body).status_code == 200
    assert IncomingWebhook.objects.get().state == Intake.REJECTED


@pytest.mark.parametrize(
    ("event", "data", "state"),
    [
        ("user.expired", {"id": 7}, Intake.PROCESSED),
        ("user.deleted", {"id": 7}, Intake.PROCESSED),
        ("user_hwid_devices.added", {"user": {"id": 7}, "hwidUserDevice": {}}, Intake.PROCESSED),
        ("user.modified", {"id": "7"}, Intake.UNMATCHED),
        ("user.modified", {}, Intake.UNMATCHED),
        ("service.panel_started", {"panelVersion": "3.3.2"}, Intake.UNMATCHED),
        ("crm.infra_billing_node_payment_due_today", {}, Intake.UNMATCHED),
        ("node.connection_lost", {"uuid": bodies.NODE["uuid"]}, Intake.PROCESSED),
    ],
)
def test_each_event_is_followed_as_far_as_we_depend_on_it(
    post: Any, event: str, data: dict[str, Any], state: Intake
) -> None:
    post(delivery(event, **data))
    row = IncomingWebhook.objects.get()
    if row.state == Intake.RECEIVED:
        perform("subscriptions.process_panel_webhook", webhook_id=row.pk)
    row.refresh_from_db()
    assert row.state == state
    is_about_user = state == Intake.PROCESSED and event.startswith("user")
    assert PanelHint.objects.filter(panel_id=7).exists() == is_about_user
    assert bool(jobs_of("subscriptions.read_back")) == is_about_user


def test_what_is_said_of_a_server_is_passed_on(post: Any) -> None:
    heard: list[tuple[str, str]] = []

    def hear(sender: Any, event: str, uuid: str, told_at: str, **more: Any) -> None:
        heard.append((event, uuid))

    hook.node_told.connect(hear)
    try:
        post(delivery("node.connection_lost", uuid=bodies.NODE["uuid"]))
        perform("subscriptions.process_panel_webhook", webhook_id=IncomingWebhook.objects.get().pk)
    finally:
        hook.node_told.disconnect(hear)
    assert heard == [("node.connection_lost", bodies.NODE["uuid"])]


def hinted(post: Any, event: str, panel_id: int) -> None:
    """A webhook about a user, up to the point where the panel is asked."""
    post(delivery(event, id=panel_id, status="DISABLED", expireAt="2020-01-01T00:00:00.000Z"))
    assert PanelHint.objects.filter(panel_id=panel_id).exists()


def test_a_deletion_that_never_was_cuts_nobody(
    panel: PanelHand, client: PanelClient, post: Any
) -> None:
    panel.seed(3)
    whole_pass(client)
    before = versions()
    hinted(post, "user.deleted", 2)
    assert perform("subscriptions.read_back") == {"read": 1}
    assert versions() == before
    assert Subscriber.objects.get(panel_id=2).missing_since is None


def test_a_deletion_that_the_panel_confirms_is_written_once(
    panel: PanelHand, client: PanelClient, post: Any
) -> None:
    panel.seed(3)
    whole_pass(client)
    panel.operator(2, "delete")
    hinted(post, "user.deleted", 2)
    perform("subscriptions.read_back")
    row = Subscriber.objects.get(panel_id=2)
    assert row.missing_since is not None
    assert story(row.username) == ["panel_gone"]
    whole_pass(client)
    assert story(row.username) == ["panel_gone"]


@pytest.mark.parametrize(
    ("status", "error"), [(503, PanelAway), (404, PanelAway), (401, PanelDenied), (429, PanelBusy)]
)
def test_a_panel_that_does_not_answer_properly_cuts_nobody(
    panel: PanelHand, client: PanelClient, post: Any, status: int, error: type[PanelError]
) -> None:
    panel.seed(1)
    whole_pass(client)
    hinted(post, "user.deleted", 1)
    panel.fault(kind="status", status=status, body={"message": "not by the panel"}, times=10)
    with pytest.raises(error):
        hints_follow(client)
    assert Subscriber.objects.get().missing_since is None
    assert PanelHint.objects.count() == 1  # asked for again later


def test_a_late_webhook_does_not_bring_an_old_state_back(
    panel: PanelHand, client: PanelClient, post: Any
) -> None:
    """The panel delivers out of order: what the body says is not believed."""
    panel.seed(1, expires_from_s=86_400)
    whole_pass(client)
    before = versions()
    hinted(post, "user.expired", 1)  # of long ago
    perform("subscriptions.read_back")
    assert versions() == before
    assert Subscriber.objects.get().status == "ACTIVE"


def test_the_echo_of_our_own_write_is_recognised(
    panel: PanelHand, client: PanelClient, post: Any
) -> None:
    """Who switches somebody off writes so himself; the webhook about it finds nothing to change."""
    panel.seed(1, expires_from_s=86_400)
    whole_pass(client)
    user = client.user_disable(1)
    Subscriber.objects.update(
        status=user.status, panel_updated_at=user.updated_at, cut_by=CutBy.SWEEP, cut_reason="ours"
    )
    before = versions()
    hinted(post, "user.disabled", 1)
    perform("subscriptions.read_back")
    row = Subscriber.objects.get()
    assert (versions(), row.cut_by, row.cut_reason) == (before, CutBy.SWEEP, "ours")
    assert story(row.username) == []


@pytest.mark.parametrize(
    ("event", "change", "is_read"),
    [
        ("user.disabled", {}, False),
        ("user.modified", {}, False),
        ("user.modified", {"status": "ACTIVE"}, True),
        ("user.modified", {"updatedAt": "2026-11-20T12:00:30.124Z"}, True),
        ("user.modified", {"expireAt": "2036-11-20T12:00:30.000Z"}, True),
        ("user.modified", {"expireAt": "soon"}, True),
        ("user.modified", {"updatedAt": None}, True),
        ("user.modified", {"updatedAt": "2026-11-20T12:00:30"}, True),
        ("user.deleted", {}, True),
        ("user.expired", {}, True),
    ],
)
def test_what_tells_nothing_but_what_the_mirror_has_seen_is_not_read_back(
    panel: PanelHand,
    client: PanelClient,
    post: Any,
    event: str,
    change: dict[str, Any],
    is_read: bool,
) -> None:
    panel.seed(1, expires_from_s=86_400)
    user = client.user_disable(1)
    whole_pass(client)
    said = {"id": 1, "status": "DISABLED", "updatedAt": wire(user.updated_at)}
    post(delivery(event, **{**said, "expireAt": wire(user.expire_at), **change}))
    assert IncomingWebhook.objects.get().state == Intake.PROCESSED
    assert PanelHint.objects.exists() == is_read
    assert bool(jobs_of("subscriptions.read_back")) == is_read


def test_an_echo_of_somebody_who_is_gone_is_read_back(
    panel: PanelHand, client: PanelClient, post: Any
) -> None:
    panel.seed(1, expires_from_s=86_400)
    whole_pass(client)
    row = Subscriber.objects.get()
    Subscriber.objects.update(missing_since=AT)
    assert row.panel_updated_at is not None
    seen = {"updatedAt": wire(row.panel_updated_at), "expireAt": wire(row.expire_at)}
    post(delivery(id=1, status=row.status, **seen))
    assert PanelHint.objects.exists()


def wire(moment: datetime) -> str:
    """As the panel writes moments."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_somebody_new_is_there_as_soon_as_the_panel_says_so(
    panel: PanelHand, client: PanelClient, post: Any
) -> None:
    panel.seed(1)
    whole_pass(client)
    made = panel.add(username="walk_in", expireInSeconds=3600)
    hinted(post, "user.created", made["id"])
    perform("subscriptions.read_back")
    assert known("walk_in").panel_id == made["id"]


def test_many_webhooks_about_many_users_cost_few_requests(
    panel: PanelHand, client: PanelClient
) -> None:
    """200 events in a burst are one page of the stream, not 200 questions."""
    panel.seed(300)
    whole_pass(client)
    for _ in range(3):
        hints.hint(range(1, 201))
    before = panel.stats()["received"]
    assert hints_follow(client) == 200
    assert panel.stats()["received"] - before <= 2
    assert not PanelHint.objects.exists()


def test_a_hint_that_comes_while_others_are_read_is_not_lost(
    panel: PanelHand, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.seed(2)
    whole_pass(client)
    hints.hint([1])
    read = type(client).users_by_ids

    def read_and_hint(self: PanelClient, ids: Any) -> Any:
        found = read(self, ids)
        hints.hint([1])  # the panel changes him after he was read
        return found

    monkeypatch.setattr(type(client), "users_by_ids", read_and_hint)
    hints.hints_follow(client)
    assert PanelHint.objects.filter(panel_id=1).exists()


def test_the_panel_of_the_sandbox_signs_as_we_check(panel: PanelHand, post: Any) -> None:
    """What its HTTP delivery carries is accepted, byte for byte; no server of ours is needed."""
    panel.webhooks_to("http://127.0.0.1:9/", SECRET)
    panel.seed(1)
    panel.operator(1, "disable")
    sent = panel.webhooks(event="user.disabled", body=1)[0]
    body = sent["body"] if isinstance(sent["body"], str) else json.dumps(sent["body"])
    assert post(body.encode()).status_code == 200
    assert IncomingWebhook.objects.get().object_ref == "panel_user:1"
    panel.webhooks_to([], SECRET)
