"""Several web processes on one database: whichever of them dies, no screen misses anything."""

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.processes.pod import Pod
from tests.processes.post import Post
from tests.processes.site import Site
from tests.processes.sockets import DeafSocket, Follower, Person, Socket
from tests.processes.waiting import until

pytestmark = pytest.mark.process

OTHERS: list[Person] = [(501, "ada"), (502, "ben"), (503, "cleo")]
LONG = "🙂" * 4_000  # 16 kB
MANY = 800  # of them fill every buffer between us and a reader who does not read


@pytest.fixture(scope="module")
def pods(scratch_site: Site) -> Iterator[list[Pod]]:
    """Two pods that live through all these tests."""
    pods = [Pod(scratch_site, name) for name in ("north", "south")]
    try:
        for pod in pods:
            pod.wait_ready()
        yield pods
        assert [error for pod in pods for error in pod.errors()] == []
    finally:
        for pod in pods:
            pod.end()


@pytest.fixture
def another(site: Site) -> Iterator[Callable[..., Pod]]:
    """Start a pod that ends with the test."""
    started: list[Pod] = []

    def begin(name: str, **environment: str) -> Pod:
        started.append(Pod(site, name, **environment))
        return started[-1].wait_ready()

    yield begin
    for pod in started:
        pod.end()


def test_four_screens_on_two_pods_agree(pods: list[Pod]) -> None:
    person = (600, "four")
    screens = [Socket(pod, person) for pod in pods for _ in range(2)]
    for screen in screens:
        screen.session()
    ids = [pods[n % 2].notify(f"to all {n}", person)[0] for n in range(20)]
    for screen in screens:
        screen.wait_for("notification.push", 20)
    for n, notification_id in enumerate(ids):
        screens[n % 4].say("notification.read", notification_id=notification_id)
    for screen in screens:
        acks = screen.wait_for("notification.read.ack", 20)
        assert sorted(ack["notification_id"] for ack in acks) == sorted(ids)
        assert screen.texts() == [f"to all {n}" for n in range(20)]
        screen.close()


def test_screens_read_the_same_thing_at_once_and_each_is_answered(pods: list[Pod]) -> None:
    person = (601, "race")
    screens = [Socket(pod, person) for pod in pods for _ in range(2)]
    for screen in screens:
        screen.session()
    for n in range(10):
        notification_id = pods[0].notify(f"race {n}", person)[0]
        for screen in screens:
            screen.wait_for("notification.push", n + 1)
        for screen in screens:
            screen.say("notification.read", notification_id=notification_id)
        for screen in screens:
            until(lambda s=screen, i=notification_id: _acks(s, i) >= 1, "each has its answer")  # type: ignore[misc]
    unread = pods[0].ask("GET", "/api/v1/admin/history?user_id=601&login=race")[1]
    assert unread
    for screen in screens:
        screen.close()


def test_a_killed_pod_costs_its_screens_nothing(
    site: Site, pods: list[Pod], another: Callable[..., Pod]
) -> None:
    doomed = another("doomed")
    living = [doomed, pods[0]]
    post = Post(lambda: [pods[1], *living[:1]], OTHERS)
    followers = [Follower(lambda: living, person) for person in OTHERS for _ in range(2)]
    until(lambda: all(len(each.seen()) > 10 for each in followers), "all are being told")
    clients = "SELECT count(*) FROM inbox_client WHERE pod_id = 'doomed'"
    until(lambda: site.value(clients) == len(followers), "they are listed")
    doomed.kill()
    del living[0]
    post.go_on()
    accepted = set(post.stop())
    for follower in followers:
        until(lambda f=follower: f.seen() >= accepted, "nothing is lost")  # type: ignore[misc]
        follower.end()
        assert follower.breaches() == []
        assert follower.recoveries()
        assert all(follower.recoveries()), "they went on from where they were"
    _reap(site, "doomed")


def _reap(site: Site, pod_id: str) -> None:
    clients = "SELECT count(*) FROM inbox_client WHERE pod_id = %s"
    assert site.value(clients, [pod_id]) > 0
    site.manage("run_job", "inbox.reap_pods")
    assert site.value(clients, [pod_id]) > 0, "it was not silent for long enough"
    site.rows(
        "UPDATE inbox_pod SET beat_at = beat_at - interval '2 min' WHERE pod_id = %s", [pod_id]
    )
    site.manage("run_job", "inbox.reap_pods")
    assert site.value(clients, [pod_id]) == 0
    with site.redis() as redis:
        assert pod_id not in redis.hgetall("switchboard:notif:pods:hb")
        assert "north" in redis.hgetall("switchboard:notif:pods:hb")


def test_a_pod_that_stops_sends_its_screens_away_first(
    site: Site, another: Callable[..., Pod]
) -> None:
    leaving = another("leaving")
    screens = [Socket(leaving, (700, f"s{n}")) for n in range(8)]
    for screen in screens:
        screen.session()
    stopping = threading.Thread(target=leaving.stop)
    stopping.start()
    hints = [screen.wait_for("reconnect")[0] for screen in screens]
    assert all(0 <= hint["after_ms"] <= 3000 for hint in hints)
    assert len({hint["after_ms"] for hint in hints}) > 1
    assert {hint["reason"] for hint in hints} == {"restart"}
    assert Socket(leaving, (700, "late")).wait_closed() == 1012
    leaving.notify("still served", (700, "s0"))
    assert screens[0].wait_for("notification.push")[0]["message"] == "still served"
    screens.pop().close()
    assert {screen.wait_closed() for screen in screens} == {1012}
    stopping.join(60)
    assert not stopping.is_alive()
    assert site.value("SELECT count(*) FROM inbox_pod WHERE pod_id = 'leaving'") == 0
    assert site.value("SELECT count(*) FROM inbox_client WHERE pod_id = 'leaving'") == 0


def test_pods_are_rolled_one_after_the_other_and_nobody_misses_anything(
    another: Callable[..., Pod], pods: list[Pod]
) -> None:
    living = [another("old")]
    post = Post(lambda: pods, OTHERS)
    followers = [Follower(lambda: list(living), person) for person in OTHERS]
    until(lambda: all(len(each.seen()) > 10 for each in followers), "all are being told")
    living.append(another("new"))
    living.pop(0).stop()
    post.go_on()
    accepted = set(post.stop())
    for follower in followers:
        until(lambda f=follower: f.seen() >= accepted, "nothing is lost")  # type: ignore[misc]
        follower.end()
        assert follower.breaches() == []


def test_what_is_taken_back_while_it_goes_out_vanishes_from_every_screen(pods: list[Pod]) -> None:
    person = (602, "recall")
    screens = [Socket(pod, person) for pod in pods for _ in range(2)]
    for screen in screens:
        screen.session()
    recalled = []
    for n in range(30):
        notification_id = pods[n % 2].notify(f"oops {n}", person)[0]
        if n % 3 == 0:
            assert pods[(n + 1) % 2].ask("DELETE", f"/api/v1/notify/{notification_id}")[0] == 200
            recalled.append(notification_id)
    for screen in screens:
        screen.wait_for("notification.recall", len(recalled))
        told = [recall["notification_id"] for recall in screen.of("notification.recall")]
        assert told == recalled
        kinds = [f["type"] for f in screen.frames if f["data"].get("notification_id") in recalled]
        assert kinds[::2] == ["notification.push"] * 10, "each came before it went"
        screen.close()


def test_a_reader_who_does_not_read_delays_nobody_and_is_cut_off(pods: list[Pod]) -> None:
    pod, person = pods[0], (603, "slow")
    deaf = DeafSocket(pod, person)
    with Socket(pod, person) as beside:
        beside.session()
        before = pod.metric("websocket_connections")
        sent = 0
        while pod.metric("websocket_connections") == before:
            assert sent < MANY, "it is cut off at last"
            for _ in range(10):
                pod.notify(f"{sent} {LONG}"[:4_000], person)
                sent += 1
        beside.wait_for("notification.push", sent)
        assert [text.split(" ")[0] for text in beside.texts()] == [str(n) for n in range(sent)]
        assert beside.close_code is None
    assert deaf.close_code() == 4413


def _acks(screen: Socket, notification_id: str) -> int:
    acks = screen.of("notification.read.ack")
    return sum(ack["notification_id"] == notification_id for ack in acks)
