"""The sources by name. A further one is a module beside these and a line here."""

from reports.exports.errors import ExportInvalid
from reports.exports.sources.audit import AUDIT
from reports.exports.sources.payments import PAYMENTS
from reports.exports.sources.servers import SERVERS
from reports.exports.sources.source import Source
from reports.exports.sources.users import USERS

SOURCES: dict[str, Source] = {each.name: each for each in (USERS, PAYMENTS, SERVERS, AUDIT)}


def source_get(name: str) -> Source:
    """The source of that name. Raises ExportInvalid."""
    try:
        return SOURCES[name]
    except KeyError:
        why = f"must be one of {', '.join(SOURCES)}"
        raise ExportInvalid(f"type {why}", errors=[{"field": "type", "message": why}]) from None
