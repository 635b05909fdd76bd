"""Who may see and do what: readers see every page without a button, acts are refused on the server."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import AuditEntry
from lib import clock
from lib.ids import uuid7
from notifications.webhooks.models import Delivery, Endpoint, Lane
from tests.console import are_closed_to_strangers, without_token
from tests.notifications.webhooks.admin.ways import hooks, html, sent
from tests.notifications.webhooks.rows import delivery_make, endpoint_make

FORM = {
    "title": "Other", "url": "https://other.example/", "everything": "on", "max_in_flight": "8",
    "timeout_s": "15",
}  # fmt: skip


class World:
    """One of everything, and the addresses of all pages and acts."""

    def __init__(self) -> None:
        self.on = endpoint_make()
        Lane.objects.update(open_until=clock.now().replace(year=2999))
        self.off = endpoint_make(
            state="disabled", disabled_at=clock.now(), disabled_reason="failing"
        )
        self.failed = delivery_make(self.on, state="failed")
        self.waiting = delivery_make(self.on)

    def pages(self) -> list[str]:
        return [
            hooks(),
            hooks("types"),
            hooks("change", self.on.pk),
            hooks("change", self.off.pk),
            hooks("live", self.on.pk),
            sent(),
            sent("change", self.failed.pk),
            sent("change", self.waiting.pk),
            sent("live", self.waiting.pk),
        ]

    def set_up(self) -> list[tuple[str, dict[str, str]]]:
        """What only those do who set it up."""
        return [
            (hooks("new"), FORM),
            (hooks("edit", self.on.pk), FORM),
            *(
                (hooks(act, self.on.pk), {})
                for act in ("disable", "rotate", "retire", "secret", "remove")
            ),
            (hooks("enable", self.off.pk), {}),
        ]

    def operate(self) -> list[tuple[str, dict[str, str]]]:
        return [
            (hooks("ping", self.on.pk), {}),
            (hooks("try_now", self.on.pk), {}),
            (hooks("replay", self.on.pk), {"since": "2h", "which": "failed"}),
            (sent("replay", self.failed.pk), {}),
            (sent("cancel", self.waiting.pk), {}),
            (sent("act"), {"action": "replay", "id": str(self.failed.pk)}),
        ]

    def state(self) -> list[Any]:
        """Everything that an act could have changed."""
        return [
            list(Endpoint.objects.order_by("pk").values()),
            list(Lane.objects.order_by("pk").values()),
            list(Delivery.objects.order_by("pk").values()),
            AuditEntry.objects.count(),
        ]


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_a_reader_sees_every_page_and_no_button(world: World, bob: Client) -> None:
    for address in world.pages():
        answer = bob.get(address)
        assert answer.status_code == 200, address
        assert not re.search(r'<form[^>]*method="post"', html(answer)), address
        assert "Replay since a time" not in html(answer)
        assert hooks("new") not in html(answer)
        assert "whsec_" not in html(answer)


def test_an_operator_finds_what_she_may_do(world: World, alice: Client) -> None:
    for address, label in (
        (hooks("change", world.on.pk), "Send the test event"),
        (hooks("change", world.on.pk), "Try it now"),
        (hooks("change", world.on.pk), "See how many"),
        (sent("change", world.failed.pk), "Replay the delivery"),
        (sent("change", world.waiting.pk), "Cancel the delivery"),
        (sent(state="failed"), "with all that match"),
    ):
        assert label in html(alice.get(address)), label
    assert "Rotate the secret" not in html(alice.get(hooks("change", world.on.pk)))


def test_who_sets_it_up_finds_the_rest(world: World, anna: Client) -> None:
    for address, label in (
        (hooks(), "New endpoint"),
        (hooks("change", world.on.pk), "Disable the endpoint"),
        (hooks("change", world.off.pk), "Enable the endpoint"),
        (hooks("change", world.on.pk), "Rotate the secret"),
        (hooks("change", world.on.pk), "Show the secrets"),
        (hooks("change", world.on.pk), "Delete the endpoint"),
    ):
        assert label in html(anna.get(address)), label


def test_every_act_of_a_reader_is_refused_and_changes_nothing(world: World, bob: Client) -> None:
    before = world.state()
    for address, given in world.set_up() + world.operate():
        assert bob.post(address, given).status_code == 403, address
    assert world.state() == before


def test_an_operator_sets_nothing_up(world: World, alice: Client) -> None:
    before = world.state()
    for address, given in world.set_up():
        assert alice.post(address, given).status_code == 403, address
    assert alice.get(hooks("new")).status_code == 403
    assert alice.get(hooks("edit", world.on.pk)).status_code == 403
    assert world.state() == before


def test_dry_runs_are_not_for_readers_either(world: World, bob: Client) -> None:
    assert bob.get(hooks("replay", world.on.pk, since="2h", which="all")).status_code == 403
    address = sent("act", action="replay", scope="matching", state="failed")
    assert bob.get(address).status_code == 403


def test_every_act_needs_a_csrf_token(world: World, anna: Client) -> None:
    strict = without_token(anna)
    before = world.state()
    for address, given in world.set_up() + world.operate():
        assert strict.post(address, given).status_code == 403, address
    assert world.state() == before


def test_looking_at_the_address_of_an_act_does_nothing(world: World, anna: Client) -> None:
    before = world.state()
    for act in ("ping", "try_now", "disable", "rotate", "retire", "secret", "remove"):
        assert anna.get(hooks(act, world.on.pk)).status_code == 405, act
    assert anna.get(sent("replay", world.failed.pk)).status_code == 405
    assert world.state() == before


def test_staff_without_the_permission_see_none_of_it(world: World, carol: Client) -> None:
    for address in world.pages():
        assert carol.get(address).status_code == 403, address


def test_a_stranger_is_sent_to_the_login(world: World) -> None:
    are_closed_to_strangers(world.pages())


def test_what_is_not_there_is_said_as_404(alice: Client) -> None:
    assert alice.get(hooks("change", uuid7())).status_code == 404
    assert alice.get(hooks("live", uuid7())).status_code == 404
    for number in (404, 2**63, 10**30):
        assert alice.get(f"{sent()}{number}/change/").status_code == 404


def test_rows_are_not_edited_past_the_services(world: World, anna: Client) -> None:
    for model in ("endpoint", "delivery"):
        home = reverse(f"admin:webhooks_{model}_changelist")
        for page in ("add/", f"{world.failed.pk}/delete/"):
            assert anna.post(f"{home}{page}").status_code == 404
