"""What customers, operators and the desk do, each at his moment."""

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from config.simulation.hand import Hand, Refused
from config.simulation.people import LANGUAGES, Person, Way, hours, way_draw
from lib import clock
from lib.errors import DomainError
from payments.models import Payment, Purpose, Review
from payments.models import State as PaymentState
from payments.services import review_resolve
from subscriptions.activation.orders import order_for, order_new
from subscriptions.models import Activation, Plan, Subscriber

DESK_EVERY = timedelta(hours=6)
DISABLED_SHARE, BACK_SHARE, DELETED_SHARE, NEW_SHARE = 0.02, 0.7, 0.005, 0.03
STRANGER = 800_000_000  # Telegram ids of new customers count from here
INVOICE_LIFE_H = 24.0
CENT = Decimal("0.000001")


class Acting:
    """An agenda of acts. counts: what was done, by its name; people by id of the panel."""

    def __init__(
        self, hand: Hand, people: list[Person], plans: dict[str, Plan], draw: Random, end: datetime
    ) -> None:
        self.people = {person.panel_id: person for person in people}
        self.counts: Counter[str] = Counter()
        self._of_row = {person.subscriber_id: person for person in people}
        self._hand, self._plans, self._draw, self._end = hand, plans, draw, end
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()
        self._seen: set[UUID] = set()
        self._twins: set[UUID] = set()  # second orders of the same person
        self._new: dict[int, Way] = {}
        self._followed: set[int] = set()
        # Of the present step: whoever pays is told to the sandbox in one call, who orders is read in one.
        self._paying: list[tuple[Way, dict[str, Any]]] = []
        self._ordering: list[Person] = []

    def begin(self, began: datetime) -> None:
        """Fill the agenda of the whole month."""
        draw, people = self._draw, list(self.people.values())
        for person in people:
            assert person.first_end is not None
            self._renewal_plan(person, person.first_end)
        span_h = max(1.0, (self._end - began).total_seconds() / 3600 - 12)

        def moment() -> datetime:
            return began + hours(draw, 0.5, span_h)

        for person in draw.sample(people, max(1, int(len(people) * DISABLED_SHARE))):
            self._at(moment(), lambda person=person: self._disable(person))  # type: ignore[misc]
        for person in draw.sample(people, max(1, int(len(people) * DELETED_SHARE))):
            self._at(moment(), lambda person=person: self._delete(person))  # type: ignore[misc]
        for number in range(max(1, int(len(people) * NEW_SHARE))):
            self._at(moment(), lambda number=number: self._come(STRANGER + number))  # type: ignore[misc]
        self._at(began + DESK_EVERY, self._desk)

    def run_due(self) -> int:
        """Everybody whose moment has come acts. Returns how many acts that were."""
        done = 0
        while self._agenda and self._agenda[0][0] <= clock.now():
            heapq.heappop(self._agenda)[2]()
            done += 1
        self._pay_all()
        self._order_all()
        return done

    def look(self) -> None:
        """Customers see their new invoices, and that they are served until another date."""
        self._invoices_see()
        self._ends_see()

    def next_due(self) -> datetime | None:
        return self._agenda[0][0] if self._agenda else None

    def _at(self, moment: datetime, act: Callable[[], None]) -> None:
        if moment < self._end:
            heapq.heappush(self._agenda, (moment, next(self._numbers), act))

    # Customers.

    def _renewal_plan(self, person: Person, end: datetime) -> None:
        person.way = way_draw(self._draw)
        if person.auto_renew or person.way is Way.NEVER:
            return  # the first is asked by us, the other just goes
        if person.way is Way.AFTER_END:
            moment = end + hours(self._draw, 0.2, 30)
        else:
            moment = max(end - hours(self._draw, 0.3, 100), clock.now() + hours(self._draw, 0, 2))
        self._at(moment, lambda: self._order(person))
        if person.way is Way.TWICE:
            self._at(moment + hours(self._draw, 0, 3), lambda: self._order(person))

    def _order(self, person: Person) -> None:
        if person.deleted_at is None:
            self._ordering.append(person)

    def _order_all(self) -> None:
        rows = Subscriber.objects.in_bulk([person.subscriber_id for person in self._ordering])
        for person in self._ordering:
            try:
                order_for(rows[person.subscriber_id], self._plans[person.plan])
            except DomainError as exc:
                self.counts[f"order refused: {type(exc).__name__}"] += 1
            else:
                self.counts["orders"] += 1
        self._ordering.clear()

    def _come(self, telegram_id: int) -> None:
        plan = self._draw.choice(list(self._plans.values()))
        order_new(plan, telegram_id=telegram_id, language=self._draw.choice(LANGUAGES))
        self._new[telegram_id] = way_draw(self._draw)
        self.counts["new customers"] += 1

    def _invoices_see(self) -> None:
        """Read as a shop would show it: the link of an order that waits to be paid."""
        pending = Payment.objects.filter(state=PaymentState.PENDING).values_list("pk", flat=True)
        fresh = set(pending) - self._seen
        self._seen |= fresh
        for payment in Payment.objects.filter(pk__in=fresh).order_by("created_at", "pk"):
            self.counts["invoices"] += 1
            way = self._way_of(payment)
            moment = self._moment_of(way, payment)
            if moment is not None:
                self._at(
                    moment,
                    lambda payment=payment, way=way: self._pay(payment, way),  # type: ignore[misc]
                )

    def _way_of(self, payment: Payment) -> Way:
        if payment.subscriber_id is None:
            return self._new.get(payment.telegram_id or 0, Way.EXACT)
        person = self._of_row.get(payment.subscriber_id)
        return Way.EXACT if person is None else person.way

    def _moment_of(self, way: Way, payment: Payment) -> datetime | None:
        now = clock.now()
        if way is Way.NEVER:
            return None
        if way is Way.LATE:
            return now + hours(self._draw, INVOICE_LIFE_H + 0.5, INVOICE_LIFE_H + 40)
        if way is Way.AFTER_END and payment.purpose == Purpose.AUTO_RENEWAL:
            return now + hours(self._draw, 1.2, 20)
        return now + hours(self._draw, 0.01, 2.5)

    def _pay(self, payment: Payment, way: Way) -> None:
        order: dict[str, Any] = {"late": way is Way.LATE}
        is_coin = payment.currency_type == "crypto"
        if way is Way.OTHER_ASSET:
            order["asset"] = "LTC"
        elif way in {Way.UNDER, Way.OVER}:
            share = Decimal("0.7") if way is Way.UNDER else Decimal("1.4")
            # About so many of the coin for a price in a fiat; how many exactly does not matter here.
            amount = (payment.amount * share).quantize(CENT, ROUND_DOWN)
            order["amount"] = str(amount if is_coin else amount * (1 if share < 1 else 3))
            order["asset"] = payment.currency if is_coin else "USDT"
        elif way is Way.LOST:
            order["silent"] = True
        elif way is Way.DELAYED:
            order["delay_s"] = round(self._draw.uniform(600, 30_000))
        elif way is Way.REPEATED:
            order["duplicates"] = self._draw.randint(1, 4)
        self._paying.append((way, {"invoice_ids": [int(payment.external_id or 0)], **order}))

    def _pay_all(self) -> None:
        if not self._paying:
            return
        taken = self._hand.pay([order for _, order in self._paying])
        for (way, _), is_taken in zip(self._paying, taken, strict=True):
            self.counts[f"paid: {way}" if is_taken else "came too late to pay"] += 1
        self._paying.clear()

    def _ends_see(self) -> None:
        horizon = clock.now() - timedelta(hours=3)
        applied = Activation.objects.filter(applied_at__gt=horizon, subscriber__isnull=False)
        fresh = set(applied.values_list("pk", flat=True)) - self._followed
        self._followed |= fresh
        rows = Activation.objects.filter(pk__in=fresh).select_related("subscriber", "plan")
        for row in rows.order_by("pk"):
            if row.subscriber is None:
                continue
            person = self._of_row.get(row.subscriber.pk)
            if person is None:
                person = self._newcomer(row)
            assert row.target_expire_at is not None
            if row.target_expire_at < self._end + timedelta(days=4):
                self._renewal_plan(person, row.target_expire_at)

    def _newcomer(self, row: Activation) -> Person:
        assert row.subscriber is not None
        assert row.subscriber.panel_id is not None
        person = Person(
            row.subscriber.panel_id,
            row.subscriber.pk,
            row.subscriber.telegram_id,
            None,
            plan=row.plan.code if row.plan else "month",
        )
        self.people[person.panel_id] = self._of_row[person.subscriber_id] = person
        return person

    # People in the panel.

    def _disable(self, person: Person) -> None:
        if person.deleted_at is not None or not self._touch(person, "disable"):
            return
        if self._draw.random() < BACK_SHARE:
            back = clock.now() + hours(self._draw, 3, 72)
            self._at(back, lambda: self._enable(person))

    def _enable(self, person: Person) -> None:
        if person.deleted_at is None:
            self._touch(person, "enable")

    def _touch(self, person: Person, action: str) -> bool:
        try:
            self._hand.operator(person.panel_id, action)
        except Refused:
            return False
        person.touched.append((clock.now(), action))
        self.counts[f"operator: {action}"] += 1
        return True

    def _delete(self, person: Person) -> None:
        try:
            self._hand.operator(person.panel_id, "delete")
        except Refused:
            return
        person.deleted_at = clock.now()
        self.counts["accounts deleted"] += 1

    # The desk for money that does not fit.

    def _desk(self) -> None:
        for review in Review.objects.filter(resolved_at=None).order_by("pk"):
            chance = self._draw.random()
            if chance < 0.4:
                continue  # tomorrow
            resolution = "settled" if chance < 0.8 else self._draw.choice(["refunded", "kept"])
            try:
                review_resolve(
                    review_id=review.pk, resolution=resolution, note="Seen at the desk.", by=None
                )
            except DomainError as exc:
                self.counts[f"desk refused: {type(exc).__name__}"] += 1
            else:
                self.counts[f"desk: {resolution}"] += 1
        self._at(clock.now() + DESK_EVERY, self._desk)
