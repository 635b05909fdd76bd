"""What may be ordered, by whom, and how many at a time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from config.groups import GROUPS
from jobs.models import AuditEntry
from lib.errors import InputInvalid
from reports.exports.errors import ExportForbidden, ExportImpossible, ExportsTooMany
from reports.exports.models import Export
from reports.exports.ordering import ADD, OPERATE
from reports.exports.services import (
    export_cancel,
    export_delete,
    export_open,
    export_order,
    export_revoke,
)
from reports.exports.sources import SOURCES
from tests.reports.exports.conftest import Ordered
from tests.reports.exports.rows import NOON


@pytest.mark.parametrize("name", list(SOURCES))
def test_each_type_takes_the_permission_to_see_its_rows(
    account: Callable[..., User], name: str
) -> None:
    needed = SOURCES[name].permission
    others = [source.permission for source in SOURCES.values() if source.name != name]
    with pytest.raises(ExportForbidden, match=needed):
        export_order(type=name, by=account("sam", ADD, *others))
    with pytest.raises(ExportForbidden, match=ADD):
        export_order(type=name, by=account("tim", needed))
    assert export_order(type=name, by=account("olga", ADD, needed)).requested_name == "olga"


def test_an_order_is_audited_with_what_was_asked(olga: User) -> None:
    export = export_order(
        type="users", by=olga, since=NOON, filters={"status": ["ACTIVE"], "tag": ""}, gzip=True
    )
    (line,) = AuditEntry.objects.filter(action="exports.order")
    assert (line.account_name, line.object_id) == ("olga", str(export.pk))
    assert line.changes["filter"] == {"status": ["ACTIVE"]}
    assert line.changes["format"] == "csv.gz"
    assert line.changes["since"] == NOON.isoformat()


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"type": "secrets"}, "type must be one of users"),
        ({"format": "xlsx"}, "format must be one of"),
        ({"columns": ["id", "password"]}, "columns has no 'password'"),
        ({"since": NOON, "until": NOON}, "until must be after since"),
        ({"since": NOON.replace(tzinfo=None)}, "since needs a time zone"),
        ({"bom": True, "format": "jsonl"}, "bom is for CSV only"),
        ({"tell_telegram_id": 5}, "tell_telegram_id must be one of ADMIN_TELEGRAM_IDS"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_refused(db: None, order: dict[str, Any], why: str) -> None:
    with pytest.raises(InputInvalid, match=why):
        export_order(**{"type": "users", **order})
    assert not Export.objects.exists()


def test_a_range_in_another_zone_is_kept_in_utc(db: None) -> None:
    moscow = timezone(timedelta(hours=3))
    export = export_order(type="users", since=datetime(2026, 11, 1, tzinfo=moscow))
    assert export.since == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert export.file_name.startswith("users_2026-10-31_")


def test_one_account_has_few_open_exports(olga: User, settings: Settings) -> None:
    settings.EXPORT_OPEN_MOST = 2
    first = export_order(type="users", by=olga)
    export_order(type="users", by=olga)
    with pytest.raises(ExportsTooMany):
        export_order(type="users", by=olga)
    export_cancel(export_id=first.pk, by=olga)
    export_order(type="users", by=olga)


@pytest.mark.parametrize("act", [export_cancel, export_revoke, export_delete])
def test_what_others_ordered_takes_a_permission(
    written: Ordered, olga: User, account: Callable[..., User], act: Callable[..., Export]
) -> None:
    is_waiting = act is export_cancel
    export = export_order(type="audit", by=olga) if is_waiting else written("audit", by=olga)
    stranger = account("sam", ADD, "jobs.view_auditentry")
    with pytest.raises(ExportForbidden, match=OPERATE):
        act(export_id=export.pk, by=stranger)
    act(export_id=export.pk, by=account("pia", OPERATE))
    act(export_id=export.pk, by=olga)


def test_a_repeated_cancel_changes_nothing(olga: User) -> None:
    export = export_order(type="audit", by=olga)
    for _ in range(2):
        assert export_cancel(export_id=export.pk, by=olga).state == "cancelled"
    assert AuditEntry.objects.filter(action="exports.cancel").count() == 1


def test_what_is_done_cannot_be_cancelled_nor_what_is_open_deleted(written: Ordered) -> None:
    done, waiting = written("audit"), export_order(type="audit")
    with pytest.raises(ExportImpossible, match="ready"):
        export_cancel(export_id=done.pk, by=None)
    with pytest.raises(ExportImpossible, match="Cancel it first"):
        export_delete(export_id=waiting.pk, by=None)
    with pytest.raises(ExportImpossible, match="waiting"):
        export_revoke(export_id=waiting.pk, by=None)
    with pytest.raises(ExportImpossible, match="waiting"):
        export_open(waiting, by=None)


def test_operators_look_after_exports_and_support_has_none_of_them() -> None:
    assert GROUPS["Admin"].covers(ADD)
    assert GROUPS["Operator"].covers(OPERATE)
    assert not GROUPS["Support"].covers(ADD)
    assert not GROUPS["Support"].covers(OPERATE)
