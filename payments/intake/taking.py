"""Taking in a delivery: the raw body is a row before the sender is answered, and its work is a job.

Row and job are one transaction, so a delivery that was answered 200 is processed whatever is killed.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db import transaction

from jobs.alerts import attention
from jobs.compiled import rows_of
from jobs.models import UniqueKey
from jobs.storable import storable
from lib import clock
from payments.intake import flood
from payments.intake.sources import BodyUnreadable, Described, Source, source_get
from payments.models import IncomingWebhook, Intake

REJECTED_BODY_BYTES = 2048  # of a body that nobody has signed
HEADER_LIMIT = 300
_SETTLED = (Intake.PROCESSED, Intake.UNMATCHED)
_HOLDING = (Intake.RECEIVED, Intake.FAILED)  # its event has not been dealt with

_INSERT = """
INSERT INTO incoming_webhook (source, kind, event, key, body, headers, remote_address, is_valid,
    state, last_error, object_ref, received_at, processed_at)
VALUES (%(source)s, %(kind)s, %(event)s, %(key)s, %(body)s, %(headers)s::jsonb, %(address)s,
    %(is_valid)s, %(state)s, %(error)s, %(object_ref)s, %(now)s, %(done_at)s)
ON CONFLICT DO NOTHING RETURNING id
"""


def intake_take(
    source: str, *, body: bytes, headers: Mapping[str, str], remote_address: str = ""
) -> IncomingWebhook | None:
    """Write down one delivery and have it processed. Returns its row; None: not even written.

    The row's state says how to answer: REJECTED is a wrong signature, everything else was taken.
    Signed: RECEIVED with a job, or settled at once where that is all there is to do, or DUPLICATE if
    the same event came before (whose job is started anew should it have ended in vain). Not to be
    proved now, as the secret is not set: RECEIVED without a job; told to people, and verified by
    payments.retry_webhooks once it is. Signed but not readable: REJECTED with is_valid, told. Of what
    is not signed only so much is written as flood.PER_MINUTE allows; None is what is over it.
    headers: by lower-case name. Raises SourceUnknown. Repeat: a second delivery is a duplicate.
    """
    found = source_get(source)
    proof = found.verify(body, headers)
    if proof is not True and not flood.unsigned.take(source):
        return None
    kept = {
        name: storable(headers[name])[:HEADER_LIMIT] for name in found.headers if name in headers
    }
    given: dict[str, Any] = {"headers": kept, "address": remote_address[:45]}
    if proof is False:
        return _insert(
            found,
            body[:REJECTED_BODY_BYTES],
            Intake.REJECTED,
            error="The signature does not belong to this body.",
            **given,
        )
    try:
        described = found.describe(body)
    except BodyUnreadable as exc:
        return _unreadable(found, body, proof, str(exc), given)
    with transaction.atomic():
        if proof is None:
            _tell_unproved(found)
            # Without the key: what nobody has proved shall not stand in the way of what is.
            return _insert(
                found,
                body,
                Intake.RECEIVED,
                described=Described(described.kind, described.event),
                **given,
            )
        return _take_proved(found, body, described, given)


def _take_proved(
    source: Source, body: bytes, described: Described, given: dict[str, Any]
) -> IncomingWebhook:
    settled = source.settle(body) if source.settle else None
    row = _insert(
        source,
        body,
        settled.state if settled else Intake.RECEIVED,
        error=settled.note if settled else "",
        is_valid=True,
        described=described,
        may_exist=True,
        **given,
    )
    if row is not None:
        if settled is None:
            enqueue(source, row.pk, described.partition)
        return row
    row = _insert(source, body, Intake.DUPLICATE, is_valid=True, described=described, **given)
    _revive(source, described)
    assert row is not None
    return row


def _revive(source: Source, described: Described) -> None:
    """The sender says it again. If the first delivery still waits or was given up, try that now."""
    held = IncomingWebhook.objects.filter(
        source=source.name, key=described.key, state__in=_HOLDING
    ).select_for_update(no_key=True)
    for row in held:
        if row.state == Intake.FAILED:
            row.state, row.attempts = Intake.RECEIVED, 0
            row.save(update_fields=["state", "attempts"])
        enqueue(source, row.pk, described.partition)


def enqueue(source: Source, webhook_id: int, partition: str = "") -> bool:
    """Have a delivery processed. False: a job for it is waiting or running already."""
    made = source.kind.enqueue(
        webhook_id=webhook_id, unique=_unique(webhook_id), partition=partition or None
    )
    return not made.deduplicated


def is_at_work(webhook_id: int) -> bool:
    """Whether a job for a delivery is waiting or running."""
    key = ":".join(map(str, _unique(webhook_id)))
    return UniqueKey.objects.filter(key=key).exists()


def _unique(webhook_id: int) -> tuple[str, int]:
    return "payments.webhook", webhook_id


def _unreadable(
    source: Source, body: bytes, proof: bool | None, why: str, given: dict[str, Any]
) -> IncomingWebhook | None:
    row = _insert(
        source,
        body,
        Intake.REJECTED,
        is_valid=proof is True,
        error=f"Not readable: {why}.",
        **given,
    )
    if proof is True and row is not None:
        attention(
            group=f"payments.unreadable:{source.name}",
            title=f"{source.title} sends what we cannot read",
            text=why,
            severity="critical",
            link=f"/admin/payments/incomingwebhook/{row.pk}/change/",
        )
    return row


def _tell_unproved(source: Source) -> None:
    attention(
        group=f"payments.unproved:{source.name}",
        title=f"Webhooks of {source.title} cannot be verified",
        text=f"{source.secret_setting or 'Its secret'} is not set. What comes in is kept and "
        "processed once it is.",
        severity="critical",
        link=f"/admin/payments/incomingwebhook/?source={source.name}&state=received",
    )


def _insert(
    source: Source,
    body: bytes,
    state: Intake,
    *,
    headers: Mapping[str, str],
    address: str,
    is_valid: bool = False,
    described: Described | None = None,
    error: str = "",
    may_exist: bool = False,
) -> IncomingWebhook | None:
    about, now = described or Described("", ""), clock.now()
    values: dict[str, Any] = {
        "source": source.name,
        "kind": storable(about.kind)[:20],
        "event": storable(about.event)[:60],
        "key": storable(about.key)[:200],
        "body": body,
        "headers": orjson.dumps(dict(headers)).decode(),
        "address": address,
        "is_valid": is_valid,
        "state": state.value,
        "error": storable(error)[:500],
        "object_ref": storable(about.object_ref)[:80],
        "now": now,
        "done_at": now if state in _SETTLED else None,
    }
    found = rows_of(_INSERT, values)
    if not found:
        assert may_exist, "only a received delivery holds its key"
        return None
    return IncomingWebhook(
        id=found[0][0],
        source=source.name,
        kind=values["kind"],
        event=values["event"],
        key=values["key"],
        body=body,
        headers=dict(headers),
        remote_address=address,
        is_valid=is_valid,
        state=state,
        last_error=values["error"],
        object_ref=values["object_ref"],
        received_at=values["now"],
        processed_at=values["done_at"],
    )
