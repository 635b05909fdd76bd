"""Unread messages with real workers: they are killed while timers ring, Redis is away, somebody reads."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from notifications.webhooks.sealing import seal
from tests.notifications.webhooks.receiver import Receiver
from tests.processes.cluster import Cluster
from tests.processes.pod import Pod
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

Start = Callable[..., Cluster]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICK = {
    "NOTIFICATION_DELAY_SECS": "2",
    "WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
    "WEBHOOK_RETRY_DELAYS": "1s 1s 1s 1s 1s 1s",
}


@pytest.fixture
def receiver(site: Site) -> Iterator[Receiver]:
    """The one endpoint of the site; nothing of it stays for the next test."""
    endpoint_id = uuid4()
    with Receiver() as made:
        site.rows(
            """INSERT INTO webhook_endpoint (id, title, url, event_types, secret)
            VALUES (%s, 'chat', %s, '{notification.pending}', %s)""",
            [endpoint_id, made.url("/chat"), seal(SECRET)],
        )
        site.rows("INSERT INTO webhook_lane (endpoint_id) VALUES (%s)", [endpoint_id])
        yield made
    site.rows("TRUNCATE webhook_endpoint, conversation_dialog CASCADE")


@pytest.fixture
def pod(site: Site, receiver: Receiver) -> Iterator[Pod]:
    """The web process to which backends speak."""
    web = Pod(site, "chat", **QUICK).wait_ready()
    yield web
    assert web.errors() == []
    web.kill()


def opened(pod: Pod) -> str:
    """A dialog of Anna and Boris."""
    status, answer = pod.ask("POST", "/api/v1/dialogs", {"participants": ["anna", "boris"]})
    assert status == 201, answer
    return str(answer["id"])


def said(pod: Pod, dialog_id: str) -> str:
    """A message of Anna. Returns its id."""
    body = {"sender_id": "anna", "text": "Hello"}
    status, answer = pod.ask("POST", f"/api/v1/dialogs/{dialog_id}/messages", body)
    assert status == 201, answer
    return str(answer["id"])


def read(pod: Pod, dialog_id: str) -> None:
    """Boris has read, and was told so."""
    status, answer = pod.ask("POST", f"/api/v1/dialogs/{dialog_id}/read", {"user_id": "boris"})
    assert (status, answer["unread_count"]) == (200, 0)


def waiting(site: Site) -> int:
    """How many people wait for their timer."""
    query = "SELECT count(*) FROM conversation_participant WHERE pending_position IS NOT NULL"
    return int(site.value(query))


def heard(receiver: Receiver) -> dict[str, set[str]]:
    """{message: ids of the webhooks that told of it}"""
    found: dict[str, set[str]] = {}
    for request in list(receiver.received):
        message = request.json["data"]["message_id"]
        found.setdefault(message, set()).add(request.headers["webhook-id"])
    return found


def fates(site: Site) -> dict[str, str]:
    """{message: what became of it}; each message has one end."""
    rows = site.rows("SELECT message_id, fate || reason FROM conversation_notice")
    assert max(Counter(message for message, _ in rows).values(), default=0) <= 1
    return {str(message): fate for message, fate in rows}


def test_nobody_is_forgotten_or_told_of_two_events_whichever_worker_is_killed(
    site: Site, pod: Pod, start: Start, receiver: Receiver
) -> None:
    cluster = start("chat", 2, **QUICK)
    messages = [said(pod, opened(pod)) for _ in range(120)]
    for enough in (10, 40, 80):
        until(lambda enough=enough: len(fates(site)) >= enough, "timers ring")  # type: ignore[misc]
        cluster.kill("worker", signal.SIGKILL)
    until(lambda: waiting(site) == 0, "all timers have rung")
    until(lambda: len(heard(receiver)) >= len(messages), "all webhooks have arrived")
    assert fates(site) == dict.fromkeys(messages, "sent")
    assert heard(receiver).keys() == set(messages)
    assert all(len(events) == 1 for events in heard(receiver).values())
    stored = "SELECT count(*) FROM webhook_event WHERE type = 'notification.pending'"
    assert site.value(stored) == len(messages)


def test_who_has_read_before_the_timer_is_told_nothing(
    site: Site, pod: Pod, start: Start, receiver: Receiver
) -> None:
    """While workers ring: what was read before its event was stored is never heard of."""
    start("chat", 2, **QUICK)
    dialogs = [opened(pod) for _ in range(60)]
    messages = {said(pod, each): each for each in dialogs}
    until(lambda: len(fates(site)) >= 5, "timers ring")
    for each in dialogs:
        read(pod, each)
    until(lambda: len(fates(site)) == len(dialogs), "all timers have rung")
    told = {message for message, fate in fates(site).items() if fate == "sent"}
    assert told
    until(lambda: heard(receiver).keys() >= told, "all webhooks have arrived")
    assert heard(receiver).keys() == told
    assert messages.keys() == fates(site).keys()
    late = """SELECT count(*) FROM conversation_notice n
        JOIN conversation_participant p ON p.id = n.participant_id
        WHERE (n.fate = 'sent') <> (n.at < p.last_read_at)"""
    assert site.value(late) == 0


def test_while_redis_is_away_messages_are_stored_and_told_of(
    site: Site, pod: Pod, start: Start, receiver: Receiver
) -> None:
    start("chat", 2, **QUICK)
    dialog_id = opened(pod)
    with site.without_redis():
        messages = {said(pod, dialog_id) for _ in range(5)}
        until(lambda: heard(receiver), "the webhook")
    until(lambda: waiting(site) == 0, "the timer has rung")
    assert heard(receiver).keys() < messages  # five messages, one webhook: for the last
    status, answer = pod.ask("GET", f"/api/v1/dialogs/{dialog_id}?user_id=boris")
    assert (status, answer["participant"]["unread_count"]) == (200, 5)
    assert heard(receiver).keys() == {answer["last_message"]["id"]}
