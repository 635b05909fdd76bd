"""Sets that nobody can have meant: an empty variable must not become everybody."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from subscriptions.bulk.errors import SelectionInvalid
from subscriptions.bulk.preview import bulk_preview
from subscriptions.bulk.starting import bulk_start
from subscriptions.models import BulkKind, BulkOperation, PanelStatus
from tests.subscriptions.bulk.rows import rows_make

PATH = "/api/v1/bulk-operations"
MAY = ("subscriptions.view_bulkoperation", "subscriptions.operate_bulkoperation")


@pytest.mark.parametrize("blank", ["", None])
@pytest.mark.parametrize("address", ["", "/preview"])
def test_a_filter_with_an_empty_part_is_refused_over_rest(
    client: Client, account: Callable[..., User], address: str, blank: object
) -> None:
    rows_make(2)
    client.force_login(account("olga", *MAY))
    body: dict[str, Any] = {"operation": "reset_traffic", "filter": {"tag": blank}}
    answer = client.post(f"{PATH}{address}", orjson.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_selection")
    assert not BulkOperation.objects.exists()


@pytest.mark.parametrize("kind", [BulkKind.DISABLE, BulkKind.DELETE])
def test_everybody_is_cut_only_by_name(db: None, kind: BulkKind) -> None:
    rows_make(2)
    nobody: dict[str, Any] = {"filter": {}}
    with pytest.raises(SelectionInvalid):
        bulk_start(kind=kind, params={}, selection=nobody, source="api", by=None)
    with pytest.raises(SelectionInvalid):
        bulk_preview(kind=kind, params={}, selection=nobody)
    named = {"filter": {"status": list(PanelStatus.values)}}
    assert bulk_preview(kind=kind, params={}, selection=named).would_change == 2


def test_everybody_may_be_given_days(db: None) -> None:
    rows_make(2)
    look = bulk_preview(kind=BulkKind.EXTEND, params={"days": 3}, selection={"filter": {}})
    assert look.would_change == 2
