"""Acts on the inbox in the audit log: told as sentences, with links that lead to the thing."""

import pytest
from django.test import Client
from django.urls import reverse

from jobs.templatetags.console import verb
from tests.notifications.inbox.admin.rows import note_make, person_make
from tests.notifications.inbox.admin.ways import html, page_of, text, to

pytestmark = pytest.mark.django_db

LOG = reverse("admin:jobs_auditentry_changelist")


def test_an_act_on_a_notification_has_a_link_to_it(alice: Client) -> None:
    row = note_make()
    alice.post(page_of(row, "recall"))
    shown = alice.get(LOG)
    assert f"alice recalled notification {row.pk}" in text(shown)
    assert f'href="{page_of(row)}"' in html(shown)


def test_a_change_of_preferences_leads_to_the_person(alice: Client) -> None:
    person = person_make()
    data = {"time_zone": "Asia/Kolkata", "retention_days": "7", "muted_sources": "ads"}
    alice.post(page_of(person), data)
    shown = alice.get(LOG)
    assert "alice changed the preferences of recipient 7-alice" in text(shown)
    assert "UTC → Asia/Kolkata" in text(shown)
    assert "nothing → ads" in text(shown)
    address = to(model="recipient", q="7-alice")
    assert f'href="{address}"' in html(shown)
    assert alice.get(address).headers["Location"] == page_of(person)


@pytest.mark.parametrize(
    "action",
    [
        *(f"inbox.{word}" for word in ("send", "update", "recall", "expire", "preferences")),
        *(f"inbox.bulk_{word}" for word in ("recall", "expire")),
        *(f"telegram.{word}" for word in ("send", "retry", "cancel", "bulk_retry", "bulk_cancel")),
    ],
)
def test_every_act_has_a_verb(action: str) -> None:
    assert verb(action) != action
