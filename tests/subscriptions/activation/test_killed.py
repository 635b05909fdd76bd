"""kill -9 at every step between "paid" and "told": one activation, one confirmation, one period."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from jobs.lease import leases_reap
from jobs.testing import drain
from notifications.telegram.models import QueuedMessage
from subscriptions.models import Activation, Subscriber, SubscriberEvent
from tests.panels import TOKEN
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import ends_of, order_open, pay, person_make, plan_make

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("committed")]
PROJECT = Path(__file__).resolve().parents[3]
MONTH = timedelta(days=30)
# Of the platform too: the job was run, and how it ended was not written yet.
PLATFORM = ["after_lease", "before_run", "after_run", "before_write"]
RENEWS = [
    "activation.recorded", "activation.begun", "activation.read", "activation.dated",
    "activation.patched", "activation.reset", "activation.served", "activation.noted",
    "activation.told",
]  # fmt: skip
NEW = [
    "activation.recorded", "activation.begun", "activation.dated", "activation.created",
    "activation.bound", "activation.read", "activation.served", "activation.noted",
    "activation.told",
]  # fmt: skip
RUNS = [("renews", point) for point in RENEWS + PLATFORM] * 2 + [
    ("new", point) for point in NEW + PLATFORM[2:] + ["before_run"]
] * 2


class Nursery:
    """The other process."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.subscriptions.activation.nursery"],
            cwd=PROJECT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._answer()

    def child(self, act: str, argument: str = "", fault: str = "") -> int:
        """How a child ended that did this: a negative signal, or its status."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps([act, argument, fault]) + "\n")
        self._process.stdin.flush()
        return int(self._answer())

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the nursery is dead"
        return line


@pytest.fixture
def nursery(panel: PanelHand, sandbox: Sandbox) -> Iterator[Nursery]:
    found = Nursery(
        {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "NURSERY_DATABASE": str(connection.settings_dict["NAME"]),
            "SWITCHBOARD_FAULTS": "nowhere.yet=kill",
            "DEBUG": "1",
            "REMNAWAVE_URL": sandbox.panel_url,
            "REMNAWAVE_API_TOKEN": TOKEN,
            "PANEL_RATE": "10000/s",
            "LOG_LEVEL": "CRITICAL",
        }
    )
    yield found
    found.close()


def finish() -> None:
    """What a pool does after a death: take the jobs back, and run them."""
    leases_reap(worker="test:drain")
    drain(queues=["notifications"])


def test_killed_at_any_step_everybody_gets_one_period_and_one_message(
    nursery: Nursery, panel: PanelHand
) -> None:
    assert len(RUNS) == 50
    plan = plan_make(traffic_limit_bytes=1000)
    for kind, point in RUNS:
        person = None
        if kind == "renews":
            used = 1000 if point == "activation.reset" else 0
            person = person_make(panel, plan=plan, trafficLimitBytes=1000, usedTrafficBytes=used)
        payment = order_open(person, plan)
        said = f"{kind}, {point}"
        if point == "activation.recorded":
            assert nursery.child("pay", str(payment.pk), point) == -signal.SIGKILL, said
            assert not Activation.objects.filter(payment=payment).exists(), said
            pay(payment)
        else:
            pay(payment)
            assert nursery.child("work", fault=point) == -signal.SIGKILL, said
        finish()
        activation = Activation.objects.select_related("payment", "subscriber").get(payment=payment)
        who = activation.subscriber
        assert activation.state == Activation.State.APPLIED, said
        assert who is not None, said
        assert activation.payment.completed_at is not None
        base = person.expire_at if person else activation.payment.completed_at
        assert abs(ends_of(panel, who) - base - MONTH) < timedelta(milliseconds=2), said
        kinds = SubscriberEvent.objects.filter(subscriber=who, payment_id=payment.pk).values_list(
            "kind", flat=True
        )
        assert sorted(kinds).count("activated") == sorted(kinds).count("told_served") == 1, said
        key = f"payment_received:{payment.pk}:served"
        assert QueuedMessage.objects.filter(dedup_key=key).count() == 1, said
    assert QueuedMessage.objects.count() == len(RUNS)
    assert Subscriber.objects.count() == len(panel.users()) == len(RUNS)
