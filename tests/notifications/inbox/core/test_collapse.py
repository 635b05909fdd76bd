"""A newer notification with the same collapse key takes the place of the older one."""

from notifications.inbox.accept import accept
from notifications.inbox.models import Outbox, Stat
from tests.notifications.inbox.core.play import (
    ALICE,
    BOB,
    around_now,
    draft,
    give,
    inbox,
    person,
    read,
)


def test_the_unread_older_one_is_replaced() -> None:
    (old,) = give(collapse_key="cart")
    (new,) = give(collapse_key="cart")
    old.refresh_from_db()
    assert (old.state, new.state) == ("replaced", "unread")
    assert old.recalled_at is not None
    assert old.version is not None
    assert old.position is not None
    assert old.position < old.version < (new.position or 0)
    assert person().last_position == new.position
    assert person().unread == 1
    assert dict(Stat.objects.filter(event="replaced").values_list("event", "count")) == {
        "replaced": 1
    }


def test_both_changes_are_noted_for_publishing() -> None:
    (old,) = give(collapse_key="cart")
    (new,) = give(collapse_key="cart")
    old.refresh_from_db()
    note = Outbox.objects.latest("id")
    assert note.recipient_ids == [old.recipient_id, new.recipient_id]
    assert note.positions == [old.version, new.position]


def test_what_was_read_stays() -> None:
    (old,) = give(collapse_key="cart")
    read(old)
    give(collapse_key="cart")
    old.refresh_from_db()
    assert old.state == "read"
    assert not Stat.objects.filter(event="replaced").exists()


def test_another_key_another_source_and_another_person_stay() -> None:
    give(ALICE, collapse_key="cart")
    give(ALICE, collapse_key="order")
    give(ALICE, collapse_key="cart", source="bank")
    give(BOB, collapse_key="cart")
    give(ALICE)
    assert [row.state for row in inbox(ALICE)] == ["unread"] * 4
    assert person(ALICE).unread == 4


def test_one_that_nobody_has_seen_yet_goes_without_a_word() -> None:
    person(**around_now())
    (old,) = give(collapse_key="cart")
    (new,) = give(collapse_key="cart")
    old.refresh_from_db()
    assert (old.state, old.version) == ("replaced", None)
    assert new.state == "deferred"
    assert not Outbox.objects.exclude(positions=[]).exists()


def test_each_of_many_replaces_the_one_of_its_own_person() -> None:
    crowd = [(n, "crowd") for n in range(30)]
    give(*crowd, collapse_key="k")
    give(*crowd, collapse_key="k")
    for target in crowd:
        assert [row.state for row in inbox(target)] == ["replaced", "unread"]
        assert person(target).unread == 1


def test_drafts_of_one_call_replace_each_other_in_their_order() -> None:
    accept([draft(ALICE, BOB, message=str(n), collapse_key="k") for n in range(3)])
    for target in (ALICE, BOB):
        found = [(row.message, row.state) for row in inbox(target)]
        assert found == [("0", "replaced"), ("1", "replaced"), ("2", "unread")]
        assert person(target).unread == 1


def test_some_of_a_call_have_a_key_and_some_have_none() -> None:
    give(ALICE, collapse_key="k")
    accept([draft(ALICE), draft(ALICE, collapse_key="k"), draft(BOB)])
    assert sorted(row.state for row in inbox(ALICE)) == ["replaced", "unread", "unread"]
    assert [row.state for row in inbox(BOB)] == ["unread"]
