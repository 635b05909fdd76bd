"""What a socket is told and what it may say, over real sockets of a real web process."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing

from tests.processes.pod import Pod
from tests.processes.site import Site
from tests.processes.sockets import Socket
from tests.processes.waiting import until

pytestmark = pytest.mark.process

ALICE, BOB = (1, "alice"), (2, "bob")


@pytest.fixture(scope="module")
def pod(scratch_site: Site) -> Iterator[Pod]:
    pod = Pod(scratch_site, "sockets", WS_MAX_PER_USER="4", WS_ORIGINS="https://shop.example")
    try:
        yield pod.wait_ready()
        assert pod.errors() == []
    finally:
        pod.end()


@pytest.fixture
def person(request: pytest.FixtureRequest) -> tuple[int, str]:
    """Somebody whom no other test knows."""
    return abs(hash(request.node.nodeid)) % 10**12 + 1000, request.node.name[:100]


def test_who_connects_gets_what_is_pending_first_then_the_rest_then_what_comes(
    pod: Pod, person: tuple[int, str]
) -> None:
    ids = [pod.notify(f"m{n}", person)[0] for n in range(6)]
    with Socket(pod, person) as first:
        first.wait_for("notification.push", 6)
        for notification_id in ids[1::2]:
            first.say("notification.read", notification_id=notification_id)
        first.wait_for("notification.read.ack", 3)
    with Socket(pod, person) as second:
        assert second.session()["follows"] == 6
        second.wait_for("notification.push", 6)
        pod.notify("live", person)
        pushes = second.wait_for("notification.push", 7)
    assert [push["message"] for push in pushes] == ["m0", "m2", "m4", "m1", "m3", "m5", "live"]
    assert [push["read"] for push in pushes] == [False] * 3 + [True] * 3 + [False]
    assert [push["status"] for push in pushes] == ["unread"] * 3 + ["read"] * 3 + ["unread"]


def test_who_comes_back_gets_only_what_happened_meanwhile(
    pod: Pod, person: tuple[int, str]
) -> None:
    kept = pod.notify("known", person)[0]
    with Socket(pod, person) as before:
        session = before.session()
        before.wait_for("notification.push", 1)
    known = {"epoch": session["epoch"], "stream_id": session["last_stream_id"]}
    with Socket(pod, person) as other:
        other.say("notification.read", notification_id=kept)
        other.wait_for("notification.read.ack")
    pod.notify("missed", person)
    with Socket(pod, person, **known) as again:
        assert again.session()["recovered"] is True
        assert again.session()["unread"] == 1
        assert [push["message"] for push in again.wait_for("notification.push")] == ["missed"]
        assert [ack["notification_id"] for ack in again.of("notification.read.ack")] == [kept]
    wrong = {**known, "epoch": "another"}
    with Socket(pod, person, **wrong) as stranger:
        assert stranger.session()["recovered"] is False
        assert sorted(push["message"] for push in stranger.wait_for("notification.push", 2)) == [
            "known", "missed",
        ]  # fmt: skip


def test_a_position_that_we_have_not_reached_is_answered_by_a_full_sync(
    pod: Pod, person: tuple[int, str]
) -> None:
    pod.notify("all there is", person)
    with Socket(pod, person) as before:
        epoch = before.session()["epoch"]
    for stream_id in ("99999999999999-0", "1-0", "nonsense", ""):
        with Socket(pod, person, epoch=epoch, stream_id=stream_id) as socket:
            recovered = socket.session()["recovered"]
            assert [push["message"] for push in socket.wait_for("notification.push")] == [
                "all there is"
            ]
        assert recovered is (stream_id == "1-0")


def test_a_read_is_answered_once_whoever_asks_how_often(pod: Pod, person: tuple[int, str]) -> None:
    notification_id = pod.notify("read me", person)[0]
    with Socket(pod, person) as one, Socket(pod, person) as other:
        one.wait_for("notification.push")
        other.wait_for("notification.push")
        one.say("notification.read", notification_id=notification_id, stream_id="stale")
        one.wait_for("notification.read.ack", 1)
        other.wait_for("notification.read.ack", 1)
        one.say("notification.read", notification_id=notification_id)
        one.wait_for("notification.read.ack", 2)
        one.say("ping")
        one.wait_for("pong")
        assert len(one.of("notification.read.ack")) == 2
        assert len(other.of("notification.read.ack")) == 1
        assert {ack["notification_id"] for ack in one.of("notification.read.ack")} == {
            notification_id
        }


def test_a_notification_of_somebody_else_cannot_be_read(pod: Pod, person: tuple[int, str]) -> None:
    foreign = pod.notify("for bob", BOB)[0]
    with Socket(pod, person) as socket:
        for notification_id in (foreign, str(uuid4())):
            socket.say("notification.read", notification_id=notification_id)
        errors = socket.wait_for("error", 2)
    assert {error["code"] for error in errors} == {"notification_unknown"}
    assert errors[0]["notification_id"] == foreign
    assert pod.ask("GET", f"/api/v1/notify/{foreign}")[1]["state"] == "unread"


def test_history_comes_in_pages_oldest_first(pod: Pod, person: tuple[int, str]) -> None:
    for n in range(5):
        pod.notify(f"h{n}", person)
    with Socket(pod, person) as socket:
        socket.say("sync.request", limit=2)
        page: Any = socket.wait_for("sync.response", 1)[0]
        assert [each["message"] for each in page] == ["h3", "h4"]
        socket.say("sync.request", limit=2, before=page[0]["stream_id"])
        page = socket.wait_for("sync.response", 2)[1]
        assert [each["message"] for each in page] == ["h1", "h2"]


def test_a_person_chooses_for_how_long_things_are_kept(
    site: Site, pod: Pod, person: tuple[int, str]
) -> None:
    with Socket(pod, person) as socket:
        socket.say("retention.set", days=7)
        assert socket.wait_for("retention.set.ack") == [{"days": 7}]
        for days in (0, 16, "7", None, True):
            socket.say("retention.set", days=days)
        assert {error["code"] for error in socket.wait_for("error", 5)} == {"invalid"}
    query = "SELECT retention_days FROM inbox_recipient WHERE user_id = %s AND login = %s"
    assert site.value(query, person) == 7


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        ("[1]", "malformed"),
        ('"ping"', "malformed"),
        ('{"type":7}', "malformed"),
        ('{"type":"ping","data":[]}', "malformed"),
        ("[" * 5000, "malformed"),
        ('{"type":"notification.push"}', "unknown_type"),
        ('{"type":"notification.read"}', "invalid"),
        ('{"type":"notification.read","data":{"notification_id":7}}', "invalid"),
        ('{"type":"notification.read","data":{"notification_id":"x"}}', "invalid"),
        ('{"type":"sync.request","data":{"limit":0}}', "invalid"),
        ('{"type":"sync.request","data":{"limit":101}}', "invalid"),
        ('{"type":"sync.request","data":{"limit":1e3}}', "invalid"),
        ('{"type":"sync.request","data":{"before":"x"}}', "invalid_stream_id"),
        ('{"type":"sync.request","data":{"before":5}}', "invalid_stream_id"),
    ],
)
def test_what_cannot_be_used_is_an_error_and_the_socket_stays(
    pod: Pod, message: str, code: str
) -> None:
    with Socket(pod, ALICE) as socket:
        socket.say_raw(message)
        assert socket.wait_for("error")[0]["code"] == code
        socket.say("ping")
        socket.wait_for("pong")


@pytest.mark.parametrize(
    ("message", "code"),
    [(b"\x00binary", 4400), ("x" * 70_000, 1009), (b"x" * 1_000_000, 1009)],
    ids=["binary", "too large", "1 MB"],
)
def test_what_is_not_text_or_too_large_closes_the_socket(
    pod: Pod, message: str | bytes, code: int
) -> None:
    socket = Socket(pod, ALICE)
    socket.session()
    socket.say_raw(message)
    assert socket.wait_closed() == code


def test_who_says_too_much_is_told_to_slow_down_and_stays(
    pod: Pod, person: tuple[int, str]
) -> None:
    with Socket(pod, person) as socket:
        socket.session()
        for _ in range(200):
            socket.say("ping")
        until(lambda: "slow_down" in socket.error_codes(), "it is told to slow down")
        assert len(socket.of("pong")) < 200
        before = len(socket.of("pong"))

        def is_heard() -> bool:
            socket.say("ping")
            return len(socket.of("pong")) > before

        until(is_heard, "it is heard again")


@pytest.mark.parametrize(
    "query",
    [{}, {"user_id": "1"}, {"login": "x"}, {"user_id": "x", "login": "x"},
     {"user_id": str(2**63), "login": "x"},
     {"user_id": "1", "login": "x" * 151}, {"user_id": "1", "login": "a\0b"},
     {"ticket": "forged"}],
)  # fmt: skip
def test_nobody_comes_in_without_an_identity(pod: Pod, query: dict[str, str]) -> None:
    assert Socket(pod, None, **query).wait_closed() == 4401


def test_a_ticket_opens_one_connection(pod: Pod) -> None:
    status, issued = pod.ask("POST", "/api/v1/ws-tickets", {"user_id": 77, "login": "tina"})
    assert status == 201
    with Socket(pod, None, ticket=issued["ticket"]) as socket:
        pod.notify("by ticket", (77, "tina"))
        assert socket.wait_for("notification.push")[0]["message"] == "by ticket"
        assert Socket(pod, None, ticket=issued["ticket"]).wait_closed() == 4409


def test_a_ticket_is_dead_after_a_while(site: Site, pod: Pod) -> None:
    key = site.environment["SECRET_KEY"]
    ticket = signing.dumps([uuid4().hex, 78, "late", 1_000], key=key, salt="inbox.ticket")
    assert Socket(pod, None, ticket=ticket).wait_closed() == 4408


def test_only_our_own_pages_and_those_we_named_may_connect(pod: Pod) -> None:
    for origin in (f"http://127.0.0.1:{pod.port}", "https://shop.example"):
        with Socket(pod, ALICE, origin=origin) as socket:
            socket.session()
    for origin in ("https://evil.example", f"http://127.0.0.1:{pod.port + 1}", "null"):
        assert Socket(pod, ALICE, origin=origin).wait_closed() == 4403


def test_a_person_has_so_many_connections_and_no_more(pod: Pod, person: tuple[int, str]) -> None:
    sockets = [Socket(pod, person) for _ in range(4)]
    for socket in sockets:
        socket.session()
    assert Socket(pod, person).wait_closed() == 4429
    sockets.pop().close()

    def gets_in() -> bool:
        with Socket(pod, person) as socket:
            until(lambda: socket.frames or socket.close_code, "an answer")
            return socket.close_code is None

    until(gets_in, "the place is free again")
    for socket in sockets:
        socket.close()


def test_who_is_connected_is_known_to_everybody(pod: Pod, person: tuple[int, str]) -> None:
    with Socket(pod, person, device="kitchen") as socket:
        client_id = socket.session()["client_id"]

        def mine() -> list[dict[str, Any]]:
            clients = pod.ask("GET", "/api/v1/admin/clients?limit=100")[1]["clients"]
            return [each for each in clients if each["client_id"] == client_id]

        client = until(mine, "it is listed")[0]
        assert (client["user_id"], client["login"]) == person
        assert (client["device"], client["pod_id"]) == ("kitchen", "sockets")
    until(lambda: not mine(), "it is not listed any more")


def test_what_was_pushed_is_counted_and_timed(pod: Pod, person: tuple[int, str]) -> None:
    before = pod.metric("delivery_latency_ms_count")
    with Socket(pod, person) as one, Socket(pod, person) as other:
        one.session()
        other.session()
        assert pod.metric("websocket_connections") >= 2
        pod.notify("counted", person)
        one.wait_for("notification.push")
        other.wait_for("notification.push")
    assert pod.metric("delivery_latency_ms_count") == before + 2


def test_how_many_screens_have_it_is_told_to_who_takes_it_back(
    pod: Pod, site: Site, person: tuple[int, str]
) -> None:
    with Socket(pod, person) as one, Socket(pod, person) as other:
        one.session()
        other.session()
        notification_id = pod.notify("never mind", person)[0]
        one.wait_for("notification.push")
        other.wait_for("notification.push")
        count = "SELECT sum(cardinality(devices)) FROM inbox_push WHERE notification_id = %s"
        until(lambda: site.value(count, [notification_id]) == 2, "both screens are noted")
        status, told = pod.ask("DELETE", f"/api/v1/notify/{notification_id}")
        assert (status, told["screens"]) == (200, 2)
        for socket in (one, other):
            assert socket.wait_for("notification.recall")[0]["notification_id"] == notification_id


def test_a_web_socket_to_nowhere_is_refused(pod: Pod) -> None:
    status, _ = pod.ask(
        "GET", "/nowhere", Connection="Upgrade", Upgrade="websocket",
        **{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"},
    )  # fmt: skip
    assert status == 403


def test_frames_are_json_of_the_documented_form(pod: Pod, person: tuple[int, str]) -> None:
    notification_id = pod.notify("form", person, data={"order": 7})[0]
    with Socket(pod, person) as socket:
        push = socket.wait_for("notification.push")[0]
        session = socket.session()
    assert session.keys() == {
        "client_id", "epoch", "recovered", "last_stream_id", "unread", "ping_s", "follows",
    }  # fmt: skip
    assert push["notification_id"] == notification_id
    assert push["stream_id"] == session["last_stream_id"]
    assert push["data"] == {"order": 7}
    assert json.dumps(push)
