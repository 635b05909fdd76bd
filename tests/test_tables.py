"""No test finds rows of another one."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from jobs.history import days_kept, days_prepare
from jobs.models import Queue
from jobs.tasks import noop
from jobs.testing import drain
from lib import clock
from notifications.telegram.models import Chat
from tests.races.locks import waiting
from tests.races.parties import parties
from tests.races.together import LONG_S, in_thread
from tests.rings import ROOT
from tests.tables import LeftBehindError, Tables


@pytest.fixture
def tables(db: None) -> Iterator[Tables]:
    made = Tables()
    yield made
    made.close()


def job_run() -> None:
    """Leave a row in a table that Django does not manage, in one of its partitions."""
    noop.enqueue()
    assert drain() == 1


def test_rows_of_others_are_found_and_taken_away(tables: Tables) -> None:
    in_thread(lambda: Chat.objects.create(chat_id=1))
    in_thread(job_run)
    with pytest.raises(LeftBehindError, match=r"left in jobs_jobhistory, .*telegram_chat$"):
        tables.check()
    tables.check()
    assert not Chat.objects.exists()


def test_what_is_rolled_back_is_not_left(tables: Tables) -> None:
    Chat.objects.create(chat_id=1)
    tables.check()


def test_what_migrations_have_written_is_put_back(tables: Tables) -> None:
    def groups() -> list[tuple[str, int]]:
        return sorted((each.name, each.permissions.count()) for each in Group.objects.all())

    def change() -> None:
        user = User.objects.create_user("left")
        user.groups.add(Group.objects.get(name="Admin"))
        Queue.objects.update(pause_reason="left", paused_by=user)
        Group.objects.get(name="Support").delete()

    before = in_thread(groups)
    in_thread(change)
    tables.empty()
    assert in_thread(groups) == before
    assert set(Queue.objects.values_list("pause_reason", flat=True)) == {""}
    assert tables.left() == []


def test_days_that_were_made_go_again(tables: Tables) -> None:
    def prepare() -> None:
        with clock.shift(timedelta(days=40)):
            days_prepare()

    before = in_thread(days_kept)
    in_thread(prepare)
    assert in_thread(days_kept) != before
    tables.empty()
    assert in_thread(days_kept) == before


def test_a_commit_in_the_making_is_waited_for(tables: Tables) -> None:
    """Somebody who is still at it when the test ends would leave his rows to the next one."""
    with parties() as begin, ThreadPoolExecutor(1) as pool:
        late = begin(lambda: Chat.objects.create(chat_id=1)).wait()
        emptied = pool.submit(tables.empty)
        pause = threading.Event()
        while not waiting() and not emptied.done():
            pause.wait(0.01)
        late.commit()
        emptied.result(LONG_S)
    tables.check()


@pytest.mark.process
@pytest.mark.django_db
def test_the_test_that_leaves_rows_fails_and_no_other() -> None:
    name = connection.settings_dict["NAME"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--reuse-db", "-p", "no:cacheprovider", "tests/leaving.py"],
        cwd=ROOT.parent, env={**os.environ, "TEST_DATABASE_NAME": name, "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert re.findall(r"^ERROR .*", done.stdout, re.M) == [
        f"ERROR tests/leaving.py::{test} - tests.tables.LeftBehindError: rows were left in telegram_chat"
        for test in (
            "test_a_thread_commits_while_the_test_is_rolled_back",
            "test_the_last_one_is_seen_too",
        )
    ], done.stdout
    assert "3 passed, 2 errors" in done.stdout
