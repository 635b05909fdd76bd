"""Everybody is told what he has to be told, once, and nothing after he has paid."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

from config.simulation.evidence import Evidence, Lasting
from config.simulation.findings import Finding
from config.simulation.people import Person
from notifications.telegram.models import QueuedMessage
from subscriptions.lifecycle.stages import BRACKETS, Bracket
from subscriptions.models import Activation, Notice, NoticeState, Stage

# A reminder is due if its time lasted so long: what comes and goes between two hourly runs is not.
LONG = timedelta(hours=3)
ENDED = frozenset({"subscription_expired", "subscription_deactivated"})
TOLD = {NoticeState.QUEUED, NoticeState.SKIPPED}


def checks(evidence: Evidence) -> Iterator[Finding]:
    yield reminders(evidence)
    yield after_paying(evidence)
    yield ends(evidence)
    yield once(evidence)
    yield confirmations(evidence)
    yield delivered(evidence)


def reminders(evidence: Evidence) -> Finding:
    """By the panel's journal: whoever was served in a bracket for long has its notice."""
    found = Finding("every end had its due reminders, or a reason why not")
    for person in evidence.people.values():
        for lasting in evidence.ends(person):
            for bracket in BRACKETS:
                if _is_due(evidence, person, lasting, bracket):
                    key = (person.subscriber_id, bracket.stage.value, lasting.end)
                    notice = evidence.notices.get(key)
                    found.expect(*_is_told(notice, f"user {person.panel_id}, {bracket.stage}"))
    return found


def _is_due(evidence: Evidence, person: Person, lasting: Lasting, bracket: Bracket) -> bool:
    since = max(evidence.began, lasting.since, lasting.end - bracket.within)
    until = min(evidence.ended, lasting.until, lasting.end - bracket.until)
    return until - since >= LONG and not person.was_touched(since - LONG, until)


def _is_told(notice: Notice | None, name: str) -> tuple[bool, str]:
    if notice is None:
        return False, f"{name}: no notice was written"
    is_right = notice.state in TOLD and (notice.state == NoticeState.QUEUED or bool(notice.reason))
    return is_right, f"{name}, end {notice.expire_at:%d. %H:%M}: {notice.state} {notice.reason}"


def after_paying(evidence: Evidence) -> Finding:
    """No reminder of an end is decided once we knew that it was paid for."""
    found = Finding("nobody is reminded after he has paid")
    paid: dict[int, list[Activation]] = defaultdict(list)
    for activation in evidence.activations.values():
        if activation.subscriber_id is not None:
            paid[activation.subscriber_id].append(activation)
    for notice in evidence.notices.values():
        if notice.state != NoticeState.QUEUED or notice.decided_at is None:
            continue
        late = [
            activation
            for activation in paid[notice.subscriber_id]
            if activation.base_expire_at == notice.expire_at
            and activation.created_at < notice.decided_at
        ]
        found.expect(not late, f"notice {notice.pk} of {notice.subscriber_id}: paid before {late}")
    return found


def ends(evidence: Evidence) -> Finding:
    """Every end that came has exactly one notice, and it was sent unless a reason says why not."""
    found = Finding("every end that came was told exactly once")
    for person in evidence.people.values():
        for lasting in evidence.ends(person):
            stood = min(lasting.until, evidence.ended) - lasting.end
            if stood < LONG or person.was_touched(evidence.began, lasting.end + LONG):
                continue
            key = (person.subscriber_id, Stage.EXPIRED.value, lasting.end)
            found.expect(*_is_told(evidence.notices.get(key), f"user {person.panel_id}, the end"))
    return found


def once(evidence: Evidence) -> Finding:
    """No message arrives twice, but those whose first outcome nobody knew, which say so."""
    found = Finding("no message arrived twice, unless marked as possibly doubled")
    arrived = Counter((each["chat_id"], each["raw_text"]) for each in evidence.messages)
    rows: dict[tuple[int, str], list[QueuedMessage]] = defaultdict(list)
    for row in evidence.queue:
        rows[row.telegram_id, row.message].append(row)
    for (chat, text), count in arrived.items():
        queued = rows.get((chat, text), [])
        if not queued:
            continue  # to admins, sent at once
        doubled = sum(row.maybe_doubled for row in queued)
        # Two orders of the same plan that both were not paid read the same.
        is_same = len({row.notification_type for row in queued}) == 1
        allowed = len(queued) + doubled
        found.expect(
            count <= allowed and (len(queued) == 1 or is_same),
            f"chat {chat}: {count} times for {len(queued)} rows: {text[:60]!r}",
        )
    for key, queued in rows.items():
        kinds = {row.notification_type for row in queued}
        if len(queued) > 1 and not kinds <= {"payment_failed"} and key[0] < 10**9:
            is_alert = any(kind.startswith("alert") for kind in kinds)
            found.expect(is_alert, f"chat {key[0]}: queued {len(queued)} times: {key[1][:60]!r}")
    return found


def confirmations(evidence: Evidence) -> Finding:
    """One confirmation per payment that gave access."""
    found = Finding("one confirmation per payment that gave access")
    told = Counter(
        row.dedup_key
        for row in evidence.queue
        if row.notification_type == "payment_received" and (row.dedup_key or "").endswith(":served")
    )
    for payment_id, activation in evidence.activations.items():
        payment = evidence.payments[payment_id]
        if activation.applied_at is None or payment.telegram_id is None:
            continue
        count = told[f"payment_received:{payment_id}:served"]
        found.expect(count == 1, f"payment {payment_id}: {count} confirmations")
    return found


def delivered(evidence: Evidence) -> Finding:
    """What was handed over has arrived, unless the person has blocked the bot."""
    found = Finding("what is said to be sent has arrived, and nothing is left over")
    ids = {(each["chat_id"], each["message_id"]) for each in evidence.messages}
    blocked = {each.telegram_id for each in evidence.people.values() if each.is_blocked}
    for row in evidence.queue:
        if row.status == "sent":
            is_there = (row.telegram_id, row.message_id) in ids
            found.expect(is_there, f"message {row.pk} to {row.telegram_id} never arrived")
        else:
            is_right = row.status == "failed" and row.telegram_id in blocked
            found.expect(is_right, f"message {row.pk} is {row.status}: {row.error_message}")
    return found
