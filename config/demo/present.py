"""What an operator finds this morning: a paused queue, a dead panel with a line of jobs behind it, a
schedule that cannot run, jobs for later; and what colleagues have done already, in the audit log."""

from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.db import transaction
from django_q.models import Schedule

from config.demo import tasks
from jobs import breakers
from jobs.batches import batch_open, batch_seal
from jobs.console import queue_pause, schedule_pause
from jobs.enqueue import enqueue_many
from jobs.models import Job, State
from jobs.operations import job_cancel, job_replay
from lib import clock

NODES = ("fra-1", "fra-2", "ams-1")
BAD_SCHEDULE = "demo.weekly_invoice"


@transaction.atomic
def present_make() -> None:
    """Make the rows. Not repeat-safe: it makes them again."""
    olga = colleague("olga", "Operator")
    queue_pause(
        name="demo-imports", by=olga, reason="users.csv has last year's dates; Dima fixes it"
    )
    enqueue_many([(tasks.import_row, {"file": "users.csv", "line": n}) for n in range(1, 41)])
    _panel_down()
    schedule_pause(name="demo.nightly_export", by=olga)
    Schedule.objects.create(
        name=BAD_SCHEDULE,
        func="demo.invoices.write",
        args="(week=",  # what a person may have typed into the admin
        schedule_type=Schedule.DAILY,
        next_run=clock.now(),
    )
    _later()
    _batch()
    _what_olga_did(olga)


def colleague(name: str, group: str) -> User:
    """A person who cannot log in: only their deeds are seen."""
    user, is_new = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        user.groups.add(Group.objects.get(name=group))
    return user


def _panel_down() -> None:
    """Lines of jobs, one per node, behind a panel whose breaker is open."""
    enqueue_many(
        [
            (tasks.sync_node, {"node": node, "revision": n, "partition": f"node:{node}"})
            for node in NODES
            for n in range(41, 49)
        ]
    )
    for _ in range(breakers.THRESHOLD):
        breakers.record_failure(tasks.PANEL, "PanelUnreachable: connection refused")


def _later() -> None:
    hour = timedelta(hours=1)
    enqueue_many(
        [
            (
                tasks.charge_card,
                {"user_id": 8000 + n, "amount_cents": 900, "delay": hour * (n + 1) / 2},
            )
            for n in range(12)
        ]
    )


def _batch() -> None:
    batch = batch_open(title="Weekly reports of all regions")
    rows = [{"day": day, "amount": 100 + day} for day in range(1, 8)]
    enqueue_many(
        [
            (tasks.render_report, {"template": region, "rows": rows, "batch": batch})
            for region in ("eu", "us", "asia", "latam")
        ]
    )
    batch_seal(batch)


def _what_olga_did(olga: User) -> None:
    """She has mended one of the dead and cancelled a charge."""
    misspelt = Job.objects.filter(
        kind=tasks.activate_subscription.name, state=State.DEAD, args__plan="premum"
    ).first()
    if misspelt is not None:
        job_replay(job_id=misspelt.pk, by=olga, args={**misspelt.args, "plan": "premium"})
    charge = Job.objects.filter(kind=tasks.charge_card.name, args__user_id=8003).first()
    if charge is not None:
        job_cancel(job_id=charge.pk, by=olga, reason="the customer has paid in cash")
