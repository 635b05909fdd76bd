"""Where servers stand: by their country, unless a person knows better."""

from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from monitoring.nodes.countries import countries
from monitoring.nodes.errors import NodeUnknown, PlaceInvalid
from monitoring.nodes.models import Node
from monitoring.nodes.words import NODE

_PLACE = """
UPDATE node n SET latitude = f.latitude, longitude = f.longitude, located_at = %(now)s
FROM (
    SELECT m.uuid, c.latitude, c.longitude FROM node m
    LEFT JOIN unnest(%(codes)s::text[], %(latitudes)s::float8[], %(longitudes)s::float8[])
        AS c (code, latitude, longitude) ON c.code = m.country_code
    WHERE NOT m.is_placed_by_hand
) f
WHERE n.uuid = f.uuid AND NOT n.is_placed_by_hand
    AND (n.latitude, n.longitude) IS DISTINCT FROM (f.latitude, f.longitude)
"""


def nodes_locate() -> dict[str, int]:
    """Put every server at the place of its country. One statement; repeat: nothing changes.

    A place that a person has given stays. A country that nobody knows leaves a server without a place.
    """
    table = list(countries().values())
    moved = sql.run(
        _PLACE,
        {
            "now": clock.now(),
            "codes": [each.code for each in table],
            "latitudes": [each.latitude for each in table],
            "longitudes": [each.longitude for each in table],
        },
    )
    unknown = Node.objects.filter(removed_at=None, latitude=None).count()
    return {"moved": moved, "without_place": unknown}


@transaction.atomic
def node_place(*, node_id: UUID, latitude: float, longitude: float, city: str, by: Account) -> Node:
    """Say where a server stands. Degrees; it holds until node_unplace. Raises NodeUnknown, PlaceInvalid."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise PlaceInvalid("latitude is -90 to 90, longitude -180 to 180")
    row = _locked(node_id)
    before = (row.latitude, row.longitude)
    row.latitude, row.longitude, row.city = latitude, longitude, city.strip()[:100]
    row.is_placed_by_hand, row.located_at = True, clock.now()
    row.save(update_fields=["latitude", "longitude", "city", "is_placed_by_hand", "located_at"])
    audit_write(
        by, "nodes.place", NODE, row.pk,
        name=row.name, place=[before, (latitude, longitude)], city=row.city,
    )  # fmt: skip
    return row


@transaction.atomic
def node_unplace(*, node_id: UUID, by: Account) -> Node:
    """Put a server back to the place of its country. Repeat: nothing changes. Raises NodeUnknown."""
    row = _locked(node_id)
    if row.is_placed_by_hand:
        country = countries().get(row.country_code)
        row.latitude = None if country is None else country.latitude
        row.longitude = None if country is None else country.longitude
        row.is_placed_by_hand, row.city, row.located_at = False, "", clock.now()
        row.save(update_fields=["latitude", "longitude", "city", "is_placed_by_hand", "located_at"])
        audit_write(by, "nodes.unplace", NODE, row.pk, name=row.name)
    return row


def _locked(node_id: UUID) -> Node:
    row = Node.objects.select_for_update(no_key=True).filter(pk=node_id).first()
    if row is None:
        raise NodeUnknown
    return row
