"""Periodic jobs on django-q2 `Schedule` rows, fired to the second, once per slot.

A kind declares its schedule (`every="2m"`, `cron="5 0 * * *"`); migrate writes the row; people edit and
pause it in the admin. Each row has a ScheduleEntry with what django-q2 cannot say: seconds, 6 fields,
jitter. Rows of third parties (django_q.tasks.schedule) are fired too. django-q2's own scheduler is off:
it runs every 30 s and one bad row makes it fire the others again and again.
"""

import ast
import logging
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from croniter import croniter
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, OuterRef
from django.dispatch import Signal
from django.utils.timezone import get_current_timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from jobs import crons, sql
from jobs.compiled import Compiled, Param
from jobs.models import ScheduleEntry, ScheduleFire
from jobs.registry import JobKind, kind_get, kinds
from jobs.third_party import JobCatcher
from lib import clock

logger = logging.getLogger(__name__)

OURS = "jobs.schedules.fire_now"
ROUND = 50

_LOCK = Compiled(
    lambda: (
        Schedule.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("entry")
        .annotate(
            is_fired=Exists(
                ScheduleFire.objects.filter(entry=OuterRef("entry"), slot_at=OuterRef("next_run"))
            )
        )
        .filter(pk=Param("id"))
    )
)
# What a slot leaves behind, whether it has made a job or was fired before.
_WRITE = """
WITH fire AS (
    INSERT INTO jobs_schedulefire (entry_id, slot_at, job_id, fired_at)
    SELECT %(entry)s, %(slot)s::timestamptz, %(job)s::uuid, %(now)s::timestamptz
    WHERE %(job)s::uuid IS NOT NULL
), entry AS (
    UPDATE jobs_scheduleentry SET last_slot_at = %(slot)s, last_job_id = %(job)s::uuid
    WHERE id = %(entry)s AND %(job)s::uuid IS NOT NULL
)
UPDATE django_q_schedule SET next_run = %(following)s, repeats = %(repeats)s, task = %(task)s
WHERE id = %(schedule)s
"""

# Sent when a schedule cannot be fired and is put aside: entry, reason.
schedule_quarantined = Signal()


def schedules_fire() -> int:
    """Fire what is due. Returns how many fired.

    Any number of clusters may call it: a row is taken by one (SKIP LOCKED), a slot is fired once (a
    constraint). A row that cannot be fired is quarantined and does not hold up the others.
    """
    fired = 0
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.id FROM django_q_schedule s LEFT JOIN jobs_scheduleentry e ON e.schedule_id = s.id
            WHERE s.next_run <= %s AND s.repeats <> 0 AND e.paused_at IS NULL
                AND e.quarantined_at IS NULL
            ORDER BY s.next_run LIMIT %s""",
            [clock.now(), ROUND],
        )
        due = [row[0] for row in cursor.fetchall()]
    for schedule_id in due:
        fired += _fire_row(schedule_id)
    return fired


def _fire_row(schedule_id: int) -> int:
    try:
        with transaction.atomic():
            schedule = _lock_due(schedule_id)
            return 0 if schedule is None else _fire_slot(schedule, _entry_of(schedule))
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy; the row is as good as before
    except Exception as exc:  # noqa: BLE001 - anybody may write such rows, with anything in them
        with transaction.atomic():
            schedule = _lock_due(schedule_id)  # nobody else has fired it meanwhile
            if schedule is not None:
                _quarantine(_entry_of(schedule), f"{type(exc).__name__}: {exc}")
        return 0


def _lock_due(schedule_id: int) -> Schedule | None:
    """The row with its entry, if it is due still and nobody else has it."""
    schedule = _LOCK.one(id=schedule_id)
    if schedule is None or schedule.next_run is None or schedule.next_run > clock.now():
        return None
    # What runs once keeps its time: who has waited for the lock sees by this that it has run.
    return None if schedule.repeats == 0 else schedule


def _entry_of(schedule: Schedule) -> ScheduleEntry:
    """Our side of the row; one that third parties have written gets it here."""
    try:
        entry: ScheduleEntry = schedule.entry
    except ScheduleEntry.DoesNotExist:
        name = f"{(schedule.name or schedule.func)[:80]} #{schedule.pk}"
        entry = ScheduleEntry.objects.create(schedule=schedule, name=name, is_declared=False)
    return entry


def _fire_slot(schedule: Schedule, entry: ScheduleEntry) -> int:
    slot, now = schedule.next_run, clock.now()
    job_id = None
    if not schedule.is_fired:
        job_id, schedule.task = _enqueue(schedule, entry, jitter=True)
    following = _next_run(schedule, entry, slot, now)
    left = schedule.repeats - 1 if schedule.repeats > 0 else schedule.repeats  # -1: for ever
    sql.run(
        _WRITE,
        {
            "schedule": schedule.pk,
            "entry": entry.pk,
            "slot": slot,
            "job": job_id,
            "now": now,
            "following": following or slot,
            "repeats": 0 if following is None else left,
            "task": schedule.task,
        },
    )
    return int(job_id is not None)


def _next_run(
    schedule: Schedule, entry: ScheduleEntry, slot: datetime, now: datetime
) -> datetime | None:
    if entry.cron:
        return crons.next_by_cron(entry.cron, max(slot, now), entry.timezone)
    if entry.every_s:
        return crons.next_by_interval(slot, timedelta(seconds=entry.every_s), now)
    if schedule.schedule_type == Schedule.ONCE:
        return None
    if schedule.schedule_type == Schedule.CRON:
        # django-q2 would count from the real clock, which may not be ours.
        local = max(slot, now).astimezone(get_current_timezone())
        found: datetime = croniter(schedule.cron, local).get_next(datetime)
        return found
    following: datetime = slot
    while following <= now:
        following = schedule.calculate_next_run(following)
    return following


def _enqueue(schedule: Schedule, entry: ScheduleEntry, *, jitter: bool) -> tuple[UUID, str]:
    """Make the job. Returns its id, and the id by which django-q2 knows it."""
    if not entry.kind:
        return _third_party(schedule)
    kind = kind_get(entry.kind)
    delay = random.uniform(0, entry.jitter_s) if jitter and entry.jitter_s else 0.0  # noqa: S311
    # Unique while it is open: a slot that comes while the last run still waits adds nothing.
    made = kind.enqueue(**entry.args, delay=delay, unique=("schedule", entry.name))
    return made.id, made.id.hex


def _third_party(schedule: Schedule) -> tuple[UUID, str]:
    args = ast.literal_eval(schedule.args) if schedule.args else ()
    args = args if isinstance(args, tuple) else (args,)
    kwargs: dict[str, Any] = {}
    if schedule.kwargs:
        try:
            kwargs = ast.literal_eval(schedule.kwargs)
        except (SyntaxError, ValueError):
            call = ast.parse(f"f({schedule.kwargs})", mode="eval").body
            if not isinstance(call, ast.Call) or call.args or not all(w.arg for w in call.keywords):
                raise ValueError(f"kwargs {schedule.kwargs!r} are not name=value pairs") from None
            kwargs = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    if schedule.intended_date_kwarg:
        kwargs[schedule.intended_date_kwarg] = schedule.next_run.isoformat()
    options = {"group": schedule.name or str(schedule.pk), **kwargs.pop("q_options", {})}
    if schedule.hook:
        options["hook"] = schedule.hook
    options["broker"] = catcher = JobCatcher()
    task_id: str = async_task(schedule.func, *args, q_options=options, **kwargs)
    return catcher.job_id or UUID(task_id), task_id


def _quarantine(entry: ScheduleEntry, reason: str) -> None:
    entry.quarantined_at, entry.quarantine_reason = clock.now(), reason
    entry.save(update_fields=["quarantined_at", "quarantine_reason"])
    logger.error(
        "schedule %s is quarantined: %s", entry.name, reason, extra={"schedule": entry.name}
    )
    schedule_quarantined.send(ScheduleEntry, entry=entry, reason=reason)


def fire_now(name: str) -> str:
    """Run a schedule's job now, besides its slots. Returns the job id. Raises KindUnknown."""
    entry = ScheduleEntry.objects.select_related("schedule").get(name=name)
    with transaction.atomic():
        job_id, _ = _enqueue(entry.schedule, entry, jitter=False)
        ScheduleEntry.objects.filter(pk=entry.pk).update(last_job_id=job_id)
    return str(job_id)


def schedule_skip_missed(entry: ScheduleEntry) -> None:
    """Move a schedule whose time has passed to its next slot, without firing."""
    schedule, now = entry.schedule, clock.now()
    if schedule.next_run is not None and schedule.next_run <= now:
        following = _next_run(schedule, entry, schedule.next_run, now)
        if following is not None:  # what runs only once is late, not missed
            Schedule.objects.filter(pk=schedule.pk).update(next_run=following)


def schedule_edit(
    entry: ScheduleEntry, *, every_s: float | None, cron: str, timezone: str = "UTC"
) -> None:
    """Change when a schedule runs, by a person; migrate leaves it alone from then on.

    Raises CronInvalid. Takes a quarantined schedule back to work.
    """
    if bool(cron) == bool(every_s):
        raise crons.CronInvalid("give an interval or a cron expression, not both")
    if every_s is not None and every_s < 1:
        raise crons.CronInvalid("an interval has at least one second")
    now = clock.now()
    with transaction.atomic():
        entry.every_s, entry.cron, entry.timezone = every_s or None, cron, timezone
        entry.is_edited = True
        entry.quarantined_at, entry.quarantine_reason = None, ""
        following = (
            crons.next_by_cron(cron, now, timezone)
            if cron
            else now + timedelta(seconds=every_s or 0)
        )
        entry.save()
        Schedule.objects.filter(pk=entry.schedule_id).update(next_run=following, repeats=-1)


def schedules_declare() -> None:
    """Write the schedules that kinds declare; after each migrate. Repeat-safe; edits of people stay."""
    declared = [kind for kind in kinds() if kind.periodic is not None]
    for kind in declared:
        _declare(kind)
    gone = ScheduleEntry.objects.filter(is_declared=True).exclude(
        name__in=[kind.name for kind in declared]
    )
    Schedule.objects.filter(entry__in=gone).delete()


def _declare(kind: JobKind[Any]) -> None:
    assert kind.periodic is not None
    when = kind.periodic
    if when.cron:
        crons.check(when.cron)
    fields: dict[str, Any] = {
        "kind": kind.name,
        "every_s": when.every.total_seconds() if when.every else None,
        "cron": when.cron,
        "jitter_s": when.jitter.total_seconds(),
    }
    now = clock.now()
    with transaction.atomic():
        entry = ScheduleEntry.objects.filter(name=kind.name).first()
        if entry is not None and (
            entry.is_edited or all(getattr(entry, k) == v for k, v in fields.items())
        ):
            return
        if when.immediate and entry is None:
            first = now
        elif when.cron:
            first = crons.next_by_cron(when.cron, now)
        else:
            assert when.every is not None
            first = now + when.every
        plain_cron = when.cron if len(when.cron.split()) == 5 else None
        row = {
            "func": OURS,
            "args": repr((kind.name,)),
            "schedule_type": Schedule.CRON if plain_cron else Schedule.MINUTES,
            "cron": plain_cron,
            "minutes": None if plain_cron else max(1, round((fields["every_s"] or 60) / 60)),
            "repeats": -1,
            "next_run": first,
        }
        if entry is None:
            schedule = Schedule.objects.create(name=kind.name, **row)
            ScheduleEntry.objects.create(schedule=schedule, name=kind.name, **fields)
        else:
            Schedule.objects.filter(pk=entry.schedule_id).update(**row)
            ScheduleEntry.objects.filter(pk=entry.pk).update(**fields)
