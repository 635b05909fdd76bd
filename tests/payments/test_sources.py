"""The registry of who may send webhooks, and its doors."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from jobs.testing import assert_enqueued, job_perform
from lib import clock
from lib.now import gather
from payments.errors import SourceUnknown
from payments.intake import sources
from payments.intake.health import hooks_health, is_mounted
from payments.intake.sources import Described, Processed, Source, source_get, source_register
from payments.intake.taking import intake_take
from payments.models import IncomingWebhook, Intake
from tests.payments.conftest import Heard


@pytest.fixture
def courier(monkeypatch: pytest.MonkeyPatch) -> Source:
    """Another sender, for this test only: its events are ordered by person."""
    monkeypatch.setattr(sources, "_sources", dict(sources._sources))
    made = Source(
        name="courier",
        title="The courier",
        path="/webhooks/courier/",
        verify=lambda body, headers: headers.get("x-word") == "sesame",
        describe=lambda body: Described("user_event", "moved", partition=f"person:{body[0]}"),
        process=lambda row: Processed(object_ref="parcel:7"),
        kind=source_get("cryptobot").kind,
        headers=("x-id",),
    )
    source_register(made)
    return made


def take(body: bytes = b"7", word: str = "sesame") -> IncomingWebhook:
    row = intake_take(
        "courier", body=body, headers={"x-word": word, "x-id": "12\x003"}, remote_address="::1"
    )
    assert row is not None
    return row


def test_another_source_uses_the_same_log(courier: Source) -> None:
    row = take()
    job = assert_enqueued("payments.process_webhook", webhook_id=row.pk)
    assert job.partition_key == f"person:{ord('7')}"
    job_perform("payments.process_webhook", webhook_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.object_ref) == (Intake.PROCESSED, "parcel:7")


def test_only_the_headers_that_a_source_names_are_kept(courier: Source) -> None:
    row = take()
    row.refresh_from_db()
    assert row.headers == {"x-id": "123"}
    assert row.remote_address == "::1"


def test_events_without_a_key_are_no_duplicates(courier: Source) -> None:
    assert [take().state, take().state] == [Intake.RECEIVED, Intake.RECEIVED]


def test_a_removed_delivery_ends_its_job(courier: Source) -> None:
    row = take()
    IncomingWebhook.objects.all().delete()
    outcome = job_perform("payments.process_webhook", webhook_id=row.pk)
    assert "removed" in str(outcome)


def test_an_unknown_source_is_an_error() -> None:
    with pytest.raises(SourceUnknown, match="nobody"):
        intake_take("nobody", body=b"", headers={})


def test_what_a_vanished_source_sent_waits_for_it(courier: Source, heard: Heard) -> None:
    row = take()
    IncomingWebhook.objects.update(source="vanished")
    with clock.shift(timedelta(hours=30)):
        job_perform("payments.retry_webhooks")
    row.refresh_from_db()
    assert row.state == Intake.RECEIVED
    assert heard.told == []


def test_a_door_that_is_not_mounted_is_told(courier: Source) -> None:
    crypto = source_get("cryptobot")
    assert is_mounted(crypto)
    assert not is_mounted(courier)
    assert not is_mounted(replace(crypto, path="/webhooks/nowhere/"))
    assert [hook.is_mounted for hook in hooks_health() if hook.source == courier] == [False]
    boss = User.objects.create_superuser("boss", password="a-long-password")
    assert "webhook door not mounted" in [item.title for item in gather(boss)]
