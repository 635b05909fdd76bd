"""Importing subscribers from a table: whoever is not in the panel is made, the others are completed.

A line never shortens anybody's time and never empties a field: it adds what it says.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import orjson
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from subscriptions.bulk.acts import Pack
from subscriptions.bulk.lines import Entry, Reject, entries_read
from subscriptions.bulk.starting import OBJECT, begin
from subscriptions.mirror.applying import users_apply
from subscriptions.models import (
    BulkItem,
    BulkKind,
    BulkOperation,
    ItemState,
    Plan,
    Subscriber,
)
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import (
    PanelFailed,
    PanelMissing,
    PanelRefused,
    PanelUnknown,
    PanelWaits,
)
from subscriptions.panel.types import PanelUser, UserFields
from subscriptions.story import EventRow, events_write
from subscriptions.turns import turn

LINES = 1_000  # written by one statement
NAME_TAKEN = "A019"
_ITEMS = """
INSERT INTO bulk_item (operation_id, given, state, reason, detail, data)
SELECT %(operation)s, g.name, 'pending', '', '', g.data
FROM unnest(%(names)s::text[], %(data)s::text[]::jsonb[]) g (name, data)
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was begun. operation is None where no line could be used."""

    operation: BulkOperation | None
    accepted: int
    rejected: int


def import_start(
    file: BinaryIO,
    *,
    source: str,
    name: str,
    by: Account,
    on_reject: Callable[[Reject], None] = lambda reject: None,
) -> Imported:
    """Read a table and begin the operation that imports it; bad lines are told and left out.

    Raises FileInvalid: then nothing is begun. Repeat: a second operation, which finds nothing to do.
    """
    plans = dict(Plan.objects.values_list("code", "period_days"))
    accepted = rejected = 0
    with transaction.atomic():
        operation = BulkOperation.objects.create(
            kind=BulkKind.IMPORT,
            selection={"text": name[:200]},
            source=source,
            created_by=by.get_username() if isinstance(by, AbstractBaseUser) else "",
            created_at=clock.now(),
        )
        pack: list[Entry] = []
        for line in entries_read(file, plans):
            if isinstance(line, Reject):
                rejected += 1
                on_reject(line)
                continue
            pack.append(line)
            accepted += 1
            if len(pack) == LINES:
                _write(operation, pack)
                pack = []
        _write(operation, pack)
        if not accepted:
            operation.delete()
            return Imported(None, 0, rejected)
        BulkOperation.objects.filter(pk=operation.pk).update(total=accepted)
        audit_write(by, "subscriptions.bulk_import", OBJECT, operation.pk, lines=accepted)
        begin(operation, accepted)
    operation.refresh_from_db()
    return Imported(operation, accepted, rejected)


def _write(operation: BulkOperation, entries: Sequence[Entry]) -> None:
    if entries:
        sql.run(
            _ITEMS,
            {
                "operation": operation.pk,
                "names": [entry.username for entry in entries],
                "data": [orjson.dumps(entry.wanted).decode() for entry in entries],
            },
        )


def import_pack(pack: Pack, client: PanelClient) -> None:
    """Make or complete each of a pack. Raises PanelWaits, PanelAway, TurnTaken: what has its fate keeps it.

    Repeat-safe: the name protects from a second user, and what is as wanted is not written again.
    """
    owners = dict(
        Subscriber.objects.filter(
            username__in=[item.given for item in pack.items], missing_since=None
        ).values_list("username", "pk")
    )
    for item in pack.items:
        try:
            # Between reading an end and writing a later one nobody may have paid for a still later one.
            with turn(owners[item.given]) if item.given in owners else nullcontext():
                user = _put(client, item)
        except PanelWaits:
            raise
        except PanelUnknown as exc:
            found = _find(client, item.given)
            if found is None:
                pack.settle(item, ItemState.FAILED, "unsure", str(exc))
                continue
            user = found
        except ValueError as exc:  # a date that is over, for somebody new
            pack.settle(item, ItemState.FAILED, "invalid_line", str(exc))
            continue
        except (PanelRefused, PanelFailed) as exc:
            taken = isinstance(exc, PanelRefused) and exc.code == NAME_TAKEN
            pack.settle(item, ItemState.FAILED, "name_taken" if taken else "refused", str(exc))
            continue
        pack.users[user.id] = user
        if _missing(user, item.data or {}):
            pack.settle(item, ItemState.FAILED, "not_confirmed")
        else:
            pack.settle(item, ItemState.DONE)


def _put(client: PanelClient, item: BulkItem) -> PanelUser:
    """The user of a line, made or changed if need be. Raises PanelError; ValueError for no date."""
    found = _find(client, item.given)
    if found is None:
        return client.user_create(item.given, **_new(item.data or {}))
    if fields := _missing(found, item.data or {}):
        return client.user_update(found.id, **fields)
    return found


def _find(client: PanelClient, username: str) -> PanelUser | None:
    try:
        return client.user_by_username(username)
    except PanelMissing:
        return None


def _new(wanted: dict[str, Any]) -> UserFields:
    if "expire_at" not in wanted:
        raise ValueError("somebody new needs expire_at, days or a plan")
    fields = _fields(wanted)
    fields["expire_at"] = datetime.fromisoformat(wanted["expire_at"])
    return fields


def _missing(user: PanelUser, wanted: dict[str, Any]) -> UserFields:
    """What of a line the panel does not show yet. A date only ever moves on."""
    shown = {
        "telegram_id": user.telegram_id,
        "tag": user.tag,
        "email": user.email,
        "description": user.description,
        "traffic_gb": user.traffic_limit_bytes,
    }
    fields = _fields(
        {name: wanted[name] for name in shown if name in wanted and wanted[name] != shown[name]}
    )
    if "expire_at" in wanted:
        until = datetime.fromisoformat(wanted["expire_at"])
        if until - user.expire_at >= timedelta(milliseconds=1) and until > clock.now():
            fields["expire_at"] = until
    return fields


def _fields(wanted: dict[str, Any]) -> UserFields:
    fields = UserFields()
    if "telegram_id" in wanted:
        fields["telegram_id"] = wanted["telegram_id"]
    if "tag" in wanted:
        fields["tag"] = wanted["tag"]
    if "email" in wanted:
        fields["email"] = wanted["email"]
    if "description" in wanted:
        fields["description"] = wanted["description"]
    if "traffic_gb" in wanted:
        fields["traffic_limit_bytes"] = wanted["traffic_gb"]
    return fields


def note_imported(operation: BulkOperation, pack: Pack, decided: set[int]) -> None:
    """Take the imported over into the mirror, with what only we know of them, and tell their stories.

    In the transaction of their fates. Locks: the subscribers, by id.
    """
    done = {
        item.given: item
        for item in pack.items
        if item.pk in decided and pack.fates[item.pk].state is ItemState.DONE
    }
    if not done:
        return
    users_apply([user for user in pack.users.values() if user.username in done], clock.now())
    plans = dict(Plan.objects.values_list("code", "id"))
    rows = list(
        Subscriber.objects.select_for_update()
        .filter(username__in=done, missing_since=None)
        .order_by("pk")
    )
    items: list[BulkItem] = []
    for row in rows:
        item = done[row.username]
        wanted = item.data or {}
        row.plan_id = plans.get(wanted.get("plan", ""), row.plan_id)
        row.language = wanted.get("language", row.language)
        item.subscriber = row
        items.append(item)
    Subscriber.objects.bulk_update(rows, ["plan", "language"])
    BulkItem.objects.bulk_update(items, ["subscriber"])
    events_write(
        EventRow(
            subscriber_id=row.pk,
            kind="imported",
            source="file" if operation.source == "file" else "bulk",
            data={"operation": str(operation.pk), "list": operation.selection.get("text", "")},
            actor=operation.created_by,
        )
        for row in rows
    )
