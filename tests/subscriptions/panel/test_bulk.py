"""Calls about many: what is sent, and that they prove nothing before they were read back."""

from typing import Any
from uuid import UUID

import pytest

from subscriptions.panel.client import PanelClient
from subscriptions.panel.types import BulkCheck, PanelStatus, PanelUser
from tests.subscriptions.panel import bodies
from tests.subscriptions.panel.stage import Stage

SQUAD = UUID("5b1f0d8e-7c0a-4f4e-9a41-2f6d5f0c7a11")


def is_disabled(user: PanelUser) -> bool:
    return user.status is PanelStatus.DISABLED


@pytest.mark.parametrize(
    ("method", "options", "path", "body"),
    [
        ("bulk_disable", {}, "update", {"fields": {"status": "DISABLED"}}),
        ("bulk_enable", {}, "update", {"fields": {"status": "ACTIVE"}}),
        ("bulk_update", {"tag": None}, "update", {"fields": {"tag": None}}),
        ("bulk_reset_traffic", {}, "reset-traffic", {}),
        ("bulk_delete", {}, "delete", {}),
        ("bulk_revoke", {}, "revoke-subscription", {}),
        ("bulk_extend", {"days": 3}, "extend-expiration-date", {"extendDays": 3}),
        ("bulk_squads", {"squads": [SQUAD]}, "update-squads", {"activeInternalSquads": [str(SQUAD)]}),
    ],
)  # fmt: skip
def test_a_bulk_call_sends_each_number_once(
    stage: Stage, client: PanelClient, method: str, options: Any, path: str, body: Any
) -> None:
    stage.say(status=202)
    getattr(client, method)([7, 1042, 7], **options)
    assert stage.asked[0].path == f"/api/users/bulk/{path}"
    assert stage.asked[0].body == {"userIds": [7, 1042]} | body


def test_v2_wants_uuids_and_leaves_out_whom_it_does_not_have(stage_v2: Stage) -> None:
    known = UUID("00000000-0000-4000-8000-000000000007")
    client = stage_v2.client(uuids_of=lambda ids: {7: known})
    stage_v2.say(bodies.user_v2(id=8))
    stage_v2.say(bodies.business_error("A063", "not found"), status=404)
    stage_v2.say({"affectedRows": 2})
    client.bulk_disable([7, 8, 9])
    assert stage_v2.asked[-1].body["uuids"] == [str(known), bodies.UUID_OF_V2]
    assert [each.path for each in stage_v2.asked[:2]] == [
        "/api/users/by-id/8",
        "/api/users/by-id/9",
    ]


@pytest.mark.parametrize("ids", [[], range(501)])
def test_more_than_the_panel_takes_is_not_sent(
    stage: Stage, client: PanelClient, ids: list[int]
) -> None:
    with pytest.raises(ValueError, match="1 to 500"):
        client.bulk_disable(ids)
    assert stage.asked == []


@pytest.mark.parametrize("status", [PanelStatus.EXPIRED, PanelStatus.LIMITED])
def test_a_status_that_the_panel_derives_is_not_sent(
    stage: Stage, client: PanelClient, status: PanelStatus
) -> None:
    with pytest.raises(ValueError, match="derives"):
        client.bulk_update([1], status=status)
    assert stage.asked == []


def test_squads_have_a_call_of_their_own(client: PanelClient) -> None:
    with pytest.raises(ValueError, match="bulk_squads"):
        client.bulk_update([1], squads=[SQUAD])


@pytest.mark.parametrize("days", [0, -1, 10_000])
def test_days_that_the_panel_refuses_are_not_sent(client: PanelClient, days: int) -> None:
    with pytest.raises(ValueError, match="between"):
        client.bulk_extend([1], days=days)


def test_reading_back_tells_done_pending_and_missing_apart(
    stage: Stage, client: PanelClient
) -> None:
    stage.say(bodies.user(id=100, status="DISABLED"))
    stage.say(bodies.user(id=1000))
    stage.say(bodies.business_error("A063", "not found"), status=404)
    check = client.bulk_check([100, 1000, 9000], is_disabled)
    assert check == BulkCheck(frozenset([100]), frozenset([1000]), frozenset([9000]))
    assert not check.is_settled


def test_near_numbers_are_read_back_by_one_page(stage: Stage, client: PanelClient) -> None:
    users = [bodies.user(id=number, status="DISABLED") for number in (11, 12, 13, 15)]
    stage.say({"users": users, "nextCursor": "15", "hasMore": True})
    check = client.bulk_check([11, 13, 14], is_disabled)
    assert check == BulkCheck(frozenset([11, 13]), frozenset(), frozenset([14]))
    assert stage.asked[0].path == "/api/users/stream?size=4&cursor=10"


def test_near_numbers_are_read_until_the_last_of_them(stage: Stage, client: PanelClient) -> None:
    ids = list(range(1, 1500))
    first = [bodies.user(id=number, status="DISABLED") for number in range(1, 1001)]
    second = [bodies.user(id=number, status="DISABLED") for number in range(1001, 1500)]
    stage.say({"users": first, "nextCursor": "1000", "hasMore": True})
    stage.say({"users": second, "nextCursor": "1499", "hasMore": True})
    assert client.bulk_check(ids, is_disabled).is_settled
    assert [each.path for each in stage.asked] == [
        "/api/users/stream?size=1000&cursor=0",
        "/api/users/stream?size=499&cursor=1000",
    ]


def test_v27_has_no_stream_and_is_asked_one_by_one() -> None:
    with Stage(bodies.METADATA_V27) as stage:
        stage.say(bodies.user_v2(id=11))
        stage.say(bodies.user_v2(id=12))
        found = stage.client().users_by_ids([11, 12])
        assert sorted(found) == [11, 12]
        assert [each.path for each in stage.asked] == [
            "/api/users/by-id/11",
            "/api/users/by-id/12",
        ]
