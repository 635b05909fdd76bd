"""One delivery: what goes over the wire, and what becomes of it."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import Webhook

from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from notifications.webhooks.models import Attempt, Delivery, Tally
from notifications.webhooks.services import event_emit
from notifications.webhooks.types import TEST
from notifications.webhooks.wire import KEPT_BYTES
from tests.notifications.webhooks.receiver import Answer, Receiver
from tests.notifications.webhooks.rows import SECRET, delivery_make, endpoint_make

KIND = "webhooks.send_due"


def send() -> None:
    assert isinstance(job_perform(KIND), Done)


def test_an_event_arrives_signed_as_the_library_of_the_standard_wants_it(
    receiver: Receiver,
) -> None:
    endpoint_make(url=receiver.url("/hooks"))
    event_id = event_emit(TEST, {"id": 7, "name": "Zoë"})
    send()

    (request,) = receiver.received
    verified = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert (verified["type"], verified["data"]) == (TEST, {"id": 7, "name": "Zoë"})
    assert request.headers["webhook-id"] == f"msg_{event_id.hex}"
    assert request.headers["Content-Type"] == "application/json"

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.attempts) == ("delivered", 1, 1)
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.outcome, attempt.status) == (1, "delivered", 204)
    assert attempt.url == receiver.url("/hooks")
    assert Tally.objects.get().delivered == 1


def test_during_a_rotation_the_old_and_the_new_secret_both_fit(receiver: Receiver) -> None:
    new = "whsec_" + "bmV3" * 11
    endpoint_make(
        url=receiver.url(),
        secret=new,
        old_secret=SECRET,
        old_secret_expires_at=clock.now() + timedelta(hours=1),
    )
    event_emit(TEST, {})
    send()
    for secret in (new, SECRET):
        Webhook(secret).verify(receiver.received[0].body, dict(receiver.received[0].headers))


def test_an_old_secret_signs_nothing_after_its_end(receiver: Receiver) -> None:
    endpoint_make(
        url=receiver.url(),
        old_secret="whsec_" + "b2xk" * 11,
        old_secret_expires_at=clock.now() - timedelta(seconds=1),
    )
    event_emit(TEST, {})
    send()
    assert len(receiver.received[0].headers["webhook-signature"].split()) == 1


def test_a_failed_delivery_climbs_the_ladder_and_keeps_id_and_body(
    receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_RETRY_DELAYS = (timedelta(minutes=1), timedelta(hours=1))
    receiver.answers(Answer(500, body=b"boom\x00"), Answer(404))
    endpoint_make(url=receiver.url())
    event_emit(TEST, {"id": 7})
    send()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.last_status) == ("pending", 1, 500)
    wait = delivery.next_attempt_at - clock.now()
    assert timedelta(seconds=50) < wait < timedelta(seconds=67)  # 10 % of jitter

    send()
    assert len(receiver.received) == 1, "it is not due yet"
    with clock.shift(timedelta(minutes=2)):
        send()
        with clock.shift(timedelta(hours=2)):
            send()
    assert len({(each.headers["webhook-id"], each.body) for each in receiver.received}) == 1
    assert list(Attempt.objects.order_by("id").values_list("number", "status")) == [
        (1, 500),
        (2, 404),
        (3, 204),
    ]
    assert Attempt.objects.order_by("id")[0].response_body == "boom�"
    assert Delivery.objects.get().state == "delivered"


def test_a_delivery_whose_ladder_is_used_up_is_failed(
    receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_RETRY_DELAYS = ()
    receiver.answers(Answer(500))
    delivery_make(endpoint_make(url=receiver.url()))
    send()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("failed", "answered 500")
    assert delivery.finished_at is not None


@pytest.mark.parametrize(("status", "tries"), [(429, 0), (503, 1)])
def test_an_endpoint_that_says_retry_after_is_left_alone_so_long(
    receiver: Receiver, settings: Settings, status: int, tries: int
) -> None:
    settings.WEBHOOK_RETRY_DELAYS = (timedelta(seconds=1),)
    receiver.answers(Answer(status, {"Retry-After": "120"}))
    endpoint = endpoint_make(url=receiver.url())
    first, second = delivery_make(endpoint), delivery_make(endpoint)
    send()
    assert len(receiver.received) == 1, "the second delivery waits, too"
    first.refresh_from_db()
    assert first.tries == tries
    assert first.next_attempt_at - clock.now() > timedelta(seconds=100)
    with clock.shift(timedelta(seconds=110)):
        send()
    assert len(receiver.received) == 1
    with clock.shift(timedelta(seconds=121)):
        send()
    assert len(receiver.received) == 3
    second.refresh_from_db()
    assert second.state == "delivered"


def test_410_ends_the_delivery_and_disables_the_endpoint(receiver: Receiver) -> None:
    receiver.answers(Answer(410))
    endpoint = endpoint_make(url=receiver.url())
    delivery_make(endpoint)
    delivery_make(endpoint)
    send()
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "gone")
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["failed", "pending"]
    send()
    assert len(receiver.received) == 1, "nothing goes to a disabled endpoint"


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/meta-data", "/elsewhere"])
def test_a_redirect_is_not_followed(receiver: Receiver, location: str) -> None:
    receiver.answers(Answer(302, {"Location": location}), path="/old")
    delivery_make(endpoint_make(url=receiver.url("/old")))
    send()
    assert receiver.paths() == ["/old"]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_status) == ("pending", 302)
    assert "redirects are not followed" in delivery.last_error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_no_request_reaches_a_private_address(
    receiver: Receiver, settings: Settings, host: str
) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    delivery_make(endpoint_make(url=receiver.url(host=host)))
    send()
    assert receiver.received == []
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "the address is not public")


def test_a_connection_that_is_cut_is_a_failure(receiver: Receiver) -> None:
    receiver.answers(Answer(cut=True))
    delivery_make(endpoint_make(url=receiver.url()))
    send()
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "the connection was cut before the answer")


def test_an_endpoint_that_does_not_answer_is_given_up_after_its_timeout(
    receiver: Receiver,
) -> None:
    receiver.hangs()
    delivery_make(endpoint_make(url=receiver.url(), timeout_s=1))
    send()
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "no answer in time")
    assert attempt.duration_ms >= 1000


def test_of_a_long_answer_the_beginning_is_kept(receiver: Receiver) -> None:
    receiver.default["/"] = Answer(200, {"Content-Type": "text/plain"}, b"x" * 300_000)
    delivery_make(endpoint_make(url=receiver.url()))
    send()
    attempt = Attempt.objects.get()
    assert attempt.response_body == "x" * KEPT_BYTES
    assert (attempt.outcome, attempt.response_type) == ("delivered", "text/plain")


def test_a_cancelled_delivery_is_not_sent(receiver: Receiver) -> None:
    delivery_make(endpoint_make(url=receiver.url()), state="cancelled")
    send()
    assert receiver.received == []


def test_a_secret_that_cannot_be_read_sends_nothing_and_says_what_to_do(
    receiver: Receiver, settings: Settings
) -> None:
    lost = endpoint_make(url=receiver.url())
    former, settings.SECRET_KEY = (
        settings.SECRET_KEY,
        "another key of at least thirty-two characters",
    )
    fine = endpoint_make(url=receiver.url())
    delivery_make(lost)
    delivery_make(fine)
    send()
    assert len(receiver.received) == 1
    assert Delivery.objects.get(endpoint=fine).state == "delivered"
    waits = Delivery.objects.get(endpoint=lost)
    assert (waits.state, "SECRET_KEY_FALLBACKS" in waits.last_error) == ("pending", True)

    settings.SECRET_KEY_FALLBACKS = [former]
    with clock.shift(timedelta(hours=1)):
        send()
    assert Delivery.objects.get(endpoint=lost).state == "delivered"
    last = receiver.received[-1]
    assert last.headers["webhook-signature"]
