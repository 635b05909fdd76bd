"""Redis holds nothing of the inbox that we cannot lose: emptied, gone, or cut off from one pod."""

import threading
from collections.abc import Iterator

import pytest

from tests.processes.cut import Line
from tests.processes.pod import Pod
from tests.processes.post import Post
from tests.processes.site import Site
from tests.processes.sockets import Follower, Person, Socket
from tests.processes.waiting import until

pytestmark = pytest.mark.process

GONE_S = 12  # longer than twice the longest pause of whoever knocks: a ping of 5 s
PEOPLE: list[Person] = [(801, "uma"), (802, "vic"), (803, "wes")]


@pytest.fixture(scope="module")
def pods(scratch_site: Site) -> Iterator[list[Pod]]:
    pods = [Pod(scratch_site, name) for name in ("east", "west")]
    try:
        for pod in pods:
            pod.wait_ready()
        yield pods
        assert [error for pod in pods for error in pod.errors()] == []
    finally:
        for pod in pods:
            pod.end()


@pytest.fixture
def listened(pods: list[Pod]) -> Iterator[tuple[Post, list[Socket]]]:
    """Somebody who sends all the time, and a screen of each person on each pod that never leaves.

    Afterwards each screen has heard all that was taken, once and in order, over its one connection.
    """
    screens = [Socket(pod, person) for pod in pods for person in PEOPLE]
    for screen in screens:
        screen.session()
    post = Post(lambda: pods, PEOPLE)
    yield post, screens
    accepted = post.stop()
    assert accepted
    for screen in screens:
        until(lambda s=screen: set(s.texts()) >= set(accepted), "nothing is lost")  # type: ignore[misc]
        assert screen.close_code is None
        pushes = screen.of("notification.push")[screen.session()["follows"] :]
        ids = [push["notification_id"] for push in pushes]
        assert len(ids) == len(set(ids)), "nothing came twice"
        positions = [int(push["stream_id"].split("-")[0]) for push in pushes]
        assert positions == sorted(positions), "everything came in order"
        screen.close()


def test_an_emptied_redis_loses_nothing(site: Site, listened: tuple[Post, list[Socket]]) -> None:
    post, _ = listened
    with site.redis() as client:
        for _ in range(10):
            post.go_on(5)
            client.flushall()
    post.go_on(10)


def test_a_restarted_redis_loses_nothing(site: Site, listened: tuple[Post, list[Socket]]) -> None:
    post, _ = listened
    for _ in range(3):
        post.go_on(5)
        with site.without_redis():
            post.go_on(1)
    post.go_on(10)


def test_while_redis_is_away_notifications_are_taken_and_reach_the_screens(
    site: Site, pods: list[Pod], listened: tuple[Post, list[Socket]]
) -> None:
    post, screens = listened
    began_at = site.value("SELECT clock_timestamp()")
    with site.without_redis():
        post.go_on(10)
        taken = set(post.accepted)
        for screen in screens:
            until(lambda s=screen: set(s.texts()) >= taken, "they come by Postgres")  # type: ignore[misc]
        with Socket(pods[0], (804, "newcomer")) as newcomer:
            newcomer.session()
            pods[1].notify("in the dark", (804, "newcomer"))
            newcomer.wait_for("notification.push")
            notification_id = newcomer.of("notification.push")[0]["notification_id"]
            newcomer.say("notification.read", notification_id=notification_id)
            newcomer.wait_for("notification.read.ack")
        query = "SELECT clock_timestamp() > %s + make_interval(secs => %s)"
        until(lambda: site.value(query, [began_at, GONE_S]), "it was away for long")
    post.go_on(30)


def test_a_pod_that_is_cut_off_from_redis_catches_up(site: Site, pods: list[Pod]) -> None:
    line = Line(site)
    lonely = Pod(site, "lonely", REDIS_URL=line.address)
    try:
        lonely.wait_ready()
        person = (805, "lonely")
        with Socket(lonely, person) as screen:
            screen.session()
            pods[0].notify("before", person)
            screen.wait_for("notification.push", 1)
            line.cut()
            for n in range(5):
                pods[0].notify(f"during {n}", person)
            screen.wait_for("notification.push", 6)
            line.mend()
            pods[0].notify("after", person)
            screen.wait_for("notification.push", 7)
            assert screen.texts() == ["before", *(f"during {n}" for n in range(5)), "after"]
    finally:
        lonely.end()
        line.close()


def test_many_come_and_go_while_redis_comes_and_goes(site: Site, pods: list[Pod]) -> None:
    post = Post(lambda: pods, PEOPLE)
    followers = [Follower(lambda: pods, person) for person in PEOPLE for _ in range(2)]
    stop = threading.Event()
    restless = threading.Thread(target=_come_and_go, args=(pods, stop))
    restless.start()
    with site.redis() as client:
        for _ in range(4):
            post.go_on(10)
            client.flushall()
            with site.without_redis():
                post.go_on(3)
    accepted = set(post.stop())
    stop.set()
    restless.join(60)
    for follower in followers:
        until(lambda f=follower: f.seen() >= accepted, "nothing is lost")  # type: ignore[misc]
        follower.end()
        assert follower.breaches() == []


def test_a_new_epoch_sends_everybody_a_full_sync(site: Site, pods: list[Pod]) -> None:
    person = (806, "epoch")
    pods[0].notify("kept", person)
    with Socket(pods[0], person) as before:
        session = before.session()
        before.wait_for("notification.push")
        site.manage("inbox_new_epoch")
        assert before.wait_closed() == 4413
    known = {"epoch": session["epoch"], "stream_id": session["last_stream_id"]}
    with Socket(pods[1], person, **known) as after:
        assert after.session()["recovered"] is False
        assert after.session()["epoch"] != session["epoch"]
        assert after.wait_for("notification.push")[0]["message"] == "kept"


def _come_and_go(pods: list[Pod], stop: threading.Event) -> None:
    while not stop.is_set():
        for pod in pods:
            with Socket(pod, PEOPLE[0]) as visitor:
                visitor.session()
