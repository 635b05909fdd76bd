"""Ordering an export: a row and its job, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from reports.exports.errors import ExportForbidden, ExportInvalid, ExportsTooMany
from reports.exports.models import Export, ExportFormat
from reports.exports.models.export import OPEN
from reports.exports.sources import source_get
from reports.exports.sources.source import Source

ADD, VIEW, OPERATE = "exports.add_export", "exports.view_export", "exports.operate_export"
OBJECT = "export"  # what the audit log calls it
# One after the other: a large file keeps a worker busy for minutes, and the others are for the rest.
LINE = "exports"


def export_order(
    *,
    type: str,  # noqa: A002 - the word of the source document and of the API
    format: str = ExportFormat.CSV,  # noqa: A002 - likewise
    since: datetime | None = None,
    until: datetime | None = None,
    filters: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    gzip: bool = False,
    bom: bool = False,
    tell_telegram_id: int | None = None,
    by: Account = None,
) -> Export:
    """Have a file written. [since, until) is about what the source says; None: without an end.

    by: who gets it, with the permission to export and to see such rows; None is the platform itself.
    tell_telegram_id: one of ADMIN_TELEGRAM_IDS, for the link opens without a login.
    Raises ExportForbidden, ExportInvalid, FilterInvalid, ExportsTooMany. Repeat: a second file.
    """
    source = source_get(type)
    may_export(by, source)
    moments = _range(since, until)
    chosen = _columns(source, columns)
    given = {name: value for name, value in (filters or {}).items() if value not in (None, "", [])}
    source.filters_read(given)
    if format not in ExportFormat.values:
        raise _wrong("format", f"must be one of {', '.join(ExportFormat.values)}")
    if bom and format != ExportFormat.CSV:
        raise _wrong("bom", "is for CSV only")
    if tell_telegram_id is not None and tell_telegram_id not in settings.ADMIN_TELEGRAM_IDS:
        raise _wrong("tell_telegram_id", "must be one of ADMIN_TELEGRAM_IDS")
    account = by if isinstance(by, AbstractBaseUser) else None
    with transaction.atomic():
        _limit(account)
        export = Export.objects.create(
            type=source.name,
            format=format,
            is_gzipped=gzip,
            has_bom=bom,
            since=moments[0],
            until=moments[1],
            filters=given,
            columns=chosen,
            requested_by_id=account.pk if account else None,
            requested_name=account.get_username() if account else "system",
            tell_telegram_id=tell_telegram_id,
            created_at=clock.now(),
        )
        from reports.exports.tasks import write_export  # noqa: PLC0415 - its job calls our rooms

        export.job_id = write_export.enqueue(export_id=export.pk, partition=LINE).id
        export.save(update_fields=["job_id"])
        audit_write(
            by, "exports.order", OBJECT, export.pk,
            type=export.type, format=export.extension, filter=given or None,
            columns=None if chosen == source.usual_columns else chosen,
            since=since and since.isoformat(), until=until and until.isoformat(),
        )  # fmt: skip
    return export


def may_export(by: Account, source: Source) -> None:
    """Raise ExportForbidden unless this account may have files of such rows."""
    for permission in (ADD, source.permission):
        if not holds(by, permission):
            raise ExportForbidden(f"This needs the permission {permission}.")


def holds(by: Account, permission: str) -> bool:
    """Whether an account has a permission; the platform itself has all of them."""
    account: Any = by
    return account is None or bool(account.has_perm(permission))


def _range(
    since: datetime | None, until: datetime | None
) -> tuple[datetime | None, datetime | None]:
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise _wrong(name, "needs a time zone")
    if since is not None and until is not None and since >= until:
        raise _wrong("until", "must be after since")
    return since and since.astimezone(UTC), until and until.astimezone(UTC)


def _columns(source: Source, given: Sequence[str] | None) -> list[str]:
    """The chosen columns in the order in which they were given; none: the usual ones."""
    if not given:
        return source.usual_columns
    known = [column.name for column in source.columns]
    if strange := [name for name in given if name not in known]:
        raise _wrong("columns", f"has no {strange[0]!r}; there are {', '.join(known)}")
    return list(dict.fromkeys(given))


def _limit(account: AbstractBaseUser | None) -> None:
    """Locks: the orders of the account, so that two at once cannot both be the last one allowed."""
    if account is None:
        return
    sql.run("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"exports:{account.pk}"])
    count = Export.objects.filter(requested_by_id=account.pk, state__in=OPEN).count()
    if count >= settings.EXPORT_OPEN_MOST:
        raise ExportsTooMany(f"{count} exports of yours are not done yet; wait, or cancel one")


def _wrong(field: str, why: str) -> ExportInvalid:
    return ExportInvalid(f"{field} {why}", errors=[{"field": field, "message": why}])
