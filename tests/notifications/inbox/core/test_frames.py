"""The words on the wire, which are those of the source document."""

from datetime import UTC, datetime

import orjson
import pytest

from notifications.inbox import frames
from notifications.inbox.errors import StreamIdInvalid
from notifications.inbox.positions import position_of, stream_id
from notifications.inbox.shapes import Row

pytestmark = pytest.mark.unit

ID = "550e8400-e29b-41d4-a716-446655440000"
AT = datetime(2024, 1, 1, 12, tzinfo=UTC)


def row(**changes: object) -> Row:
    fields = {
        "recipient_id": 7, "notification_id": ID, "position": 1640995200000,
        "version": 1640995200005, "state": "unread", "message": 'Заказ "5" \\ ☃', "source": "shop",
        "created_at": AT, "expires_at": AT, "priority": 2, "edition": 1, "data": None,
    }  # fmt: skip
    return Row(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_push_says_what_the_source_says_and_more() -> None:
    assert orjson.loads(frames.push_frame(row())) == {
        "type": "notification.push",
        "data": {
            "notification_id": ID,
            "stream_id": "1640995200000-0",
            "message": 'Заказ "5" \\ ☃',
            "created_at": "2024-01-01T12:00:00Z",
            "source": "shop",
            "status": "unread",
            "read": False,
            "expires_at": "2024-01-01T12:00:00Z",
            "priority": 2,
            "edition": 1,
        },
    }


@pytest.mark.parametrize("state", ["unread", "read", "auto_cleared"])
def test_only_what_was_read_is_read(state: str) -> None:
    data = orjson.loads(frames.push_frame(row(state=state)))["data"]
    assert (data["status"], data["read"]) == (state, state == "read")


def test_free_fields_go_out_as_they_came_in() -> None:
    data = orjson.loads(frames.push_frame(row(data='{"a": [1, null]}')))["data"]
    assert data["data"] == {"a": [1, None]}


def test_a_form_for_many_says_the_same_as_a_frame_for_one() -> None:
    for each in (row(), row(data='{"a":1}', message="x" * 4000, expires_at=None)):
        assert frames.push_form(each)(ID, each.position) == frames.push_frame(each)


def test_the_payload_is_that_of_the_source() -> None:
    payload = frames.payload_form(row())(ID, (1, 'al"ice'))
    assert orjson.loads(payload) == {
        "notification_id": ID,
        "message": 'Заказ "5" \\ ☃',
        "created_at": "2024-01-01T12:00:00Z",
        "source": "shop",
        "target": {"id": 1, "login": 'al"ice'},
    }


def test_changes_name_the_notification_and_where_they_stand() -> None:
    ack, recall, cleared, update = (
        orjson.loads(text)
        for text in (
            frames.read_ack_frame(ID, 5),
            frames.recall_frame(ID, "replaced", 5, 9),
            frames.cleared_frame(ID, 5, 9),
            frames.update_frame(row(data='{"a":1}', edition=2)),
        )
    )
    named = {"notification_id": ID, "stream_id": "5-0"}
    assert ack == {"type": "notification.read.ack", "data": named}
    assert recall["data"] == {**named, "reason": "replaced", "position": "9-0"}
    assert cleared["data"] == {**named, "position": "9-0"}
    assert update["type"] == "notification.update"
    assert update["data"]["position"] == "1640995200005-0"
    assert (update["data"]["edition"], update["data"]["data"]) == (2, {"a": 1})


def test_an_error_has_a_code_and_words() -> None:
    assert orjson.loads(frames.error_frame("slow_down", "Too fast.")) == {
        "type": "error",
        "data": {"code": "slow_down", "message": "Too fast."},
    }


@pytest.mark.parametrize("position", [0, 1, 1640995200000])
def test_a_position_survives_the_wire(position: int) -> None:
    assert position_of(stream_id(position)) == position


@pytest.mark.parametrize(
    "text", ["", "5", "5-1", "-5-0", "05-0", "٥-0", "5-0\n", "1" * 19 + "-0", None, 5, ["5-0"]]
)
def test_what_is_no_stream_id_is_refused(text: object) -> None:
    with pytest.raises(StreamIdInvalid):
        position_of(text)
