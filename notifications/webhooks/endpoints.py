"""Endpoints: made, changed, switched on and off; their secrets; a test event."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from lib.errors import InputInvalid, NotFound
from lib.ids import uuid7
from notifications.webhooks.addresses import url_check
from notifications.webhooks.errors import (
    EndpointDisabled,
    EventUnknown,
    RotationUnfinished,
    SecretUnreadable,
)
from notifications.webhooks.escalation import ENDPOINT
from notifications.webhooks.models import EVERYTHING, Delivery, Endpoint, Event, Lane
from notifications.webhooks.services import event_body
from notifications.webhooks.signing import secret_make
from notifications.webhooks.tasks import purge_endpoint
from notifications.webhooks.types import TEST, event_type_find
from notifications.webhooks.waking import wake

MAX_RATE_PER_MINUTE = 600_000
_CHANGEABLE = frozenset(
    {"title", "url", "description", "event_types", "rate_per_minute", "max_in_flight", "timeout_s"}
)
_STATE = ("state", "disabled_at", "disabled_reason", "updated_at")


def endpoint_create(
    *,
    title: str,
    url: str,
    event_types: Sequence[str],
    description: str = "",
    rate_per_minute: int | None = None,
    max_in_flight: int = 8,
    timeout_s: int = 15,
    by: Account,
) -> Endpoint:
    """Make an enabled endpoint with a fresh secret. It gets events from now on.

    Raises AddressInvalid, EventUnknown, InputInvalid.
    """
    endpoint = Endpoint(
        title=title, url=url, event_types=list(event_types), description=description,
        rate_per_minute=rate_per_minute, max_in_flight=max_in_flight, timeout_s=timeout_s,
        secret=secret_make(), created_by=_name(by), created_at=clock.now(), updated_at=clock.now(),
    )  # fmt: skip
    _check(endpoint)
    with transaction.atomic():
        endpoint.save(force_insert=True)
        Lane.objects.create(endpoint=endpoint)
        audit_write(by, "webhooks.create", ENDPOINT, endpoint.pk, url=endpoint.url)
    return endpoint


def endpoint_change(*, endpoint_id: UUID, by: Account, **changes: Any) -> Endpoint:
    """Change what people may set; a run that is at it sees it within a second or two.

    A new address starts with a clean sheet: breaker, pause and patience begin anew.
    Raises NotFound, AddressInvalid, EventUnknown, InputInvalid.
    """
    if unknown := changes.keys() - _CHANGEABLE:
        raise InputInvalid(f"{', '.join(sorted(unknown))} cannot be changed")
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        before = {name: getattr(endpoint, name) for name in changes}
        for name, value in changes.items():
            setattr(endpoint, name, value)
        _check(endpoint)
        changed = {name: getattr(endpoint, name) for name in changes}
        changed = {name: value for name, value in changed.items() if value != before[name]}
        if not changed:
            return endpoint
        endpoint.updated_at = clock.now()
        endpoint.save(update_fields=[*changed, "updated_at"])
        if "url" in changed:
            lane_reset(endpoint.pk)
        audit_write(by, "webhooks.change", ENDPOINT, endpoint.pk, **changed)
    return endpoint


def endpoint_enable(*, endpoint_id: UUID, by: Account) -> Endpoint:
    """Switch it on; what waits for it goes out. Repeat: one that is on stays as it is."""
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        if endpoint.state == Endpoint.State.ENABLED:
            return endpoint
        endpoint.state, endpoint.disabled_at = Endpoint.State.ENABLED, None
        endpoint.disabled_reason, endpoint.updated_at = "", clock.now()
        endpoint.save(update_fields=_STATE)
        lane_reset(endpoint.pk)
        audit_write(by, "webhooks.enable", ENDPOINT, endpoint.pk)
        wake()
    return endpoint


def endpoint_disable(*, endpoint_id: UUID, by: Account) -> Endpoint:
    """Switch it off: no event is kept for it from now on, and what waits goes on waiting.

    A request that is on its way may still arrive. Repeat: one that is off stays as it is.
    """
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        if endpoint.state == Endpoint.State.DISABLED:
            return endpoint
        endpoint.state, endpoint.disabled_at = Endpoint.State.DISABLED, clock.now()
        endpoint.disabled_reason = Endpoint.Reason.PERSON
        endpoint.updated_at = clock.now()
        endpoint.save(update_fields=_STATE)
        audit_write(by, "webhooks.disable", ENDPOINT, endpoint.pk, reason="person")
    return endpoint


def endpoint_delete(*, endpoint_id: UUID, by: Account) -> None:
    """Take it away for good; a job removes its deliveries and attempts. Raises NotFound."""
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        endpoint.state, endpoint.disabled_at = Endpoint.State.DELETED, None
        endpoint.disabled_reason, endpoint.updated_at = "", clock.now()
        endpoint.save(update_fields=_STATE)
        audit_write(by, "webhooks.delete", ENDPOINT, endpoint.pk, url=endpoint.url)
        purge_endpoint.enqueue(endpoint_id=endpoint.pk)


def endpoint_rotate_secret(
    *, endpoint_id: UUID, overlap: timedelta | None = None, by: Account
) -> Endpoint:
    """Make a new secret. The old one signs beside it for `overlap` (WEBHOOK_SECRET_OVERLAP), so that
    the receiver may change over at any moment in between.

    Raises RotationUnfinished while the one before still signs: a third secret would end it early.
    """
    with transaction.atomic():
        endpoint, now = _locked(endpoint_id), clock.now()
        if endpoint.old_secret_expires_at and endpoint.old_secret_expires_at > now:
            raise RotationUnfinished(
                f"the old secret signs until {endpoint.old_secret_expires_at:%F %R} UTC; "
                "retire it first if no receiver needs it"
            )
        span = settings.WEBHOOK_SECRET_OVERLAP if overlap is None else overlap
        if endpoint.secret is not None:
            endpoint.old_secret, endpoint.old_secret_expires_at = endpoint.secret, now + span
        else:  # it signs nothing any more: receivers get the new one at once
            endpoint.old_secret = endpoint.old_secret_expires_at = None
        endpoint.secret, endpoint.updated_at = secret_make(), now
        endpoint.save(update_fields=["secret", "old_secret", "old_secret_expires_at", "updated_at"])
        audit_write(by, "webhooks.rotate", ENDPOINT, endpoint.pk, overlap_s=span.total_seconds())
    return endpoint


def endpoint_retire_secret(*, endpoint_id: UUID, by: Account) -> Endpoint:
    """Let the old secret sign nothing any more. Repeat: without one nothing changes."""
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        if endpoint.old_secret_expires_at is None:
            return endpoint
        endpoint.old_secret = endpoint.old_secret_expires_at = None
        endpoint.updated_at = clock.now()
        endpoint.save(update_fields=["old_secret", "old_secret_expires_at", "updated_at"])
        audit_write(by, "webhooks.retire_secret", ENDPOINT, endpoint.pk)
    return endpoint


def endpoint_reveal_secret(*, endpoint_id: UUID, by: Account) -> Endpoint:
    """The endpoint with its secrets, for somebody's eyes; who looked is in the audit log.

    Raises NotFound, SecretUnreadable.
    """
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        if endpoint.secret is None:
            raise SecretUnreadable
        audit_write(by, "webhooks.reveal_secret", ENDPOINT, endpoint.pk)
    return endpoint


def endpoint_ping(*, endpoint_id: UUID, by: Account) -> Delivery:
    """Send a test event to this endpoint alone, whatever types it wants. Raises EndpointDisabled."""
    now = clock.now()
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        if endpoint.state != Endpoint.State.ENABLED:
            raise EndpointDisabled(f"{endpoint.title} is switched off; enable it first")
        sent_by = _name(by) or "system"
        event = Event.objects.create(
            id=uuid7(),
            type=TEST,
            body=event_body(TEST, {"message": "This is a test.", "sent_by": sent_by}),
            created_at=now,
        )
        delivery = Delivery.objects.create(
            event=event, endpoint=endpoint, event_type=TEST, next_attempt_at=now, created_at=now
        )
        audit_write(by, "webhooks.ping", ENDPOINT, endpoint.pk, delivery=delivery.pk)
        wake()
    return delivery


def endpoint_try_now(*, endpoint_id: UUID, by: Account) -> None:
    """Close the breaker and end a pause: the next delivery goes at once. Raises EndpointDisabled."""
    with transaction.atomic():
        endpoint = _locked(endpoint_id)
        if endpoint.state != Endpoint.State.ENABLED:
            raise EndpointDisabled(f"{endpoint.title} is switched off; enable it first")
        sql.run(
            """UPDATE webhook_lane SET failures = 0, open_until = NULL, paused_until = NULL,
            job_id = NULL, held_until = NULL WHERE endpoint_id = %s""",
            [endpoint.pk],
        )
        audit_write(by, "webhooks.try_now", ENDPOINT, endpoint.pk)
        wake()


def lane_reset(endpoint_id: UUID) -> None:
    """A clean sheet, also for a run that is just at it: that one loses the lane."""
    sql.run(
        """UPDATE webhook_lane SET failures = 0, open_until = NULL, paused_until = NULL,
        failing_since = NULL, warned = 0, last_error = '', job_id = NULL, held_until = NULL
        WHERE endpoint_id = %s""",
        [endpoint_id],
    )


def _locked(endpoint_id: UUID) -> Endpoint:
    endpoint = (
        Endpoint.objects.select_for_update(no_key=True)
        .filter(pk=endpoint_id)
        .exclude(state=Endpoint.State.DELETED)
        .first()
    )
    if endpoint is None:
        raise NotFound(f"there is no webhook endpoint {endpoint_id}")
    return endpoint


def _check(endpoint: Endpoint) -> None:
    """Put right what is a matter of form, refuse the rest."""
    endpoint.title = endpoint.title.strip()
    if not endpoint.title or len(endpoint.title) > 120 or "\x00" in endpoint.title:
        raise InputInvalid("the title must have 1 to 120 characters")
    if len(endpoint.description) > 2000 or "\x00" in endpoint.description:
        raise InputInvalid("the description may have at most 2000 characters")
    endpoint.url = url_check(endpoint.url)
    endpoint.event_types = list(dict.fromkeys(endpoint.event_types))
    if not endpoint.event_types:
        raise InputInvalid(f'choose at least one event type, or "{EVERYTHING}" for all')
    for name in endpoint.event_types:
        if name != EVERYTHING and event_type_find(name) is None:
            raise EventUnknown(f"no event type is called {name[:80]!r}")
    if EVERYTHING in endpoint.event_types:
        endpoint.event_types = [EVERYTHING]
    _between("rate_per_minute", endpoint.rate_per_minute or 1, 1, MAX_RATE_PER_MINUTE)
    if endpoint.rate_per_minute == 0:
        raise InputInvalid("rate_per_minute must be at least 1; leave it empty for no limit")
    _between("max_in_flight", endpoint.max_in_flight, 1, 64)
    _between("timeout_s", endpoint.timeout_s, 1, 30)


def _between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputInvalid(f"{name} must be between {least} and {most}")


def _name(by: Account) -> str:
    return by.get_username()[:150] if by is not None else ""
