"""Secrets in the database: unreadable without the key, readable through its change."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from pytest_django.fixtures import Settings

from jobs import sql
from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from notifications.webhooks import sealing
from notifications.webhooks.endpoints import endpoint_reveal_secret, endpoint_rotate_secret
from notifications.webhooks.errors import SecretUnreadable
from notifications.webhooks.models import Endpoint
from tests.notifications.webhooks.rows import SECRET, endpoint_make

pytestmark = pytest.mark.django_db

FORMER = "the former key of at least thirty-two characters"
PRESENT = "the present key of at least thirty-two characters"


def stored() -> tuple[str, str | None]:
    found = sql.row("SELECT secret, old_secret FROM webhook_endpoint")
    assert found is not None
    return found[0], found[1]


def test_a_copy_of_the_database_holds_no_secret() -> None:
    endpoint = endpoint_make()
    endpoint_rotate_secret(endpoint_id=endpoint.pk, by=None)
    row = Endpoint.objects.get()
    assert row.old_secret == SECRET
    for sealed, plain in zip(stored(), (row.secret, row.old_secret), strict=True):
        assert sealed is not None
        assert plain is not None
        assert plain.removeprefix("whsec_") not in sealed


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert sealing.seal(SECRET) != sealing.seal(SECRET)


def test_a_former_key_still_reads_and_the_job_makes_it_needless(settings: Settings) -> None:
    settings.SECRET_KEY = FORMER
    endpoint_make(old_secret="whsec_b2xk", old_secret_expires_at=clock.now())
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = PRESENT, [FORMER]
    row = Endpoint.objects.get()
    assert (row.secret, row.old_secret) == (SECRET, "whsec_b2xk")

    outcome = job_perform("webhooks.reseal_secrets")
    assert isinstance(outcome, Done)
    assert outcome.result == {"resealed": 2, "unreadable": 0}
    settings.SECRET_KEY_FALLBACKS = []
    row = Endpoint.objects.get()
    assert (row.secret, row.old_secret) == (SECRET, "whsec_b2xk")
    again = job_perform("webhooks.reseal_secrets")
    assert isinstance(again, Done)
    assert again.result == {"resealed": 0, "unreadable": 0}


def test_what_no_key_opens_is_told_never_overwritten_and_can_be_made_anew(
    settings: Settings,
) -> None:
    settings.SECRET_KEY = FORMER
    endpoint_id = endpoint_make().pk
    before = stored()
    settings.SECRET_KEY = PRESENT
    outcome = job_perform("webhooks.reseal_secrets")
    assert isinstance(outcome, Done)
    assert outcome.result == {"resealed": 0, "unreadable": 1}
    with pytest.raises(SecretUnreadable):
        endpoint_reveal_secret(endpoint_id=endpoint_id, by=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Endpoint.objects.get().save()
    assert stored() == before

    row = endpoint_rotate_secret(endpoint_id=endpoint_id, by=None)
    assert (row.old_secret, row.old_secret_expires_at) == (None, None)
    assert Endpoint.objects.get().secret == row.secret


def test_the_migration_seals_what_lay_open_and_opens_it_again() -> None:
    endpoint_make()
    sql.run(
        "UPDATE webhook_endpoint SET secret = %s, old_secret = %s, old_secret_expires_at = now()",
        [SECRET, "whsec_b2xk"],
    )
    step = import_module("notifications.webhooks.migrations.0003_sealed_secrets")
    with connection.schema_editor() as editor:
        step.encrypt(apps, editor)
        assert SECRET not in stored()
        row = Endpoint.objects.get()
        assert (row.secret, row.old_secret) == (SECRET, "whsec_b2xk")
        step.decrypt(apps, editor)
    assert stored() == (SECRET, "whsec_b2xk")
