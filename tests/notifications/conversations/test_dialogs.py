"""Making dialogs, joining, leaving, putting away; and what people are told when they may not."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from jobs.models import AuditEntry
from notifications.conversations import dialogs
from notifications.conversations.errors import (
    ConversationInvalid,
    DialogFull,
    DialogUnknown,
    NotAParticipant,
)
from notifications.conversations.models import Dialog, Participant
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    dialog,
    dialogs_check,
    person,
    say,
)
from tests.notifications.conversations.test_messages import NOBODY


@pytest.fixture(autouse=True)
def checked(db: None) -> object:
    yield
    dialogs_check()


def audited() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_who_is_named_twice_takes_part_once() -> None:
    each = dialog(ANNA, BORIS, f" {ANNA} ")
    people = Participant.objects.filter(dialog_id=each).order_by("pk")
    assert [row.user_id for row in people] == [ANNA, BORIS]


@pytest.mark.parametrize("people", [[""], ["x" * 65], ["a\x00"], []])
def test_people_must_have_names(people: list[str]) -> None:
    with pytest.raises(ConversationInvalid, match="participants"):
        dialogs.dialog_create(participants=people)
    assert Dialog.objects.count() == 0


def test_a_title_has_its_limit() -> None:
    with pytest.raises(ConversationInvalid, match="title"):
        dialogs.dialog_create(participants=[ANNA], title="x" * 201)


def test_a_dialog_is_full_with_500() -> None:
    names = [str(n) for n in range(500)]
    each = dialogs.dialog_create(participants=names).pk
    with pytest.raises(DialogFull):
        dialogs.dialog_create(participants=[*names, ANNA])
    with pytest.raises(DialogFull):
        dialogs.participants_add(dialog_id=each, user_ids=[ANNA])
    dialogs.participant_leave(dialog_id=each, user_id="0")
    dialogs.participants_add(dialog_id=each, user_ids=[ANNA])
    with pytest.raises(DialogFull):
        dialogs.participants_add(dialog_id=each, user_ids=["0"])


def test_who_joins_later_has_nothing_unread() -> None:
    each = dialog()
    say(each)
    added = dialogs.participants_add(dialog_id=each, user_ids=[CLARA, BORIS])
    assert {row.user_id for row in added} == {BORIS, CLARA}
    assert (person(each, CLARA).unread, person(each, BORIS).unread) == (0, 1)
    say(each)
    assert person(each, CLARA).unread == 1


def test_who_comes_back_begins_anew() -> None:
    each = dialog()
    say(each)
    dialogs.participant_leave(dialog_id=each, user_id=BORIS)
    say(each)
    dialogs.participants_add(dialog_id=each, user_ids=[BORIS])
    row = person(each)
    assert (row.left_at, row.unread, row.last_read_position) == (None, 0, 2)


def test_adding_who_is_there_changes_nothing() -> None:
    each = dialog()
    say(each)
    before = person(each).joined_at
    dialogs.participants_add(dialog_id=each, user_ids=[BORIS])
    row = person(each)
    assert (row.joined_at, row.unread) == (before, 1)


def test_leaving_twice_is_leaving_once() -> None:
    each = dialog()
    dialogs.participant_leave(dialog_id=each, user_id=BORIS)
    first = person(each).left_at
    dialogs.participant_leave(dialog_id=each, user_id=BORIS)
    assert person(each).left_at == first
    with pytest.raises(NotAParticipant):
        dialogs.participant_leave(dialog_id=each, user_id="stranger")


def test_notifications_are_switched_for_one_dialog_and_person(
    account: Callable[..., User],
) -> None:
    each, other = dialog(), dialog()
    for by in (None, account("olga"), account("oleg")):
        dialogs.participant_notify(dialog_id=each, user_id=BORIS, is_enabled=False, by=by)
    assert [person(one).notifications_enabled for one in (each, other)] == [False, True]
    assert person(each, ANNA).notifications_enabled
    assert audited() == []  # a backend did it
    dialogs.participant_notify(
        dialog_id=each, user_id=BORIS, is_enabled=True, by=account("anna-of-support")
    )
    assert audited() == ["conversations.unmute"]


def test_a_dialog_is_put_away_for_one() -> None:
    each = dialog()
    dialogs.participant_archive(dialog_id=each, user_id=BORIS, is_archived=True)
    assert [person(each, who).is_archived for who in (ANNA, BORIS)] == [False, True]
    dialogs.participant_archive(dialog_id=each, user_id=BORIS, is_archived=False)
    assert not person(each).is_archived


def test_a_dialog_is_put_away_for_all_and_taken_out_again() -> None:
    each = dialog()
    dialogs.dialog_archive(dialog_id=each, is_archived=True, by=None)
    assert person(each).is_archived
    assert Dialog.objects.get(pk=each).archived_at is not None
    dialogs.dialog_archive(dialog_id=each, is_archived=False, by=None)
    assert not person(each).is_archived
    assert Dialog.objects.get(pk=each).archived_at is None
    assert audited() == ["conversations.archive", "conversations.unarchive"]


def test_nothing_is_done_to_a_dialog_that_is_not_there() -> None:
    with pytest.raises(DialogUnknown):
        dialogs.dialog_archive(dialog_id=NOBODY, is_archived=True, by=None)
    with pytest.raises(DialogUnknown):
        dialogs.participants_add(dialog_id=NOBODY, user_ids=[ANNA])
    with pytest.raises(DialogUnknown):
        dialogs.participant_archive(dialog_id=NOBODY, user_id=ANNA, is_archived=True)
