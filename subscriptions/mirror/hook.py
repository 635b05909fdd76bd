"""Webhooks of the panel: proved, written down raw by the intake of payments, and followed by a job.

Source: contract, section 9. The panel tries four times within 15 s and forgets; order is not kept; there
is no id of a delivery. So a webhook is only a hint (hints.py), written in the transaction that writes it
down, and the passes find what was lost.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.dispatch import Signal

from payments.intake.sources import (
    BodyUnreadable,
    Described,
    Processed,
    Source,
    source_register,
)
from payments.models import IncomingWebhook, Intake
from subscriptions.mirror import tasks
from subscriptions.mirror.hints import hint, is_known

NAME = "remnawave"
PATH = "webhooks/remnawave/"
SIGNATURE = "x-remnawave-signature"
# What our own writes come back as. Whoever is gone, or used up his traffic, is looked at in any case.
_ECHOED = frozenset({"user.created", "user.modified", "user.enabled", "user.disabled"})
_USER_SCOPES = frozenset({"user", "user_hwid_devices"})

# Sent in a transaction for what the panel says of its servers: event, uuid, told_at. Receivers write rows.
node_told = Signal()


def signature_ok(body: bytes, headers: Mapping[str, str]) -> bool | None:
    """Whether the panel has signed these bytes; None: REMNAWAVE_WEBHOOK_SECRET is not set."""
    secret = settings.REMNAWAVE_WEBHOOK_SECRET
    if not secret:
        return None
    made = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return hmac.compare_digest(made.encode(), headers.get(SIGNATURE, "").strip().encode())


def describe(body: bytes) -> Described:
    """What a delivery is about. Raises BodyUnreadable."""
    told = _read(body)
    scope, event = told["scope"], told["event"]
    user_id = _user_id(told) if scope in _USER_SCOPES else None
    return Described(
        kind="user_event" if scope in _USER_SCOPES else "server_event",
        event=event,
        key=hashlib.sha256(body).hexdigest(),
        object_ref="" if user_id is None else f"panel_user:{user_id}",
    )


def settle(body: bytes) -> Processed | None:
    """What is said of a user is settled where it is written down; the rest takes a job."""
    told = _read(body)
    user_id = _user_id(told) if told["scope"] in _USER_SCOPES else None
    return None if user_id is None else _follow(told, user_id)


def process(row: IncomingWebhook) -> Processed:
    """Have the user read back, or pass on what was said of a server. Repeat: one more look."""
    told = _read(bytes(row.body))
    scope, data = told["scope"], told.get("data")
    with transaction.atomic():
        if scope in _USER_SCOPES:
            user_id = _user_id(told)
            if user_id is None:
                return Processed(Intake.UNMATCHED, note="It names no user.")
            return _follow(told, user_id)
        if scope == "node" and isinstance(data, dict) and isinstance(data.get("uuid"), str):
            node_told.send(
                None, event=told["event"], uuid=data["uuid"], told_at=str(told.get("timestamp"))
            )
            return Processed(object_ref=f"node:{data['uuid']}"[:80])
    return Processed(Intake.UNMATCHED, note="Nothing here depends on it.")


def _follow(told: Mapping[str, Any], user_id: int) -> Processed:
    """Have the user read back, unless that could show nothing that we have not seen."""
    about = f"panel_user:{user_id}"
    if _is_echo(told, user_id):
        return Processed(object_ref=about, note="It tells what was seen before.")
    if hint([user_id]):
        tasks.read_back.enqueue()
    return Processed(object_ref=about)


def _is_echo(told: Mapping[str, Any], user_id: int) -> bool:
    """Whether the mirror has been told just this; mostly it is what we wrote ourselves a moment ago."""
    data = told.get("data")
    if told["event"] not in _ECHOED or not isinstance(data, dict):
        return False
    try:
        updated_at, expire_at = (
            datetime.fromisoformat(data[name]) for name in ("updatedAt", "expireAt")
        )
    except (KeyError, TypeError, ValueError):
        return False
    status = data.get("status")
    if not isinstance(status, str) or updated_at.tzinfo is None or expire_at.tzinfo is None:
        return False
    return is_known(user_id, updated_at=updated_at, status=status, expire_at=expire_at)


def _read(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BodyUnreadable("it is not JSON") from None
    if not isinstance(told, dict):
        raise BodyUnreadable("it is not an object")
    for name in ("scope", "event"):
        if not isinstance(told.get(name), str) or not told[name]:
            raise BodyUnreadable(f"it has no {name}")
    return told


def _user_id(told: Mapping[str, Any]) -> int | None:
    """The number of the user that it is about; of a device it is that of its owner."""
    data = told.get("data")
    if isinstance(data, dict) and isinstance(data.get("user"), dict):
        data = data["user"]
    found = data.get("id") if isinstance(data, dict) else None
    return found if type(found) is int and 0 < found < 2**63 else None


def register() -> None:
    """Make the panel known to the intake, and what needs a person to the console."""
    import_module("subscriptions.mirror.attention")
    source_register(
        Source(
            name=NAME,
            title="the panel",
            path=f"/{PATH}",
            verify=signature_ok,
            describe=describe,
            settle=settle,
            process=process,
            kind=tasks.process_panel_webhook,
            headers=("user-agent", "x-remnawave-timestamp"),
            secret_setting="REMNAWAVE_WEBHOOK_SECRET",  # noqa: S106 - the name of a setting
        )
    )
