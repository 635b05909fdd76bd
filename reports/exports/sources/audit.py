"""The audit log: who did what. Its writers put no secrets into it."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from jobs.models import AuditEntry
from reports.exports.columns import Column, Kind
from reports.exports.sources.source import Part, Source, between, exactly, narrowed

COLUMNS = (
    Column("id", "number of the entry", "id", Kind.NUMBER),
    Column("at", "when", "at", Kind.MOMENT),
    Column("account", "who, as they were called then", "account_name"),
    Column("account_id", "number of the account, while it exists", "account_id", Kind.NUMBER),
    Column("action", "what was done", "action"),
    Column("object_type", "to what kind of thing", "object_type"),
    Column("object_id", "to which one", "object_id"),
    Column("changes", "what is worth knowing of it", "changes", Kind.JSON),
    Column("correlation_id", "the request in which it was done", "correlation_id"),
)
_PARTS = {
    "who": Part("who", *exactly("account_name", longest=150)),
    "action": Part("did what", *exactly("action", longest=80)),
    "object_type": Part("to what kind of thing", *exactly("object_type", longest=80)),
    "object_id": Part("to which one", *exactly("object_id")),
}


def _rows(
    filters: dict[str, Any], since: datetime | None, until: datetime | None
) -> QuerySet[AuditEntry]:
    return between(narrowed(AuditEntry.objects.all(), _PARTS, filters), "at", since, until)


AUDIT = Source(
    name="audit",
    title="Audit log",
    permission="jobs.view_auditentry",
    span="when it was done",
    columns=COLUMNS,
    parts=_PARTS,
    rows=_rows,
)
