"""Subscribers as recipients, and as segments of broadcasts."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from notifications.broadcasts.audiences.registry import conditions
from notifications.broadcasts.errors import AudienceInvalid
from notifications.broadcasts.services import audience_count
from notifications.inbox.models import Recipient
from subscriptions.models import Plan, Subscriber
from subscriptions.people import recipients
from tests.subscriptions.bulk.rows import rows_make


def sync() -> Any:
    done = job_perform("subscriptions.sync_recipients")
    assert isinstance(done, Done)
    return done.result


def test_subscribers_become_recipients_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "WINDOW", 2)
    rows = rows_make(5, telegram_id=77, language="ru")
    Subscriber.objects.filter(pk=rows[4].pk).update(missing_since=clock.now())
    assert sync() == {"made": 4, "changed": 0}
    found = Recipient.objects.order_by("user_id").values_list(
        "user_id", "login", "telegram_id", "language"
    )
    assert list(found) == [(row.panel_id, row.username, 77, "ru") for row in rows[:4]]
    assert sync() == {"made": 0, "changed": 0}


def test_a_telegram_id_follows_the_panel_and_a_language_of_ones_own_stays(db: None) -> None:
    (row,) = rows_make(1, telegram_id=1, language="ru")
    Recipient.objects.create(user_id=row.panel_id or 0, login=row.username, language="en")
    assert sync() == {"made": 0, "changed": 1}
    mine = Recipient.objects.get()
    assert (mine.telegram_id, mine.language) == (1, "en")
    Subscriber.objects.update(telegram_id=None)
    assert sync() == {"made": 0, "changed": 1}
    mine.refresh_from_db()
    assert mine.telegram_id is None


def test_looking_at_many_costs_two_queries_per_window(db: None) -> None:
    rows_make(30)
    with CaptureQueriesContext(connection) as queries:
        recipients.recipients_sync(0)
    assert len(queries) == 2


@pytest.mark.parametrize(
    ("field", "op", "value", "change"),
    [
        ("subscription", "is", ["EXPIRED"], {"status": "EXPIRED"}),
        ("panel_tag", "is", ["PRO"], {"tag": "PRO"}),
        (
            "node", "is", ["00000000-0000-0000-0000-000000000007"],
            {"last_node_uuid": "00000000-0000-0000-0000-000000000007"},
        ),
        ("auto_renew", "is", True, {"auto_renew": True}),
        ("expires_within_h", "at_most", 24, {"expire_at": clock.now() + timedelta(hours=20)}),
        ("expires", "before", "2020-01-01T00:00:00Z", {"expire_at": "2019-01-01T00:00:00Z"}),
        ("online", "since", "2020-01-01T00:00:00Z", {"online_at": "2021-01-01T00:00:00Z"}),
    ],
)  # fmt: skip
def test_each_condition_finds_its_subscribers(
    db: None, field: str, op: str, value: Any, change: dict[str, Any]
) -> None:
    rows = rows_make(3)
    Subscriber.objects.filter(pk=rows[1].pk).update(**change)
    Recipient.objects.create(user_id=1, login="no_subscriber")
    sync()
    segment = {
        "type": "segment",
        "match": "all",
        "conditions": [{"field": field, "op": op, "value": value}],
    }
    assert audience_count(segment) == 1


def test_the_other_operations_take_the_rest(db: None) -> None:
    plan = Plan.objects.create(code="month", title="Month", period_days=30)
    rows = rows_make(3)
    Subscriber.objects.filter(pk=rows[0].pk).update(status="EXPIRED", plan=plan)
    sync()

    def count(field: str, op: str, value: Any) -> int:
        return audience_count(
            {"type": "segment", "conditions": [{"field": field, "op": op, "value": value}]}
        )

    assert count("subscription", "is_not", ["EXPIRED"]) == 2
    assert count("plan", "is", ["month"]) == 1
    assert count("online", "before", "2020-01-01T00:00:00Z") == 3
    assert count("expires", "since", "2020-01-01T00:00:00Z") == 3
    assert conditions()["plan"].choices() == [("month", "Month")]


@pytest.mark.parametrize(
    ("field", "value"),
    [("subscription", ["SICK"]), ("expires_within_h", 10**9), ("expires", "soon")],
)
def test_values_that_do_not_fit_are_said(field: str, value: Any) -> None:
    op = next(iter(conditions()[field].operations))
    with pytest.raises(AudienceInvalid, match="condition 1"):
        audience_count(
            {"type": "segment", "conditions": [{"field": field, "op": op, "value": value}]}
        )
