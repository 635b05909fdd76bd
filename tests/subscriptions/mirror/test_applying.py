"""Taking users over: the same twice writes nothing, the newest wins, whatever comes in whatever order."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from lib import clock
from subscriptions.mirror import applying
from subscriptions.mirror.applying import users_apply
from subscriptions.mirror.rows import rows_read
from subscriptions.models import (
    BulkItem,
    BulkKind,
    BulkOperation,
    CutBy,
    ItemState,
    Subscriber,
    SubscriberEvent,
)
from subscriptions.panel.types import PanelSquad, PanelStatus, PanelUser, TrafficStrategy
from subscriptions.panel.users_wire import user_read
from tests.subscriptions.mirror.helping import story, versions
from tests.subscriptions.panel import bodies

LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


def user(panel_id: int = 1, **changes: Any) -> PanelUser:
    found = replace(user_read(bodies.user(id=panel_id)), username=f"user_{panel_id}")
    return replace(found, **changes)


texts = st.text(max_size=20) | st.none()
moments = st.timedeltas(timedelta(0), timedelta(days=365_000)).map(lambda span: LONG_AGO + span)
users = st.builds(
    replace,
    st.just(user()),
    status=st.sampled_from(PanelStatus),
    expire_at=moments,
    telegram_id=st.integers(1, 2**53) | st.none(),
    email=texts,
    description=texts,
    tag=st.from_regex(r"[A-Z0-9_]{1,16}", fullmatch=True) | st.none(),
    traffic_limit_bytes=st.integers(0, 2**53),
    traffic_strategy=st.sampled_from(TrafficStrategy),
    used_bytes=st.integers(0, 2**53),
    hwid_device_limit=st.integers(0, 2**31 - 1) | st.none(),
    squads=st.lists(st.builds(PanelSquad, st.uuids(), texts.map(str)), max_size=3).map(tuple),
    online_at=moments | st.none(),
    sub_revoked_at=moments | st.none(),
    updated_at=moments,
    subscription_url=st.text(max_size=30),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=users, second=users)
def test_whatever_a_user_looks_like_the_same_twice_writes_nothing(
    db: None, first: PanelUser, second: PanelUser
) -> None:
    Subscriber.objects.all().delete()
    for each in (first, second):
        users_apply([each], clock.now())
        before = versions()
        again = users_apply([each], clock.now())
        assert (again.changed, again.created) == (0, 0)
        assert versions() == before


def test_a_page_in_which_nothing_differs_costs_two_reads_and_no_transaction(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    page = [user(number) for number in range(1, 501)]
    users_apply(page, clock.now())
    with django_assert_num_queries(2):
        users_apply(page, clock.now())


def test_a_page_that_is_new_or_changed_costs_a_fixed_number_of_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    page = [user(number) for number in range(1, 501)]
    with django_assert_max_num_queries(9):
        users_apply(page, clock.now())
    with django_assert_max_num_queries(12):
        users_apply([replace(each, tag="NEW") for each in page], clock.now())
    assert SubscriberEvent.objects.filter(kind="panel_edited").count() == 500


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_the_newest_version_wins_in_any_order(is_newest_first: bool) -> None:
    users_apply([user(tag="OLD", updated_at=LONG_AGO)], clock.now())
    newer = user(tag="NEWER", updated_at=LONG_AGO + timedelta(days=1))
    newest = user(tag="NEWEST", updated_at=LONG_AGO + timedelta(days=2))
    for each in (newest, newer) if is_newest_first else (newer, newest):
        users_apply([each], clock.now())
    assert Subscriber.objects.get().tag == "NEWEST"


def test_what_was_read_before_the_last_write_is_not_taken_over() -> None:
    early = clock.now()
    users_apply([user()], early)
    found = users_apply([user(tag="EARLY")], early)
    assert (found.stale, found.changed) == (1, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("is_locked", "tag"), [(True, "NEWEST"), (False, "OLDER")], ids=["", "control"]
)
def test_somebody_quicker_with_something_newer_is_not_overwritten(
    monkeypatch: pytest.MonkeyPatch, is_locked: bool, tag: str
) -> None:
    """Both have compared, then the newer one writes first. The control does not look again."""
    users_apply([user(updated_at=LONG_AGO)], clock.now())
    newest = user(tag="NEWEST", updated_at=LONG_AGO + timedelta(days=2))
    older = user(tag="OLDER", updated_at=LONG_AGO + timedelta(days=1))
    first_rows = rows_read([1])

    def meanwhile() -> None:
        try:
            users_apply([newest], clock.now())
        finally:
            connection.close()

    def read(panel_ids: Any, **options: Any) -> Any:
        if not options:
            return rows_read(panel_ids)
        monkeypatch.setattr(applying, "rows_read", rows_read)  # for the other one
        thread = threading.Thread(target=meanwhile)
        thread.start()
        thread.join(10)
        return rows_read(panel_ids, is_locked=True) if is_locked else first_rows

    monkeypatch.setattr(applying, "rows_read", read)
    users_apply([older], clock.now())
    assert Subscriber.objects.get().tag == tag


@pytest.fixture
def disabling() -> BulkItem:
    """A bulk operation of ours is switching user 1 off: the panel may be quicker than our note of it."""
    users_apply([user(updated_at=LONG_AGO)], clock.now(), is_import=True)
    operation = BulkOperation.objects.create(kind=BulkKind.DISABLE, source="admin")
    return BulkItem.objects.create(
        operation=operation, subscriber=Subscriber.objects.get(), state=ItemState.RUNNING
    )


def test_what_we_are_doing_ourselves_is_nobodys_act_in_the_panel(disabling: BulkItem) -> None:
    users_apply([user(status=PanelStatus.DISABLED)], clock.now())
    row = Subscriber.objects.get()
    assert (row.status, row.cut_by) == ("DISABLED", CutBy.NOBODY)  # the operation says who
    assert story(row.username) == []


def test_what_others_do_is(disabling: BulkItem) -> None:
    """The control: the same without an operation of ours."""
    disabling.delete()
    users_apply([user(status=PanelStatus.DISABLED)], clock.now())
    row = Subscriber.objects.get()
    assert (row.status, row.cut_by) == ("DISABLED", CutBy.PANEL)
    assert story(row.username) == ["panel_disabled"]


def test_each_change_in_the_panel_has_its_line() -> None:
    before = user(first_connected_at=None, updated_at=LONG_AGO)
    users_apply([before], clock.now(), is_import=True)
    changed = user(
        status=PanelStatus.EXPIRED,
        expire_at=datetime(2026, 1, 1, tzinfo=UTC),
        last_traffic_reset_at=datetime(2026, 12, 1, tzinfo=UTC),
        sub_revoked_at=datetime(2026, 12, 2, tzinfo=UTC),
        first_connected_at=datetime(2026, 12, 3, tzinfo=UTC),
        tag="OTHER",
        used_bytes=1,
        squads=(PanelSquad(UUID(int=1), "x"),),
    )
    users_apply([changed], clock.now())
    assert story("user_1") == [
        "panel_expired", "panel_moved", "panel_reset", "panel_revoked", "first_connected",
        "panel_edited",
    ]  # fmt: skip
    edited = SubscriberEvent.objects.get(kind="panel_edited")
    assert edited.data == {"fields": ["squads", "tag"]}


def test_traffic_is_mirrored_without_a_word() -> None:
    users_apply([user()], clock.now(), is_import=True)
    users_apply([user(used_bytes=1, online_at=datetime(2026, 12, 1, tzinfo=UTC))], clock.now())
    assert Subscriber.objects.get().used_traffic_bytes == 1
    assert story("user_1") == []
