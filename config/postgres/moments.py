"""Reading timestamps by the C code of psycopg, which Django's loader of time zones passes by."""

from datetime import UTC
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import Format

_TYPE = "timestamptz"
_OID = psycopg.adapters.types[_TYPE].oid


class UtcLoader(Loader):
    """timestamptz as a datetime in UTC, on a connection whose time zone is UTC: 0.5 us, not 7.

    psycopg's own loader in C takes the zone of the connection; it cannot be derived from, but its
    `load` can stand in for ours.
    """

    timezone = UTC  # Django compares it with the zone that it wants

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        plain = psycopg.adapters.get_loader(_OID, Format.TEXT)
        assert plain is not None, "psycopg reads no timestamps"
        self._plain = plain(oid, context)
        self.load = self._plain.load  # type: ignore[method-assign]

    def load(self, data: Any) -> Any:
        """As of psycopg; each instance has the one of its plain loader instead."""
        return self._plain.load(data)


@lru_cache
def with_utc_loader(adapters: AdaptersMap) -> AdaptersMap:
    """The same adapters, with the quick loader. For connections in UTC."""
    found = AdaptersMap(adapters)
    found.register_loader(_TYPE, UtcLoader)
    return found
