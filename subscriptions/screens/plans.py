"""How many are on each plan: one look at an index, kept for a moment."""

from django.core.cache import cache

from jobs import sql

KEPT_S = 60
_PLACE = "subscriptions:plan-counts"
# Both serve from indexes: subscriber_of_plan whole, and the number of those of a plan who are served.
_COUNT = """
SELECT plan_id, count(*), count(*) FILTER (WHERE status IN ('ACTIVE', 'LIMITED'))
FROM subscriber WHERE plan_id IS NOT NULL AND missing_since IS NULL GROUP BY plan_id
"""


def counts_by_plan() -> dict[int, tuple[int, int]]:
    """Plan id -> how many have it, and how many of them the panel serves; at most KEPT_S old."""
    found: dict[int, tuple[int, int]] | None = cache.get(_PLACE)
    if found is None:
        found = {plan_id: (count, served) for plan_id, count, served in sql.rows(_COUNT)}
        cache.set(_PLACE, found, KEPT_S)
    return found
