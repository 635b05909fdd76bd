"""How the console says moments, states, counts and errors."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.models import AuditEntry, Job, JobRecord, State
from jobs.templatetags.console import (
    ago,
    capped,
    change,
    condition,
    last_line,
    megabytes,
    moment,
    object_link,
    pretty,
    priority_word,
    span,
    state_badge,
    verb,
    when,
)
from lib import clock

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=3), "3 d ago"),
        (timedelta(minutes=-5, seconds=-1), "in 5 min"),
    ],
)
def test_how_far_away_a_moment_is(away: timedelta, words: str) -> None:
    assert ago(clock.now() - away) == words


def test_a_moment_names_its_zone() -> None:
    at = clock.now()
    assert f"{at:%H:%M:%S} UTC" in moment(at)
    assert f"{at:%Y-%m-%d %H:%M:%S} UTC</span>" in moment(at, "full")
    assert moment(None) == "never"


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"state": "scheduled", "run_at": clock.now() + timedelta(hours=1)}, "scheduled"),
        ({"state": "scheduled"}, "available"),
        ({"state": "available", "attempt": 2}, "retrying"),
        ({"state": "available", "blocked": True}, "blocked"),
        ({"state": "running"}, "running"),
        ({"state": "running", "cancel_requested_at": clock.now()}, "cancelling"),
        ({"state": "dead"}, "dead"),
        ({"state": "dead", "finished_at": clock.now()}, "put away"),
        ({"state": "completed", "finished_at": clock.now()}, "completed"),
        ({"state": "cancelled", "finished_at": clock.now()}, "cancelled"),
    ],
)
def test_the_state_as_people_see_it(fields: dict[str, Any], word: str) -> None:
    job = JobRecord(**{"run_at": clock.now() - timedelta(seconds=5), **fields})
    assert condition(job) == word


def test_the_moment_that_matters() -> None:
    now = clock.now()
    started = now - timedelta(seconds=20)
    assert "since" in when(Job(state=State.RUNNING, run_at=now, started_at=started))
    assert "due" in when(Job(state=State.AVAILABLE, run_at=now - timedelta(seconds=9)))
    assert "in 59 min" in when(Job(state=State.SCHEDULED, run_at=now + timedelta(seconds=3599)))
    assert "20 s ago" in when(Job(state=State.DEAD, run_at=now, started_at=started))


def test_words_are_escaped() -> None:
    assert "<script>" not in state_badge("<script>")
    entry = AuditEntry(object_type="queue", object_id="<script>")
    assert "<script>" not in object_link(entry)


def test_what_an_act_was_about_has_a_link_if_it_has_a_page() -> None:
    message = object_link(AuditEntry(object_type="telegram message", object_id="7"))
    assert 'href="/admin/telegram/queuedmessage/7/change/"' in message
    for kind, name in (("telegram message", "many"), ("panel", "7"), ("notification", "7")):
        entry = AuditEntry(object_type=kind, object_id=name)
        assert object_link(entry) == f"{kind} {name}"


def test_small_words() -> None:
    assert capped(7) == "7"
    assert capped(10_001) == "10,000+"
    assert last_line("Traceback\n  File\nValueError: no\n") == "ValueError: no"
    assert last_line(None) == ""
    assert megabytes(0) == "unknown"
    assert megabytes(131 * 1024 * 1024) == "131 MB"
    assert span(90) == "1 min 30 s"
    assert span(None) == ""
    assert priority_word(0) == "critical"
    assert verb("queues.pause") == "paused"
    assert verb("telegram.retry") == "retried"
    assert verb("inbox.recall") == "recalled"
    assert verb("panel.reboot") == "panel.reboot"
    assert change(["UTC", "Asia/Kolkata"], "inbox.preferences") == "UTC → Asia/Kolkata"
    assert change([None, ["ads", "news"]], "inbox.preferences") == "nothing → ads, news"
    assert change(["message", "data"], "inbox.update") == "message, data"
    assert change(7) == "7"
    assert pretty({"text": "привет"}) == '{\n  "text": "привет"\n}'
