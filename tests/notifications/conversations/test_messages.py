"""Saying something and reading it: positions, counts, who may."""

from uuid import UUID, uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from notifications.conversations.dialogs import (
    participant_archive,
    participant_leave,
    participant_notify,
)
from notifications.conversations.errors import (
    ConversationInvalid,
    DialogUnknown,
    MessageUnknown,
    NotAParticipant,
)
from notifications.conversations.messages import ReadState
from notifications.conversations.models import Dialog, Message
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    after,
    dialog,
    dialogs_check,
    person,
    read,
    say,
)

NOBODY = UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def checked(db: None) -> object:
    yield
    dialogs_check()


def test_a_message_is_unread_by_all_but_its_sender() -> None:
    each = dialog(ANNA, BORIS, CLARA)
    first, second = say(each, "one"), say(each, "two", by=BORIS)
    assert (first.position, second.position) == (1, 2)
    assert [person(each, who).unread for who in (ANNA, BORIS, CLARA)] == [1, 1, 2]
    row = Dialog.objects.get(pk=each)
    assert (row.last_position, row.active_at) == (2, second.sent_at)


def test_writing_is_not_reading() -> None:
    each = dialog()
    say(each)
    say(each, by=BORIS)
    assert person(each).unread == 1


def test_a_message_brings_the_dialog_back_for_all() -> None:
    each = dialog()
    for who in (ANNA, BORIS):
        participant_archive(dialog_id=each, user_id=who, is_archived=True)
    say(each)
    assert [person(each, who).is_archived for who in (ANNA, BORIS)] == [False, False]


def test_who_has_left_counts_nothing() -> None:
    each = dialog(ANNA, BORIS, CLARA)
    participant_leave(dialog_id=each, user_id=CLARA)
    say(each)
    assert person(each, CLARA).unread == 0


@pytest.mark.parametrize("who", ["stranger", CLARA])
def test_only_who_takes_part_may_speak(who: str) -> None:
    each = dialog(ANNA, BORIS, CLARA)
    participant_leave(dialog_id=each, user_id=CLARA)
    with pytest.raises(NotAParticipant, match=who):
        say(each, by=who)
    assert Message.objects.count() == 0


def test_in_a_dialog_that_is_not_there_nothing_is_said_or_read() -> None:
    with pytest.raises(DialogUnknown):
        say(NOBODY)
    with pytest.raises(DialogUnknown):
        read(NOBODY)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 10_001, "a\x00b", "half \ud83d"])
def test_a_text_must_be_one(text: str) -> None:
    each = dialog()
    with pytest.raises(ConversationInvalid, match="text"):
        say(each, text)


def test_the_longest_text_is_kept_as_it_is() -> None:
    text = "  ю" * 3333
    assert Message.objects.get(pk=say(dialog(), text).pk).text == text


def test_reading_all_leaves_nothing_unread() -> None:
    each = dialog()
    for _ in range(3):
        say(each)
    with after(seconds=5):
        assert read(each) == ReadState(3, 0)
    row = person(each)
    assert row.last_read_at is not None
    assert row.last_read_at > row.joined_at


def test_reading_up_to_a_message_leaves_the_later_ones_of_others() -> None:
    each = dialog()
    first = say(each, "one")
    say(each, "mine", by=BORIS)
    second, _ = say(each, "two"), say(each, "three")
    assert read(each, upto=first) == ReadState(1, 2)
    assert read(each, upto=second) == ReadState(3, 1)


def test_reading_never_goes_back() -> None:
    each = dialog()
    first, second = say(each), say(each)
    assert read(each, upto=second) == ReadState(2, 0)
    assert read(each, upto=first) == ReadState(2, 0)
    assert read(each) == ReadState(2, 0)


def test_a_message_of_another_dialog_is_not_read_here() -> None:
    each, other = dialog(), dialog()
    say(each)
    with pytest.raises(MessageUnknown):
        read(each, upto=say(other))


def test_only_who_takes_part_may_read() -> None:
    each = dialog()
    with pytest.raises(NotAParticipant):
        read(each, "stranger")
    with pytest.raises(NotAParticipant):
        participant_notify(dialog_id=each, user_id="stranger", is_enabled=False)
    assert not Message.objects.filter(pk=uuid4()).exists()


def test_the_number_of_queries_grows_with_the_timers_alone(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    small, large = dialog(), dialog(ANNA, *map(str, range(20)))
    say(small), say(large)  # the names of queues are known from now on
    with django_assert_num_queries(10):
        say(small)
    with django_assert_num_queries(9 + 20):  # one per timer
        say(large)
    with django_assert_num_queries(5):
        read(small)
