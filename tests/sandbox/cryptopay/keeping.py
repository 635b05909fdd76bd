"""Crypto Pay for a file: apps, invoices, transfers, and the webhooks that wait for their time."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from tests.sandbox.cryptopay.apps import App
from tests.sandbox.cryptopay.invoices import Paid, Terms
from tests.sandbox.cryptopay.world import World


def kept(world: World) -> dict[str, Any]:
    apps = world.apps
    return {
        "network": apps.network,
        "apps": [asdict(app) for app in apps.known()],
        "invoices": world.invoices.rows(),
        "transfers": world.transfers.rows(),
        "deliveries": world.deliveries.rows(),
    }


def restore(world: World, content: dict[str, Any], *, id_gap: int) -> None:
    """Into an empty world. Raises ValueError, KeyError or TypeError for what is none."""
    world.apps.network = content["network"]
    for row in content["apps"]:
        world.apps.add(App(**row))
    _invoices(world, content["invoices"], id_gap)
    world.transfers.load(content["transfers"], id_gap=id_gap)
    world.deliveries.load(content["deliveries"])


def _invoices(world: World, content: dict[str, Any], id_gap: int) -> None:
    terms = [
        Terms(**{**row, "accepted_assets": tuple(row["accepted_assets"])})
        for row in content["terms"]
    ]
    for number, place, payload, created_at, expires_at, paid in content["invoices"]:
        how = None if paid is None else Paid(**{**paid, "amount": Decimal(paid["amount"])})
        world.invoices.put(number, terms[place], payload, created_at, expires_at, how)
    world.invoices.deleted = content["deleted"]
    world.invoices.latest_id = content["latest_id"] + id_gap
