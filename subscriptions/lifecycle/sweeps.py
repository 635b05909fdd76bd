r"""One run of a sweep: its set is computed first and kept, then the brake decides, then it runs.

begin -> held --approve--> running --> done
   |       \--refuse--> refused    \--stop--> stopped
   \-> observed (computed and shown, nothing done)

The set is fixed when the run begins: an approval acts on exactly these people, each looked at again.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from jobs import sql
from jobs.alerts import attention
from jobs.audit import Account, audit_write
from jobs.registry import kind_get
from lib import clock
from subscriptions.lifecycle.brake import RUNS, Size, held_reason, is_counting_needed, usual_of
from subscriptions.lifecycle.errors import (
    SweepAlreadyRan,
    SweepNotHeld,
    SweepNotRunning,
    SweepUnknown,
)
from subscriptions.lifecycle.kinds import SweepKind, sweep_kind
from subscriptions.models import Sweep, SweepItem, SweepSettings, SweepState

OBJECT, LIMITS = "sweep", "limits of sweep"  # what the audit log calls them
RUN = "subscriptions.run_sweep"
SAMPLE = 20
OPEN = (SweepState.HELD, SweepState.RUNNING)


def sweep_begin(kind: SweepKind, *, key: str | None = None, by: Account = None) -> Sweep | None:
    """Compute a set and begin a run, unless one is open: then that one goes on. None: nobody is meant.

    key: what this run is for, if it may happen once only. Raises SweepAlreadyRan.
    Locks: the settings of the sweep, so of two schedulers one begins and the other finds its run.
    """
    now = clock.now()
    with transaction.atomic():
        limits = settings_lock(kind.name)
        found = Sweep.objects.filter(name=kind.name, state__in=OPEN).first()
        if found is not None:
            if found.state == SweepState.RUNNING:
                _run_enqueue(found)
            return found
        if key is not None and Sweep.objects.filter(name=kind.name, key=key).exists():
            raise SweepAlreadyRan(f"{kind.title} has run for {key} already")
        sweep = Sweep.objects.create(
            name=kind.name, key=key, state=SweepState.OBSERVED, started_at=now
        )
        sweep.found = _set_write(sweep, kind.chosen, kind.params(now))
        if not sweep.found and key is None:
            sweep.delete()
            return None
        _measure(sweep, kind, limits)
        _decide(sweep, kind, limits)
        sweep.save()
        if by is not None:
            audit_write(by, "sweeps.begin", OBJECT, sweep.pk, name=kind.name, found=sweep.found)
    return sweep


def settings_lock(name: str) -> SweepSettings:
    """The limits of a sweep, locked until the transaction ends."""
    SweepSettings.objects.bulk_create([SweepSettings(name=name)], ignore_conflicts=True)
    return SweepSettings.objects.select_for_update(no_key=True).get(pk=name)


def _set_write(sweep: Sweep, chosen: str, params: Mapping[str, Any]) -> int:
    return sql.run(
        f"""INSERT INTO subscription_sweep_item (sweep_id, subscriber_id, expire_at)
        SELECT %(sweep)s, c.id, c.expire_at FROM ({chosen}) c (id, expire_at)
        ORDER BY c.expire_at, c.id""",
        {**params, "sweep": sweep.pk},
    )


def _measure(sweep: Sweep, kind: SweepKind, limits: SweepSettings) -> None:
    before = Sweep.objects.filter(name=kind.name, found__gt=0).exclude(pk=sweep.pk)
    before = before.exclude(state__in=[SweepState.REFUSED, SweepState.HELD])
    sweep.usual = usual_of(list(before.order_by("-id").values_list("found", flat=True)[:RUNS]))
    if kind.can_cut and is_counting_needed(sweep.found, limits):
        counted = sql.row(
            """SELECT count(*) FROM subscriber
            WHERE status IN ('ACTIVE', 'LIMITED') AND missing_since IS NULL"""
        )
        sweep.served = counted[0] if counted else 0
    sweep.sample = [
        {"id": pk, "username": name, "expire_at": moment.isoformat()}
        for pk, name, moment in SweepItem.objects.filter(sweep=sweep)
        .order_by("id")
        .values_list("subscriber_id", "subscriber__username", "expire_at")[:SAMPLE]
    ]


def _decide(sweep: Sweep, kind: SweepKind, limits: SweepSettings) -> None:
    if limits.is_observing:
        sweep.state, sweep.finished_at = SweepState.OBSERVED, clock.now()
        sweep.key = None  # it has done nothing, so the real one is still to come
        # Each run finds the same people again as long as it only observes: the last set is enough.
        SweepItem.objects.filter(sweep__name=kind.name, sweep__state=SweepState.OBSERVED).exclude(
            sweep=sweep
        ).delete()
        return
    size = Size(sweep.found, sweep.usual, sweep.served)
    sweep.held_reason = held_reason(size, limits) if kind.can_cut else ""
    if sweep.held_reason:
        sweep.state = SweepState.HELD
        _alert(sweep, kind)
    elif sweep.found:
        sweep.state = SweepState.RUNNING
        _run_enqueue(sweep)
    else:
        sweep.state, sweep.finished_at = SweepState.DONE, clock.now()


def _alert(sweep: Sweep, kind: SweepKind) -> None:
    names = ", ".join(each["username"] for each in sweep.sample)
    attention(
        group=f"sweep:{kind.name}",
        title=f"{kind.title} waits: it would cut {sweep.found} people",
        text=f"{sweep.held_reason} Nobody is cut until somebody approves. Among them: {names}",
        severity="critical",
        link=address_of(sweep.pk),
    )


def address_of(sweep_id: UUID) -> str:
    """The page of a sweep."""
    return reverse("admin:subscriptions_sweep_change", args=[sweep_id])


def _run_enqueue(sweep: Sweep) -> None:
    """One at a time, whoever asks: while a job of the sweep lives, that one is found."""
    kind_get(RUN).enqueue(sweep_id=sweep.pk, unique=sweep.pk)


def sweeps_resume() -> int:
    """Give every sweep that is not over a job, should its last one have died. Returns how many.

    A stopped one is not over as long as somebody is begun and not decided.
    """
    begun = SweepItem.objects.filter(sweep=OuterRef("pk"), fate="")
    running = list(
        Sweep.objects.filter(
            Q(state=SweepState.RUNNING) | Q(state=SweepState.STOPPED) & Exists(begun)
        )
    )
    for sweep in running:
        _run_enqueue(sweep)
    return len(running)


def sweep_get(sweep_id: UUID) -> Sweep:
    """A sweep. Raises SweepUnknown."""
    found = Sweep.objects.filter(pk=sweep_id).first()
    if found is None:
        raise SweepUnknown(f"there is no sweep {sweep_id}")
    return found


def sweep_approve(*, sweep_id: UUID, by: Account) -> Sweep:
    """Let a held sweep run, on exactly its set. Raises SweepUnknown, SweepNotHeld."""
    with transaction.atomic():
        sweep = _locked(sweep_id)
        if sweep.state != SweepState.HELD:
            raise SweepNotHeld(f"it is {sweep.get_state_display()}")
        _decided(sweep, SweepState.RUNNING, by)
        sweep.save(update_fields=["state", "decided_by", "decided_at"])
        _run_enqueue(sweep)
        audit_write(by, "sweeps.approve", OBJECT, sweep.pk, name=sweep.name, found=sweep.found)
    return sweep


def sweep_refuse(*, sweep_id: UUID, by: Account) -> Sweep:
    """Cut nobody of a held sweep, also not in later runs, as long as their date is the same.

    Raises SweepUnknown, SweepNotHeld.
    """
    with transaction.atomic():
        sweep = _locked(sweep_id)
        if sweep.state != SweepState.HELD:
            raise SweepNotHeld(f"it is {sweep.get_state_display()}")
        _decided(sweep, SweepState.REFUSED, by)
        _open_skip(sweep, "refused")
        audit_write(by, "sweeps.refuse", OBJECT, sweep.pk, name=sweep.name, found=sweep.found)
    return sweep


def sweep_stop(*, sweep_id: UUID, by: Account) -> Sweep:
    """Begin nobody more of a running sweep; who is just being asked about ends by itself.

    Holds from the moment this returns. One that happens once in a period may then be begun again, for
    the rest. Raises SweepUnknown, SweepNotRunning.
    """
    with transaction.atomic():
        sweep = _locked(sweep_id)
        if sweep.state != SweepState.RUNNING:
            raise SweepNotRunning(f"it is {sweep.get_state_display()}")
        _decided(sweep, SweepState.STOPPED, by)
        sweep.key = None
        _open_skip(sweep, "stopped")
        audit_write(by, "sweeps.stop", OBJECT, sweep.pk, name=sweep.name, done=sweep.done)
    return sweep


def _locked(sweep_id: UUID) -> Sweep:
    sweep = Sweep.objects.select_for_update(no_key=True).filter(pk=sweep_id).first()
    if sweep is None:
        raise SweepUnknown(f"there is no sweep {sweep_id}")
    return sweep


def _decided(sweep: Sweep, state: SweepState, by: Account) -> None:
    sweep.state, sweep.decided_at = state, clock.now()
    sweep.decided_by = by.get_username() if by is not None else "system"


def _open_skip(sweep: Sweep, reason: str) -> None:
    """Everybody who is not begun is skipped; the sweep is over."""
    skipped = SweepItem.objects.filter(sweep=sweep, fate="", at=None).update(
        fate="skipped", reason=reason, at=clock.now()
    )
    sweep.skipped += skipped
    sweep.finished_at = clock.now()
    sweep.save(update_fields=["state", "key", "decided_by", "decided_at", "skipped", "finished_at"])


def settings_change(
    *, name: str, by: Account, is_observing: bool | None = None, **limits: Any
) -> SweepSettings:
    """Change the limits of a sweep; audited. Repeat-safe: what is so already is not audited."""
    sweep_kind(name)
    wanted = {**limits} if is_observing is None else {**limits, "is_observing": is_observing}
    with transaction.atomic():
        row = settings_lock(name)
        changed = {key: value for key, value in wanted.items() if getattr(row, key) != value}
        if changed:
            before = {key: str(getattr(row, key)) for key in changed}
            for key, value in changed.items():
                setattr(row, key, value)
            row.save(update_fields=list(changed))
            now = {key: str(value) for key, value in changed.items()}
            audit_write(by, "sweeps.limits", LIMITS, name, before=before, now=now)
    return row
