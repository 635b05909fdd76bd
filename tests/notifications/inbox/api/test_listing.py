"""Lists of the inbox: pages that neither skip nor repeat, one query each."""

from collections.abc import Callable
from typing import Any

from pytest_django import DjangoAssertNumQueries

from notifications.inbox.selectors.listing import (
    Connected,
    Page,
    Unread,
    clients_page,
    connected_total,
    history_page,
    pending_page,
    unread_total,
    users_page,
)
from tests.notifications.inbox.api.rows import (
    BASE,
    client_make,
    ids,
    notification_make,
    recipient_make,
)


def all_pages(page: Callable[[Any], Page[Any, Any]]) -> list[Any]:
    """The items of all pages."""
    found, after = [], None
    while True:
        one = page(after)
        found += one.items
        after = one.after
        if after is None:
            return found


def test_clients_come_page_by_page(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    made = {client_make(device=f"phone {n}").pk for n in range(5)}
    found = all_pages(lambda after: clients_page(limit=2, after=after))
    assert len(found) == 5
    assert {client.pk for client in found} == made
    with django_assert_num_queries(1):
        clients_page(limit=2)


def test_a_user_is_listed_once_with_all_screens(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    alice, bob = recipient_make(unread=3), recipient_make(2, "bob")
    oldest = client_make(alice, device="phone")
    client_make(alice, device="laptop", pod_id="pod-2")
    client_make(alice)
    client_make(bob)

    with django_assert_num_queries(1):
        first, second = users_page(limit=10).items

    assert (first.user_id, first.login, first.connections, first.unread) == (1, "alice", 3, 3)
    assert (first.devices, first.pods) == (["laptop", "phone"], ["pod-1", "pod-2"])
    assert first.connected_at == oldest.connected_at
    assert (second.login, second.devices) == ("bob", [])
    assert len(all_pages(lambda after: users_page(limit=1, after=after or 0))) == 2


def test_pending_is_what_nobody_has_read_by_person_and_oldest_first(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    alice, bob = recipient_make(), recipient_make(2, "bob")
    later = notification_make(BASE + 9, recipient=alice)
    other = notification_make(BASE + 1, recipient=bob)
    first = notification_make(BASE + 2, recipient=alice)
    notification_make(BASE + 3, recipient=alice, state="read")
    notification_make(None, recipient=alice, state="muted")

    with django_assert_num_queries(1):
        page = pending_page(limit=10)

    assert ids(page.items) == [first.pk, later.pk, other.pk]
    assert page.after is None
    found = all_pages(lambda after: pending_page(limit=1, after=after or (0, 0)))
    assert ids(found) == [first.pk, later.pk, other.pk]


def test_history_goes_back_page_by_page(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    rows = [notification_make(BASE + n, state="read") for n in range(5)]
    notification_make(BASE + 9, recipient=recipient_make(2, "alice"))
    notification_make(None, state="muted")

    with django_assert_num_queries(1):
        page = history_page(user_id=1, login="alice", limit=2)

    assert ids(page.items) == [rows[4].pk, rows[3].pk]
    found = all_pages(lambda after: history_page(user_id=1, login="alice", limit=2, before=after))
    assert ids(found) == [row.pk for row in reversed(rows)]
    assert history_page(user_id=3, login="alice", limit=2).items == []


def test_a_listed_row_says_whose_it_is_and_keeps_its_data() -> None:
    notification_make(data={"order": 7}, edition=2)
    (row,) = pending_page(limit=1).items
    assert (row.user_id, row.login, row.edition, row.data) == (1, "alice", 2, '{"order": 7}')


def test_what_is_unread_is_summed_and_what_is_open_is_counted(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    assert (unread_total(), connected_total()) == (Unread(0, 0), Connected(0, 0))
    alice = recipient_make(unread=3)
    recipient_make(2, "bob", unread=1)
    recipient_make(3, "carol")
    for recipient in (alice, alice, recipient_make(3, "carol")):
        client_make(recipient)
    with django_assert_num_queries(2):
        assert (unread_total(), connected_total()) == (Unread(4, 2), Connected(3, 2))
