"""Two who act on one dialog at the same moment. The controls show what the locks are for."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from uuid import UUID

import pytest

from jobs import sql
from jobs.testing import drain
from notifications.conversations import ring as ringing
from notifications.conversations.archive import inactive_archive
from notifications.conversations.dialogs import participant_leave, participants_add
from notifications.conversations.models import Dialog, Message, Notice
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    after,
    dialog,
    dialogs_check,
    events,
    fates,
    person,
    read,
    say,
    timers,
)
from tests.notifications.conversations.test_archive import idle
from tests.races.parties import parties, without
from tests.races.together import run_together

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("committed", "endpoint"),
]

BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])


def ringing_of(message: Message, recipient: str = BORIS) -> Callable[[], str]:
    """The timer of a message, as the job calls it."""

    def act() -> str:
        verdict = ringing.timer_ring(
            dialog_id=message.dialog_id, recipient_id=recipient, message_id=message.pk
        )
        return verdict.reason or verdict.fate

    return act


def unlocked() -> AbstractContextManager[None]:
    """The control: a timer that looks at the participant without holding it."""
    return without("conversation_ring", "FOR NO KEY UPDATE")


@BOTH
def test_a_read_that_commits_while_the_timer_rings_is_never_followed_by_a_webhook(
    is_locked: bool,
) -> None:
    each = dialog()
    message = say(each)
    with nullcontext() if is_locked else unlocked(), parties() as begin:
        reading = begin(lambda: read(each)).wait()
        telling = begin(ringing_of(message)).wait_blocked()
        assert reading.commit().unread == 0
        assert telling.commit() == ("read" if is_locked else "sent")
    assert person(each).last_read_position == 1
    assert events() == (0 if is_locked else 1)


def test_a_read_waits_for_the_timer_that_came_first() -> None:
    each = dialog()
    message = say(each)
    with parties() as begin:
        telling = begin(ringing_of(message)).wait()
        reading = begin(lambda: read(each)).wait_blocked()
        assert not reading.acted.is_set()
        assert telling.commit() == "sent"
        assert reading.commit().unread == 0
    row, notice = person(each), Notice.objects.get()
    assert row.last_read_at is not None
    assert notice.at < row.last_read_at  # told first, read then: the order is that of the commits
    assert row.pending_position is None


@BOTH
def test_who_is_leaving_is_not_told(is_locked: bool) -> None:
    each = dialog()
    message = say(each)
    with nullcontext() if is_locked else unlocked(), parties() as begin:
        leaving = begin(lambda: participant_leave(dialog_id=each, user_id=BORIS)).wait()
        telling = begin(ringing_of(message)).wait_blocked()
        leaving.commit()
        assert telling.commit() == ("left" if is_locked else "sent")
    assert events() == (0 if is_locked else 1)


def test_a_read_that_is_rolled_back_is_told_of() -> None:
    each = dialog()
    message = say(each)

    def undone() -> None:
        read(each)
        raise LookupError

    with parties() as begin:
        with pytest.raises(LookupError):
            begin(undone).wait().commit()
        assert ringing_of(message)() == "sent"


def test_readers_and_workers_at_once_never_tell_what_was_read() -> None:
    each = [dialog() for _ in range(40)]
    for one in each:
        say(one)

    def read_all() -> int:
        return sum(read(one).unread for one in each)

    def work() -> int:
        return drain(queues=["notifications"])

    with after(seconds=31):
        run_together([read_all, work, work])
        drain(queues=["notifications"])
    assert len(fates()) == 40
    for notice in Notice.objects.all():
        read_at = person(notice.dialog_id).last_read_at
        assert read_at is not None
        assert (notice.at < read_at) == (notice.fate == "sent")
    assert events() == Notice.objects.filter(fate="sent").count()


def test_two_workers_tell_once() -> None:
    message = say(dialog())
    assert run_together([ringing_of(message)] * 4) == ["sent"] * 4
    assert (events(), len(fates())) == (1, 1)


def test_messages_that_are_sent_at_once_stand_in_one_line() -> None:
    each = dialog(ANNA, BORIS, CLARA)
    run_together([lambda who=who: say(each, who, by=who) for who in (ANNA, BORIS, CLARA) * 4])  # type: ignore[misc]
    dialogs_check()
    assert set(timers()) == {ANNA, BORIS, CLARA}


def test_nobody_waits_in_a_ring() -> None:
    """Everybody acts on the same two dialogs, in another order."""
    first, second = dialog(ANNA, BORIS, CLARA), dialog(ANNA, BORIS, CLARA)

    def speak(who: str, *order: UUID) -> None:
        for n in range(5):
            for each in order:
                say(each, str(n), by=who)

    def reads(who: str, *order: UUID) -> None:
        for _ in range(10):
            for each in order:
                read(each, who)

    def comes_and_goes() -> None:
        for each in (second, first) * 4:
            participant_leave(dialog_id=each, user_id=CLARA)
            participants_add(dialog_id=each, user_ids=[CLARA])

    def work() -> None:
        drain(queues=["notifications"])

    with after(seconds=0):
        run_together(
            [
                lambda: speak(ANNA, first, second),
                lambda: speak(BORIS, second, first),
                lambda: reads(BORIS, first, second),
                lambda: reads(ANNA, second, first),
                comes_and_goes,
                inactive_archive,
            ]
        )
    with after(minutes=10):
        run_together([work, work, lambda: speak(BORIS, second, first)])
    dialogs_check()


def test_a_dialog_in_which_somebody_writes_just_now_is_not_put_away() -> None:
    row = idle()
    with parties() as begin:
        saying = begin(lambda: say(row.pk)).wait()
        archiving = begin(inactive_archive).wait_blocked()
        assert archiving.acted.is_set()  # it does not wait for anybody
        saying.commit()
        assert archiving.commit() == 0
    row.refresh_from_db()
    assert (row.archived_at, person(row.pk).is_archived) == (None, False)


def test_a_message_to_a_dialog_that_is_being_put_away_brings_it_back() -> None:
    row = idle()
    with parties() as begin:
        archiving = begin(inactive_archive).wait()
        saying = begin(lambda: say(row.pk)).wait_blocked()
        assert not saying.acted.is_set()
        assert archiving.commit() == 1
        saying.commit()
    row.refresh_from_db()
    assert (row.archived_at, person(row.pk).is_archived) == (None, False)


def test_two_sweeps_put_each_dialog_away_once() -> None:
    for _ in range(20):
        idle()
    assert sum(run_together([inactive_archive] * 3)) == 20
    assert Dialog.objects.filter(archived_at=None).count() == 0
    assert sql.row("SELECT sum(count) FROM conversation_stat WHERE event = 'archived'") == (20,)
