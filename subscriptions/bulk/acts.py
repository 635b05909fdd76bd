"""What is done to a pack of subscribers in the panel: look, decide, ask for all at once, read back.

The panel answers a bulk call at once, works later and swallows what fails. So each subscriber counts as
done only when reading back shows it; who is not changed after a while is asked for alone, which tells why.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lib import clock
from subscriptions.activation.dates import targets_open
from subscriptions.bulk.packs import Fate
from subscriptions.models import Activation, BulkItem, BulkKind, ItemState
from subscriptions.panel.bulk import MOST
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import (
    PanelError,
    PanelFailed,
    PanelMissing,
    PanelRefused,
    PanelUnknown,
    PanelWaits,
)
from subscriptions.panel.types import PanelStatus, PanelUser

_MS = timedelta(milliseconds=1)


@dataclass(slots=True)
class Pack:
    """Items with what the panel says of them. `users` holds only those whom the panel has."""

    kind: BulkKind
    params: Mapping[str, Any]
    is_undo: bool
    items: Sequence[BulkItem]
    users: dict[int, PanelUser] = field(default_factory=dict)
    fates: dict[int, Fate] = field(default_factory=dict)  # by item
    coming: Mapping[int, datetime] = field(
        default_factory=dict
    )  # where payments lead, by subscriber

    def open(self) -> Iterator[tuple[BulkItem, PanelUser]]:
        """Items without a fate, with their users."""
        for item in self.items:
            if item.pk not in self.fates:
                yield item, self.users[panel_id_of(item)]

    def settle(self, item: BulkItem, state: ItemState, reason: str = "", detail: str = "") -> None:
        """Decide an item."""
        self.fates[item.pk] = Fate(item.pk, state, reason, detail)


def panel_id_of(item: BulkItem) -> int:
    """The panel's number of an item's subscriber; 0 if there is none any more."""
    return (item.subscriber.panel_id if item.subscriber else None) or 0


def look(pack: Pack, client: PanelClient) -> None:
    """Read all of a pack, and give their fate to those with whom there is nothing to do.

    Raises PanelError: then nobody has a fate.
    """
    ids = sorted({panel_id_of(item) for item in pack.items} - {0})
    found = client.users_by_ids(ids) if ids else {}
    pack.users = {number: user for number, user in found.items() if user is not None}
    if pack.kind is BulkKind.EXTEND and not pack.is_undo:
        pack.coming = targets_open([item.subscriber_id or 0 for item in pack.items])
    for item in pack.items:
        user = pack.users.get(panel_id_of(item))
        if user is not None and item.subscriber and user.username != item.subscriber.username:
            # A panel that was restored from a backup gives numbers anew: this is somebody else.
            pack.settle(item, ItemState.SKIPPED, "other_person")
            del pack.users[user.id]
        elif user is None:
            if pack.kind is BulkKind.DELETE and item.before is not None:
                pack.settle(item, ItemState.DONE)  # we deleted it before a kill
            else:
                pack.settle(item, ItemState.SKIPPED, "missing")
        elif item.before is None:
            _decide(pack, item, user)
        elif _is_done(pack.kind, item, user) or _was_counted(pack, item, user):
            pack.settle(item, ItemState.DONE)


def _was_counted(pack: Pack, item: BulkItem, user: PanelUser) -> bool:
    """Whether a payment that came between two tries of an extension was added to the extended date.

    If it was added to the date before, the extension is still owed: then its date is computed anew.
    """
    written = (item.data or {}).get("expire_at")
    if pack.kind is not BulkKind.EXTEND or pack.is_undo or written is None:
        return False
    if _same(user.expire_at, (item.before or {})["expire_at"]):
        _decide(
            pack, item, user
        )  # it was not written; a try of days ago may have begun at its "now"
        return False
    wanted = datetime.fromisoformat(written)
    if Activation.objects.filter(
        subscriber_id=item.subscriber_id or 0,
        base_expire_at__gt=wanted - _MS,
        base_expire_at__lt=wanted + _MS,
    ).exists():
        return True
    _decide(pack, item, user)
    return False


def _decide(pack: Pack, item: BulkItem, user: PanelUser) -> None:
    """Leave alone whom the panel shows to need nothing, or plan what is to be written."""
    status = user.status
    if pack.kind is BulkKind.DISABLE:
        if status is PanelStatus.DISABLED:
            pack.settle(item, ItemState.SKIPPED, "already_disabled")
        elif status is PanelStatus.EXPIRED:
            pack.settle(item, ItemState.SKIPPED, "not_served")
        elif pack.is_undo and _was_moved(item, user):  # they paid since they were enabled
            pack.settle(item, ItemState.SKIPPED, "changed_since")
    elif pack.kind is BulkKind.ENABLE:
        if status is PanelStatus.ACTIVE:
            pack.settle(item, ItemState.SKIPPED, "already_enabled")
        elif user.expire_at <= clock.now():
            pack.settle(item, ItemState.SKIPPED, "expired")
    if item.pk in pack.fates:
        return
    row = item.subscriber
    item.before = {
        "cut_by": row.cut_by if row else "",
        "cut_reason": row.cut_reason if row else "",
        "status": status.value,
        "expire_at": user.expire_at.isoformat(),
        "used_bytes": user.used_bytes,
        "reset_at": user.last_traffic_reset_at.isoformat() if user.last_traffic_reset_at else None,
    }
    if pack.kind is not BulkKind.EXTEND:
        item.data = item.data or {}
        return
    try:
        target = _target(pack, item, user)
    except OverflowError:
        pack.settle(item, ItemState.FAILED, "refused", "there is no such date: it is too far away")
        return
    if target is None:
        pack.settle(item, ItemState.SKIPPED, "changed_since")
    else:
        item.data = {**(item.data or {}), "expire_at": target.isoformat()}


def _was_moved(item: BulkItem, user: PanelUser) -> bool:
    until = (item.data or {}).get("until")
    return until is not None and not _same(user.expire_at, until)


def _target(pack: Pack, item: BulkItem, user: PanelUser) -> datetime | None:
    """The date to write, computed once. An undo goes back only from where its operation has led."""
    if not pack.is_undo:
        coming = pack.coming.get(item.subscriber_id or 0)
        base = max(each for each in (user.expire_at, clock.now(), coming) if each is not None)
        return base + timedelta(days=int(pack.params["days"]))
    back = item.data or {}
    if not _same(user.expire_at, back["from"]):
        return None
    # The panel takes no date that is over: whoever had expired expires again in a minute.
    return max(datetime.fromisoformat(back["to"]), clock.now() + timedelta(minutes=1))


def ask(pack: Pack, client: PanelClient) -> None:
    """Ask the panel to change all that are open. Raises PanelError: some may be changed."""
    ids = [user.id for _, user in pack.open()]
    calls = {
        BulkKind.DISABLE: client.bulk_disable,
        BulkKind.ENABLE: client.bulk_enable,
        BulkKind.RESET_TRAFFIC: client.bulk_reset_traffic,
        BulkKind.DELETE: client.bulk_delete,
    }
    for first in range(0, len(ids), MOST):
        calls[pack.kind](ids[first : first + MOST])


def confirm(pack: Pack, client: PanelClient) -> bool:
    """Read back who is open; True if all have their fate now. Raises PanelError."""
    waiting = list(pack.open())
    found = client.users_by_ids([user.id for _, user in waiting]) if waiting else {}
    for item, before in waiting:
        user = found.get(before.id)
        if user is None:
            if pack.kind is BulkKind.DELETE:
                pack.settle(item, ItemState.DONE)
                pack.users.pop(before.id, None)
            else:
                pack.settle(item, ItemState.SKIPPED, "missing")
            continue
        pack.users[user.id] = user
        if _is_done(pack.kind, item, user):
            pack.settle(item, ItemState.DONE)
    return all(item.pk in pack.fates for item in pack.items)


def one_by_one(pack: Pack, client: PanelClient) -> None:
    """Ask for each that is open alone, so that it gets its fate, with the panel's own reason.

    Raises PanelWaits and PanelAway-like errors of reads: what has its fate by then keeps it.
    """
    for item, user in list(pack.open()):
        why = change_one(pack, item, user, client)
        if why is not None:
            read_alone(pack, item, user, why, client)


def change_one(pack: Pack, item: BulkItem, user: PanelUser, client: PanelClient) -> str | None:
    """Change one who is open. Returns why nobody knows whether it was done, if so: `read_alone` decides.

    Raises PanelWaits and PanelAway-like errors of reads.
    """
    try:
        changed = _change(pack.kind, item, user, client)
    except PanelMissing:
        done = pack.kind is BulkKind.DELETE
        pack.settle(item, ItemState.DONE if done else ItemState.SKIPPED, "" if done else "missing")
    except (PanelRefused, PanelFailed) as exc:
        pack.settle(item, ItemState.FAILED, "refused", str(exc))
    except PanelWaits:
        raise
    except PanelUnknown as exc:
        return str(exc)
    else:
        if changed is not None:
            pack.users[user.id] = changed
        if changed is None or _is_done(pack.kind, item, changed):
            pack.settle(item, ItemState.DONE)
        else:
            pack.settle(item, ItemState.FAILED, "not_confirmed")
    return None


def _change(
    kind: BulkKind, item: BulkItem, user: PanelUser, client: PanelClient
) -> PanelUser | None:
    if kind is BulkKind.DISABLE:
        return client.user_disable(user.id)
    if kind is BulkKind.ENABLE:
        return client.user_enable(user.id)
    if kind is BulkKind.RESET_TRAFFIC:
        return client.user_reset_traffic(user.id)
    if kind is BulkKind.EXTEND:
        return client.user_update(
            user.id, expire_at=datetime.fromisoformat((item.data or {})["expire_at"])
        )
    client.user_delete(user.id)
    return None


def read_alone(pack: Pack, item: BulkItem, user: PanelUser, why: str, client: PanelClient) -> None:
    """After a write whose end is not known: what the panel shows now decides."""
    try:
        now = client.user(user.id)
    except PanelMissing:
        done = pack.kind is BulkKind.DELETE
        pack.settle(item, ItemState.DONE if done else ItemState.SKIPPED, "" if done else "missing")
    except PanelError:
        pack.settle(item, ItemState.FAILED, "unsure", why)
    else:
        pack.users[now.id] = now
        if _is_done(pack.kind, item, now):
            pack.settle(item, ItemState.DONE)
        else:
            pack.settle(item, ItemState.FAILED, "not_confirmed", why)


def _is_done(kind: BulkKind, item: BulkItem, user: PanelUser) -> bool:
    """Whether the panel shows what was wanted."""
    if kind is BulkKind.DISABLE:
        return user.status is PanelStatus.DISABLED
    if kind is BulkKind.ENABLE:
        # LIMITED again: the panel's own sweep took the traffic into account, as it would have.
        return user.status is not PanelStatus.DISABLED
    if kind is BulkKind.RESET_TRAFFIC:
        before = (item.before or {}).get("reset_at")
        return user.last_traffic_reset_at is not None and (
            before is None or user.last_traffic_reset_at > datetime.fromisoformat(before)
        )
    if kind is BulkKind.EXTEND:
        wanted = (item.data or {}).get("expire_at")
        return wanted is not None and _same(user.expire_at, wanted)
    return False


def _same(moment: datetime, written: str) -> bool:
    """The panel keeps milliseconds."""
    return abs(moment - datetime.fromisoformat(written)) < _MS
