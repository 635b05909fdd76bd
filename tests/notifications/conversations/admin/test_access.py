"""Who may see and do what: readers see every page without a button, acts are refused on the server."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from jobs.models import AuditEntry
from notifications.conversations.models import Dialog, Participant
from tests.console import are_closed_to_strangers, without_token
from tests.notifications.conversations.admin.ways import notices, to
from tests.notifications.conversations.play import BORIS, dialog, ring, say

pytestmark = pytest.mark.usefixtures("endpoint")


@pytest.fixture
def each(endpoint: object) -> UUID:
    """A dialog with a message that was told of, and one that waits."""
    made = dialog()
    say(made, "one")
    ring()
    say(made, "two")
    return made


def pages(each: UUID) -> list[str]:
    return [to(), to("change", each), to("live", each), notices()]


def acts(each: UUID) -> list[tuple[str, dict[str, str]]]:
    return [
        (to("archive", each), {}),
        (to("unarchive", each), {}),
        (to("mute", each), {"user_id": BORIS}),
        (to("unmute", each), {"user_id": BORIS}),
    ]


def state() -> list[Any]:
    """Everything that an act could have changed."""
    return [
        list(Dialog.objects.values()),
        list(Participant.objects.order_by("pk").values()),
        AuditEntry.objects.count(),
    ]


def test_a_reader_sees_every_page_and_no_button(each: UUID, bob: Client) -> None:
    for address in pages(each):
        answer = bob.get(address)
        assert answer.status_code == 200, address
        inside = answer.content.decode().split('<div class="console"', 1)[-1]
        assert not re.search(r'<form[^>]*method="post"', inside), address


def test_an_operator_finds_buttons_where_the_reader_finds_none(each: UUID, alice: Client) -> None:
    page = alice.get(to("change", each)).content.decode()
    assert "Put the dialog away" in page
    assert "Switch notifications off" in page


def test_every_act_of_a_reader_is_refused_and_changes_nothing(each: UUID, bob: Client) -> None:
    before = state()
    for address, data in acts(each):
        assert bob.post(address, data).status_code == 403, address
    assert state() == before


def test_every_act_needs_a_csrf_token_and_a_post(each: UUID, alice: Client) -> None:
    strict = without_token(alice)
    before = state()
    for address, data in acts(each):
        assert strict.post(address, data).status_code == 403, address
        assert alice.get(address).status_code == 405, address
    assert state() == before


def test_staff_without_the_permission_see_none_of_it(each: UUID, carol: Client) -> None:
    for address in pages(each):
        assert carol.get(address).status_code == 403, address


def test_a_stranger_is_sent_to_the_login(each: UUID) -> None:
    are_closed_to_strangers(pages(each))


def test_the_pages_are_in_the_sidebar_of_who_may_see_them(
    each: UUID, bob: Client, carol: Client
) -> None:
    page = bob.get(to()).content.decode()
    assert f'href="{notices()}"' in page
    assert notices() not in carol.get("/admin/").content.decode()
