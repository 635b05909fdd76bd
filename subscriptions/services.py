"""What staff and backends do to one subscriber: through the panel, read back, audited, in the story.

The panel is asked before any transaction. What it did is written with the act; a process that dies in
between leaves the panel changed, and the mirror tells so in the story. Each act is safe to repeat but
`subscriber_extend`, which adds its days again; an answer that did not come is looked up before anybody is
told that it failed, and OutcomeUnknown says that this did not work either. All but `subscriber_edit` take
the subscriber's turn, and raise TurnTaken if somebody else has it, SubscriberIsAnother if the panel has
somebody else under the subscriber's number.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from jobs.audit import Account, audit_write
from lib import clock
from lib.errors import InputInvalid, NotFound
from notifications.telegram.templates import LANGUAGES
from subscriptions.activation.acts import activations_release
from subscriptions.activation.dates import targets_open
from subscriptions.activation.noting import user_note
from subscriptions.activation.plans import price_current
from subscriptions.errors import (
    OutcomeUnknown,
    PanelRefusal,
    PanelUnavailable,
    SubscriberGone,
    SubscriberIsAnother,
    SubscriberNotInPanel,
    SubscriberOver,
)
from subscriptions.models import CutBy, Plan, Subscriber
from subscriptions.panel import door
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import (
    PanelDenied,
    PanelError,
    PanelMissing,
    PanelRefused,
    PanelUnknown,
    PanelWaits,
)
from subscriptions.panel.types import PanelStatus, PanelUser
from subscriptions.story import event_write
from subscriptions.turns import turn

SUBSCRIBER = "subscriber"  # what the audit log calls it
DAYS_MOST = 3650
REASON_LIMIT = 200
NOTE_LIMIT = 4000
# What only we know of a subscriber, and may be edited.
OURS = frozenset({"plan", "auto_renew", "renew_currency", "language", "time_zone", "note"})
_SOON = timedelta(minutes=1)


def subscriber_extend(
    *, subscriber_id: int, days: int, by: Account, reason: str = ""
) -> Subscriber:
    """Add days to the end of a subscriber, or to now if that has passed; an expired one is revived.

    The date is computed once and written as it is; payments that are not applied yet count, so that
    neither undoes the other. A disabled one stays disabled.
    Repeat: adds the days again. Raises NotFound, InputInvalid, SubscriberGone, PanelUnavailable,
    PanelRefusal.
    """
    if not 1 <= days <= DAYS_MOST:
        raise InputInvalid(f"days must be 1 to {DAYS_MOST}")
    why = _why(reason)
    subscriber = _find(subscriber_id)
    with _panel(subscriber) as panel:
        user = _read(panel, subscriber)
        coming = targets_open([subscriber.pk]).get(subscriber.pk)
        base = max(each for each in (clock.now(), user.expire_at, coming) if each is not None)
        until = base + timedelta(days=days)
        until = until.replace(microsecond=until.microsecond // 1000 * 1000)
        if user.status == PanelStatus.EXPIRED:
            after = _sure(panel, user.id, lambda: panel.user_update(
                user.id, expire_at=until, status=PanelStatus.ACTIVE
            ))  # fmt: skip
        else:
            after = _sure(panel, user.id, lambda: panel.user_update(user.id, expire_at=until))
        _expect(after.expire_at == until, after)
    said = {
        "days": days,
        "until": after.expire_at.isoformat(),
        "before": user.expire_at.isoformat(),
    }
    return _note(subscriber, after, "extended", said | why, by)


def subscriber_enable(*, subscriber_id: int, by: Account, reason: str = "") -> Subscriber:
    """Let the panel serve a subscriber again; payments that were held for him are given, too.

    Repeat: nothing changes. Raises NotFound, SubscriberOver if his time has passed and nothing that he
    paid is held, SubscriberGone, PanelUnavailable, PanelRefusal.
    """
    why = _why(reason)
    subscriber = _find(subscriber_id)
    with _panel(subscriber) as panel:
        user = _read(panel, subscriber)
        if user.expire_at <= clock.now() + _SOON:
            # The panel would expire him again within half a minute.
            if activations_release(subscriber.pk, by=by):
                return _find(subscriber_id)
            raise SubscriberOver
        after = user
        if user.status != PanelStatus.ACTIVE:
            after = _sure(panel, user.id, lambda: panel.user_enable(user.id))
        _expect(after.status == PanelStatus.ACTIVE, after)
    nobody = {"cut_by": CutBy.NOBODY, "cut_reason": "", "cut_at": None}
    said = {"before": user.status.value, **why}
    noted = _note(subscriber, after, "enabled", said, by, ours=nobody)
    activations_release(subscriber.pk, by=by)
    return noted


def subscriber_disable(*, subscriber_id: int, reason: str, by: Account) -> Subscriber:
    """Stop serving a subscriber, until a person enables him: paying does not bring him back.

    Repeat: the reason is written anew. Raises NotFound, InputInvalid, SubscriberGone, PanelUnavailable,
    PanelRefusal.
    """
    reason = reason.strip()
    if not reason or len(reason) > REASON_LIMIT:
        raise InputInvalid(f"say why, in at most {REASON_LIMIT} characters")
    subscriber = _find(subscriber_id)
    with _panel(subscriber) as panel:
        user = _read(panel, subscriber)
        after = user
        if user.status != PanelStatus.DISABLED:
            # Not by PATCH, which the panel obeys for an ACTIVE one only.
            after = _sure(panel, user.id, lambda: panel.user_disable(user.id))
        _expect(after.status == PanelStatus.DISABLED, after)
    cut = {"cut_by": CutBy.OPERATOR, "cut_reason": reason, "cut_at": clock.now()}
    said = {"reason": reason, "before": user.status.value}
    return _note(subscriber, after, "disabled", said, by, ours=cut)


def subscriber_reset_traffic(*, subscriber_id: int, by: Account, reason: str = "") -> Subscriber:
    """Set the used traffic to nothing; one who had used it up is served again.

    Repeat: resets again. Raises NotFound, SubscriberGone, PanelUnavailable, PanelRefusal.
    """
    why = _why(reason)
    subscriber = _find(subscriber_id)
    with _panel(subscriber) as panel:
        user = _read(panel, subscriber)
        after = _sure(panel, user.id, lambda: panel.user_reset_traffic(user.id))
    return _note(subscriber, after, "traffic_reset", {"before": user.used_bytes, **why}, by)


@transaction.atomic
def subscriber_edit(*, subscriber_id: int, by: Account, **fields: Any) -> Subscriber:
    """Change what only we know of a subscriber: plan (a Plan or None), auto_renew, renew_currency,
    language, time_zone, note. The panel is not asked.

    Repeat: nothing is written if nothing differs. Raises NotFound, InputInvalid; PriceUnknown if
    auto-renewal is switched on and there is nothing to pay. Locks: the subscriber.
    """
    if strange := sorted(fields.keys() - OURS):
        raise InputInvalid(f"{strange[0]} is not ours to edit")
    subscriber = Subscriber.objects.select_for_update(no_key=True, of=("self",)).filter(
        pk=subscriber_id
    ).select_related("plan").first()  # fmt: skip
    if subscriber is None:
        raise NotFound(f"there is no subscriber {subscriber_id}")
    wanted = {name: _checked(name, value) for name, value in fields.items()}
    before = {name: getattr(subscriber, name) for name in wanted}
    changed = {name: value for name, value in wanted.items() if before[name] != value}
    if not changed:
        return subscriber
    for name, value in changed.items():
        setattr(subscriber, name, value)
    if subscriber.auto_renew and changed.keys() & {"auto_renew", "plan", "renew_currency"}:
        if subscriber.plan is None:
            raise InputInvalid("auto-renewal needs a plan")
        price_current(subscriber.plan, subscriber.renew_currency)
    subscriber.save(update_fields=list(changed))
    told = {name: [_plain(before[name]), _plain(value)] for name, value in changed.items()}
    audit_write(by, "subscriber.edit", SUBSCRIBER, subscriber.pk, **told)
    if "auto_renew" in changed:
        kind = "auto_renew_on" if subscriber.auto_renew else "auto_renew_off"
        said = {"currency": subscriber.renew_currency or "the currency of the plan"}
        event_write(subscriber.pk, kind, "staff", data=said, by=by)
    others = sorted(changed.keys() - {"auto_renew"})
    if others:
        # What a note says stays where only staff who may see notes read it.
        event_write(subscriber.pk, "edited", "staff", data={"fields": others}, by=by)
    return subscriber


def _find(subscriber_id: int) -> Subscriber:
    row = Subscriber.objects.select_related("plan").filter(pk=subscriber_id).first()
    if row is None:
        raise NotFound(f"there is no subscriber {subscriber_id}")
    if row.missing_since is not None:
        raise SubscriberGone
    return row


def _why(reason: str) -> dict[str, str]:
    """What the story says beside the act. Raises InputInvalid."""
    reason = reason.strip()
    if len(reason) > REASON_LIMIT or "\x00" in reason:
        raise InputInvalid(f"a reason has at most {REASON_LIMIT} characters")
    return {"reason": reason} if reason else {}


def _panel_id(subscriber: Subscriber) -> int:
    if subscriber.panel_id is None:
        raise SubscriberNotInPanel
    return subscriber.panel_id


@contextmanager
def _panel(subscriber: Subscriber) -> Iterator[PanelClient]:
    """The panel, for one who changes this subscriber alone; its failures become what a door can show."""
    _panel_id(subscriber)
    try:
        with turn(subscriber.pk):
            yield door.panel()
    except PanelMissing:
        raise SubscriberGone(f"the panel has no {subscriber.username} any more") from None
    except PanelWaits as exc:
        raise PanelUnavailable(f"{exc}", retry_after=exc.retry_after) from None
    except PanelDenied as exc:
        raise PanelUnavailable(f"the panel refuses our token: {exc}") from None
    except PanelRefused as exc:
        raise PanelRefusal(f"the panel refused it: {exc}") from None
    except (PanelError, door.PanelOff) as exc:
        raise PanelUnavailable(f"the panel does not work just now: {exc}") from None


def _sure(panel: PanelClient, panel_id: int, act: Callable[[], PanelUser]) -> PanelUser:
    """Do something and read it back, also when nobody knows whether it was done.

    Raises OutcomeUnknown if that cannot be read either.
    """
    try:
        act()
    except PanelUnknown as exc:
        lost: PanelError | None = exc
    else:
        lost = None
    try:
        return panel.user(panel_id)
    except PanelMissing:
        raise
    except PanelError as exc:
        raise OutcomeUnknown(
            f"the panel was told, but {lost or exc}: look at the subscriber before you do it again"
        ) from None


def _read(panel: PanelClient, subscriber: Subscriber) -> PanelUser:
    """How the panel has a subscriber now. Raises SubscriberIsAnother, PanelError."""
    user = panel.user(_panel_id(subscriber))
    if user.username != subscriber.username:
        # A panel that was restored from a backup gives numbers anew.
        raise SubscriberIsAnother(
            f"under the number of {subscriber.username} the panel has {user.username} now"
        )
    return user


def _expect(is_so: bool, user: PanelUser) -> None:
    if not is_so:
        raise PanelUnavailable(
            f"the panel was told, but says {user.status}, until {user.expire_at:%F %T} UTC"
        )


@transaction.atomic
def _note(
    subscriber: Subscriber,
    user: PanelUser,
    kind: str,
    said: Mapping[str, Any],
    by: Account,
    *,
    ours: Mapping[str, Any] | None = None,
) -> Subscriber:
    """Write what the panel did, who asked for it, and the line of the story."""
    row = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
    user_note(row, user, ours=ours)
    audit_write(by, f"subscriber.{kind}", SUBSCRIBER, row.pk, **said)
    event_write(row.pk, kind, "staff", data=said, by=by)
    return row


def _checked(name: str, value: Any) -> Any:
    """The value as the column takes it. Raises InputInvalid."""
    if name == "plan":
        if value is not None and not isinstance(value, Plan):
            raise InputInvalid("plan must be a plan")
        return value
    if name == "auto_renew":
        return bool(value)
    text = str(value or "").strip()
    if "\x00" in text or len(text) > NOTE_LIMIT:
        raise InputInvalid(f"{name} is too long, or holds a NUL character")
    if name == "language" and text and text not in LANGUAGES:
        raise InputInvalid(f"language must be one of {', '.join(LANGUAGES)}, or empty")
    if name == "time_zone" and text:
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError):
            raise InputInvalid("time_zone must be a name such as Europe/Moscow") from None
    if name == "renew_currency":
        text = text.upper()
        if text and (not text.isalnum() or len(text) > 12):
            raise InputInvalid("renew_currency must be the code of a coin or of a fiat")
    return text


def _plain(value: Any) -> Any:
    return value.code if isinstance(value, Plan) else value
