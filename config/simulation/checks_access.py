"""Who paid is served, for just as long as he paid; and nobody is cut whose time lasts."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations, pairwise

from config.simulation.evidence import Evidence
from config.simulation.findings import Finding
from config.simulation.people import Person
from payments.models import Payment
from subscriptions.models import AccessGap, Activation

SAME = timedelta(milliseconds=2)  # the panel keeps milliseconds
CUTS = frozenset({"users.disable", "users.bulk.disable", "users.delete", "users.bulk.delete"})
State = Activation.State


def checks(evidence: Evidence) -> Iterator[Finding]:
    yield periods(evidence)
    yield served(evidence)
    yield cuts(evidence)
    yield newcomers(evidence)


def paid_of(evidence: Evidence) -> dict[int, list[tuple[Activation, Payment]]]:
    """What was activated, by the user of the panel."""
    found: dict[int, list[tuple[Activation, Payment]]] = defaultdict(list)
    for payment_id, activation in evidence.activations.items():
        if activation.subscriber is not None and activation.subscriber.panel_id is not None:
            pair = (activation, evidence.payments[payment_id])
            found[activation.subscriber.panel_id].append(pair)
    return found


def periods(evidence: Evidence) -> Finding:
    """The periods given are those paid: each date in the panel's journal follows from one payment.

    Computed from the journal and the provider's paid invoices alone: a period is added to the end
    that he had, or, if that had passed, to a moment between the payment and the writing.
    """
    found = Finding("the periods given are the periods paid, for every subscriber")
    paid = paid_of(evidence)
    for person in evidence.people.values():
        applied = [
            (_paid_at(evidence, payment), payment.period_days)
            for activation, payment in paid.get(person.panel_id, [])
            if activation.applied_at is not None
        ]
        found.expect(*_follow(evidence, person, applied))
    return found


def _paid_at(evidence: Evidence, payment: Payment) -> datetime:
    return datetime.fromisoformat(evidence.invoices[int(payment.external_id or 0)]["paid_at"])


def _follow(
    evidence: Evidence, person: Person, applied: list[tuple[datetime, int]]
) -> tuple[bool, str]:
    ends, left = evidence.ends(person), sorted(applied)
    name = f"user {person.panel_id} ({person.way})"
    if person.first_end is None and ends and left:
        # Created with the date of his first payment; the journal has it as users.create. The period
        # begins between paying and being given it, which is long after where the desk had to look.
        first, given = left.pop(0), ends[0]
        if not first[0] - SAME <= given.end - timedelta(days=first[1]) <= given.since + SAME:
            return False, f"{name}: came {first[0]}, but was given until {given.end}"
    for before, after in pairwise(ends):
        used = _explain(before.end, after.end, after.since, left)
        if used is None:
            gave = (
                f"{before.end:%d. %H:%M:%S} -> {after.end:%F %H:%M:%S} at {after.since:%d. %H:%M}"
            )
            return False, f"{name}: no payment explains {gave}; paid {left}"
        for each in used:
            left.remove(each)
    if left:
        return False, f"{name}: paid and not given: {left}; ends {[str(e.end) for e in ends]}"
    user = evidence.users.get(person.panel_id)
    if user is None:
        return person.deleted_at is not None, f"{name} is not in the panel any more"
    last = ends[-1].end if ends else None
    now = datetime.fromisoformat(user["expireAt"])
    return last == now, f"{name}: the journal leads to {last}, the panel has {now}"


def _explain(
    before: datetime, after: datetime, at: datetime, left: list[tuple[datetime, int]]
) -> tuple[tuple[datetime, int], ...] | None:
    """The payments that lead from one end to the next; one as a rule, two if both waited."""
    ready = [each for each in left if each[0] <= at]
    for count in (1, 2, 3):
        for chosen in combinations(ready, count):
            base = after - timedelta(days=sum(days for _, days in chosen))
            if abs(base - before) <= SAME:
                return chosen
            latest = max(before, min(when for when, _ in chosen))
            if before < at and latest - SAME <= base <= at + SAME:
                return chosen
    return None


def served(evidence: Evidence) -> Finding:
    """Nobody who paid is without access; who is held, or gone, stands where a person sees him."""
    found = Finding("who paid is served, or held by an operator's hand and shown at the desk")
    gaps = set(AccessGap.objects.filter(healed_at=None).values_list("payment_id", flat=True))
    for panel_id, pairs in paid_of(evidence).items():
        person, user = evidence.people.get(panel_id), evidence.users.get(panel_id)
        is_gone = user is None
        is_off = person is not None and person.is_disabled
        for activation, payment in pairs:
            name = f"payment {payment.pk} of user {panel_id}"
            if activation.state != State.APPLIED:
                is_due = activation.state in {State.HELD, State.FAILED} and (is_off or is_gone)
                said = f"{name}: {activation.state} {activation.reason} {activation.last_error}"
                found.expect(is_due and payment.pk in gaps, f"{said}; gap: {payment.pk in gaps}")
                continue
            assert activation.target_expire_at is not None
            if is_gone or activation.target_expire_at <= evidence.ended:
                continue
            assert user is not None
            until = datetime.fromisoformat(user["expireAt"])
            is_served = user["status"] == "ACTIVE" and until >= activation.target_expire_at - SAME
            found.expect(
                is_served or is_off,
                f"{name}: paid until {activation.target_expire_at}, the panel says "
                f"{user['status']} until {until}",
            )
    return found


def cuts(evidence: Evidence) -> Finding:
    """Nobody is cut by us before his end."""
    found = Finding("nobody is cut by us whose time lasts")
    for panel_id, writes in evidence.writes.items():
        person = evidence.people.get(panel_id)
        for write in writes:
            is_cut = write.call in CUTS or write.body.get("status") == "DISABLED"
            if not is_cut:
                continue
            end = None if person is None else evidence.end_at(person, write.at)
            found.expect(
                end is not None and end <= write.at,
                f"user {panel_id}: {write.call} at {write.at:%F %T}, his end is {end}",
            )
    for person in evidence.people.values():
        user = evidence.users.get(person.panel_id)
        if user is None or datetime.fromisoformat(user["expireAt"]) <= evidence.ended:
            continue
        is_right = person.is_disabled or user["status"] in {"ACTIVE", "LIMITED"}
        found.expect(is_right, f"user {person.panel_id} is {user['status']}, untouched")
    return found


def newcomers(evidence: Evidence) -> Finding:
    """Whoever came is one user of the panel."""
    found = Finding("who came and paid is one user of the panel")
    count: dict[int, int] = defaultdict(int)
    for user in evidence.users.values():
        if user["telegramId"] is not None:
            count[user["telegramId"]] += 1
    chats = {
        payment.telegram_id
        for payment in evidence.payments.values()
        if payment.purpose == "new" and payment.pk in evidence.activations
    }
    for chat in chats:
        found.expect(count[chat or 0] == 1, f"chat {chat} has {count[chat or 0]} users")
    return found
