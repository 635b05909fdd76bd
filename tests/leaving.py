"""Tests that leave rows, and one between them: tests/test_tables.py runs them, nobody else does."""

from notifications.telegram.models import Chat
from tests.races.together import in_thread


def test_a_thread_commits_while_the_test_is_rolled_back() -> None:
    in_thread(lambda: Chat.objects.create(chat_id=1))


def test_the_next_one_finds_nothing() -> None:
    assert not Chat.objects.exists()


def test_the_last_one_is_seen_too() -> None:
    in_thread(lambda: Chat.objects.create(chat_id=2))
