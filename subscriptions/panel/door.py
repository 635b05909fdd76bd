"""The one client of this process, made from the settings."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from uuid import UUID

from django.conf import settings

from jobs import sql
from jobs.registry import Rate
from subscriptions.panel.client import PanelClient
from subscriptions.panel.dialects import Dialect
from subscriptions.panel.limits import Turns
from subscriptions.panel.stored import StoredContract

TOTAL_S = 60.0  # the longest that one request may take


class PanelOff(Exception):
    """REMNAWAVE_URL is not set: there is no panel."""


def is_on() -> bool:
    """Whether there is a panel at all."""
    return bool(settings.REMNAWAVE_URL)


def panel() -> PanelClient:
    """The client for what somebody waits for. Raises PanelOff."""
    return _client(is_background=False)


def panel_background() -> PanelClient:
    """The client for what may take its time: it leaves places and rate to the other one."""
    return _client(is_background=True)


def clients_forget() -> None:
    """Close both clients; the next call makes them from the settings as they are then."""
    if is_on():
        for is_background in (False, True):
            _client(is_background=is_background).close()
    _client.cache_clear()
    contract.cache_clear()


@cache
def contract() -> StoredContract:
    """What this process knows of the panel."""
    forced = settings.PANEL_DIALECT
    return StoredContract(None if forced == "auto" else Dialect(forced))


@cache
def _client(*, is_background: bool) -> PanelClient:
    if not is_on():
        raise PanelOff("REMNAWAVE_URL is not set: there is no panel")
    return PanelClient(
        settings.REMNAWAVE_URL,
        settings.REMNAWAVE_API_TOKEN,
        contract=contract(),
        turn=Turns(
            concurrency=settings.PANEL_CONCURRENCY,
            rate=_rate(),
            span=timedelta(seconds=TOTAL_S + 5),
            is_background=is_background,
        ),
        uuids_of=uuids_known,
        read_timeout_s=settings.PANEL_TIMEOUT.total_seconds(),
        total_timeout_s=TOTAL_S,
        pool_size=settings.PANEL_CONCURRENCY,
        has_proxy_headers=settings.PANEL_PROXY_HEADERS,
        headers=settings.PANEL_HEADERS,
        cookie=settings.PANEL_COOKIE,
    )


def uuids_known(panel_ids: Sequence[int]) -> Mapping[int, UUID]:
    """The uuids of users that the mirror has, for a panel of v2."""
    rows = sql.rows(
        """SELECT panel_id, panel_uuid FROM subscriber
        WHERE panel_id = ANY(%s) AND panel_uuid IS NOT NULL""",
        [list(panel_ids)],
    )
    return dict(rows)


def _rate() -> Rate:
    """PANEL_RATE, spread evenly but for a tenth of a second's worth."""
    count, _, unit = settings.PANEL_RATE.partition("/")
    per = {"s": "1s", "m": "1m", "h": "1h", "d": "1d"}[unit[0]]
    return Rate(int(count), per, max(1, int(count) // 10))
