"""Who may see and do what: readers see every page without a button, acts are refused on the server."""

import re
from typing import Any

import pytest
from django.test import Client

from jobs import batches, breakers
from jobs.models import AuditEntry, Breaker, Job, Queue, ScheduleEntry, Worker
from jobs.registry import JobKind
from jobs.testing import drain
from jobs.workers import worker_start
from tests.console import are_closed_to_strangers, without_token
from tests.jobs.admin.ways import job, to

pytestmark = pytest.mark.django_db


class World:
    """One of everything, and the addresses of all pages and acts."""

    def __init__(self, kind: JobKind[Any]) -> None:
        self.dead = kind.enqueue(payment_id=1, currency="XYZ").id
        drain()
        self.waiting = kind.enqueue(payment_id=2, delay="1h", partition="k").id
        self.batch = batches.batch_open(title="b")
        self.entry = ScheduleEntry.objects.first()
        assert self.entry is not None
        worker_start("w1", host="h", pid=1, queues=["default"])
        for _ in range(3):
            breakers.record_failure("panel", "502")

    def pages(self) -> list[str]:
        assert self.entry is not None
        return [
            *(
                to(f"{name}_changelist")
                for name in (
                    "queue", "jobrecord", "worker", "scheduleentry", "breaker", "batch", "auditentry"
                )
            ),
            to("jobrecord_dead"),
            to("jobrecord_keys"),
            f"{to('jobrecord_key')}?key=k",
            to("queue_live"),
            job(self.dead),
            job(self.waiting),
            job(self.waiting, "live"),
            to("batch_change", self.batch),
            to("scheduleentry_change", self.entry.pk),
        ]  # fmt: skip

    def acts(self) -> list[tuple[str, dict[str, str]]]:
        assert self.entry is not None
        return [
            (to("queue_pause", "default"), {"reason": "x"}),
            (to("queue_resume", "default"), {}),
            (job(self.waiting, "run"), {}),
            (job(self.waiting, "cancel"), {}),
            (job(self.waiting, "priority"), {"priority": "0"}),
            (job(self.dead, "replay"), {}),
            (job(self.dead, "edit"), {"args": '{"payment_id": 1}'}),
            (job(self.dead, "discard"), {}),
            (to("jobrecord_act"), {"action": "discard", "id": str(self.dead)}),
            (to("worker_direct", "w1"), {"directive": "quiet"}),
            (to("scheduleentry_run", self.entry.pk), {}),
            (to("scheduleentry_pause", self.entry.pk), {}),
            (to("scheduleentry_resume", self.entry.pk), {}),
            (to("scheduleentry_change", self.entry.pk), {"every": "5s", "timezone": "UTC"}),
            (to("breaker_close", "panel"), {}),
            (to("breaker_open", "panel"), {}),
        ]

    def state(self) -> list[Any]:
        """Everything that an act could have changed."""
        return [
            list(Job.objects.order_by("id").values()),
            list(Queue.objects.order_by("name").values()),
            list(Worker.objects.values()),
            list(ScheduleEntry.objects.order_by("id").values()),
            list(Breaker.objects.values()),
            AuditEntry.objects.count(),
        ]


@pytest.fixture
def world(failing: JobKind[Any]) -> World:
    return World(failing)


def test_a_reader_sees_every_page_and_no_button(world: World, bob: Client) -> None:
    for address in world.pages():
        answer = bob.get(address)
        assert answer.status_code == 200, address
        inside = answer.content.decode().split('<div class="console"', 1)[-1]
        assert not re.search(r'<form[^>]*method="post"', inside), address
        assert "with all that match" not in inside


def test_an_operator_finds_buttons_where_the_reader_finds_none(world: World, alice: Client) -> None:
    for address, label in (
        (to("queue_changelist"), "Pause the queue"),
        (job(world.dead), "Fix the args and replay"),
        (to("worker_changelist"), "Quiet the worker"),
        (to("scheduleentry_changelist"), "Run it now"),
        (to("breaker_changelist"), "Close the breaker"),
    ):
        assert label in alice.get(address).content.decode(), address


def test_every_act_of_a_reader_is_refused_and_changes_nothing(world: World, bob: Client) -> None:
    before = world.state()
    for address, data in world.acts():
        assert bob.post(address, data).status_code == 403, address
    assert world.state() == before


def test_the_dry_run_is_not_for_readers_either(world: World, bob: Client) -> None:
    address = f"{to('jobrecord_act')}?action=replay&scope=matching&state=dead"
    assert bob.get(address).status_code == 403


def test_every_act_needs_a_csrf_token(world: World, alice: Client) -> None:
    strict = without_token(alice)
    before = world.state()
    for address, data in world.acts():
        assert strict.post(address, data).status_code == 403, address
    assert world.state() == before


def test_looking_at_the_address_of_an_act_does_nothing(world: World, alice: Client) -> None:
    before = world.state()
    pages = {to("scheduleentry_change", world.entry.pk), job(world.dead, "edit")}  # type: ignore[union-attr]
    for address, _ in world.acts():
        if address not in pages and address != to("jobrecord_act"):
            assert alice.get(address).status_code == 405, address
    assert world.state() == before


def test_staff_without_the_permission_see_none_of_it(world: World, carol: Client) -> None:
    for address in world.pages():
        assert carol.get(address).status_code == 403, address


def test_a_stranger_is_sent_to_the_login(world: World) -> None:
    are_closed_to_strangers(world.pages())


def test_the_lists_of_django_q_are_gone(alice: Client) -> None:
    for model in ("ormq", "failure", "success", "schedule"):
        assert alice.get(f"/admin/django_q/{model}/").status_code == 404


def test_what_is_not_there_is_said_as_404(alice: Client) -> None:
    nobody = "01a20126-2444-77bf-afca-4b375b839c94"
    assert alice.get(to("jobrecord_change", nobody)).status_code == 404
    assert alice.get(to("batch_change", nobody)).status_code == 404
    assert alice.get(to("scheduleentry_change", 999_999)).status_code == 404
