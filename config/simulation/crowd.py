"""The people at the beginning of the month: in the panel, then in the mirror, then with their plans."""

from datetime import datetime
from decimal import Decimal
from random import Random

from django.db import connection

from config.simulation.hand import Hand
from config.simulation.options import Options, SimulationFailed
from config.simulation.people import LANGUAGES, PLAN_WEIGHTS, PLANS, Person, way_draw
from subscriptions.activation.plans import plan_create, price_set
from subscriptions.models import Plan, Subscriber

# Ends of the first period are spread evenly, so that two in three end while we look.
FIRST_END_S, LAST_END_SHARE = 1_800.0, 1.5
MONTHLY_SHARE = 0.2  # whose traffic the panel resets by itself
UNLINKED_SHARE = 0.03
DISABLED_SHARE = 0.01
BLOCKED_SHARE = 0.02
RENEWING_SHARE = 0.4

_SETTLE = """
UPDATE subscriber SET plan_id = given.plan_id, auto_renew = given.auto_renew, language = given.language
FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[], %s::text[])
    AS given (id, plan_id, auto_renew, language)
WHERE subscriber.id = given.id
"""


def plans_make() -> dict[str, Plan]:
    """What is sold, with prices, by code."""
    made = {}
    for sold in PLANS:
        plan = plan_create(
            code=sold.code, title=sold.title, title_ru=sold.title_ru, period_days=sold.days
        )
        price_set(
            plan_id=plan.pk,
            currency_type=sold.currency_type,
            currency=sold.currency,
            amount=Decimal(sold.amount),
            accepted_assets=sold.accepted,
        )
        made[sold.code] = plan
    return made


def seed(hand: Hand, options: Options) -> None:
    """Put everybody into the panel."""
    monthly = int(options.subscribers * MONTHLY_SHARE)
    for number, (count, strategy, prefix) in enumerate(
        ((options.subscribers - monthly, "NO_RESET", "own_"), (monthly, "MONTH", "auto_"))
    ):
        hand.seed(
            count,
            seed=options.seed * 10 + number,
            prefix=prefix,
            strategy=strategy,
            expires_from_s=FIRST_END_S,
            expires_to_s=options.days * LAST_END_SHARE * 86_400.0,
            unlinked_share=UNLINKED_SHARE,
            disabled_share=DISABLED_SHARE,
        )


def people_read(hand: Hand, plans: dict[str, Plan], draw: Random) -> list[Person]:
    """The mirrored ones, each with a plan, a language and a habit. Raises SimulationFailed."""
    found: list[Person] = []
    mirrored = Subscriber.objects.filter(missing_since=None)
    rows = dict(mirrored.values_list("panel_id", "pk"))
    languages: list[str] = []
    for user in hand.users():
        subscriber_id = rows.get(user["id"])
        if subscriber_id is None:
            raise SimulationFailed(f"user {user['id']} of the panel is not in the mirror")
        code = draw.choices([sold.code for sold in PLANS], PLAN_WEIGHTS)[0]
        person = Person(
            panel_id=user["id"],
            subscriber_id=subscriber_id,
            telegram_id=user["telegramId"],
            first_end=datetime.fromisoformat(user["expireAt"]),
            plan=code,
            auto_renew=draw.random() < RENEWING_SHARE,
            way=way_draw(draw),
            is_blocked=user["telegramId"] is not None and draw.random() < BLOCKED_SHARE,
        )
        if user["status"] == "DISABLED":
            person.touched.append((datetime.fromisoformat(user["createdAt"]), "disable"))
        languages.append(draw.choice(LANGUAGES))
        found.append(person)
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE,
            [
                [person.subscriber_id for person in found],
                [plans[person.plan].pk for person in found],
                [person.auto_renew for person in found],
                languages,
            ],
        )
    hand.blocked([each.telegram_id for each in found if each.is_blocked and each.telegram_id])
    return found
