"""From pairs to people."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from notifications.inbox.models import Recipient
from notifications.inbox.recipients import recipients_find
from tests.notifications.inbox.core.play import ALICE, BOB


def test_who_is_new_is_made_and_found_again() -> None:
    made = recipients_find([ALICE, BOB])
    found = recipients_find([BOB, (3, "carol"), ALICE, BOB])
    assert {target: found[target] for target in made} == made
    assert Recipient.objects.count() == 3
    fresh = Recipient.objects.get(login="carol")
    assert (fresh.last_position, fresh.unread, fresh.retention_days) == (0, 0, 15)
    assert (fresh.muted_sources, fresh.time_zone) == ([], "UTC")


def test_nobody_costs_nothing_and_hundreds_cost_one_query() -> None:
    crowd = [(n, "crowd") for n in range(300)]
    with CaptureQueriesContext(connection) as queries:
        assert recipients_find([]) == {}
        assert list(recipients_find(crowd)) == crowd
    assert len(queries) == 1


@pytest.mark.parametrize(
    "wish",
    [
        {"retention_days": 0},
        {"retention_days": 16},
        {"quiet_from": "22:00"},
        {"quiet_from": "22:00", "quiet_to": "22:00"},
    ],
)
def test_the_table_refuses_wishes_that_make_no_sense(wish: dict[str, object]) -> None:
    recipients_find([ALICE])
    with pytest.raises(IntegrityError), transaction.atomic():
        Recipient.objects.update(**wish)
