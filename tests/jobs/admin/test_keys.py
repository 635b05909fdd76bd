"""Keys: why one waits, behind which job, until when."""

from typing import Any

import pytest
from django.test import Client
from django.utils.http import urlencode

from jobs.admin import keys
from jobs.registry import JobKind
from jobs.testing import drain
from tests.jobs.admin.ways import text, to
from tests.jobs.play import lease_one

pytestmark = pytest.mark.django_db

KEYS, KEY = "jobrecord_keys", "jobrecord_key"
Kind = JobKind[Any]


def test_a_key_says_behind_which_job_it_waits(alice: Client, flaky: Kind) -> None:
    for _ in range(3):
        flaky.enqueue(chat_id=7, partition="chat:7")
    flaky.enqueue(chat_id=8, partition="chat:8")
    drain()  # both heads failed; they are tried again in a minute
    shown = text(alice.get(to(KEYS)))
    assert "chat:7 blocked by tests.deliver , which waits until" in shown
    assert "UTC ( in " in shown
    assert "chat 7 does not answer" in shown
    assert "chat:8" in shown


def test_a_running_head_says_when_its_lease_ends(alice: Client, quiet: Kind) -> None:
    quiet.enqueue(partition="line")
    quiet.enqueue(partition="line")
    lease_one()
    assert "which runs; its lease ends in " in text(alice.get(to(KEYS)))


def test_keys_are_found_by_a_part(alice: Client, flaky: Kind) -> None:
    for key in ("chat:7", "chat:71", "user:7"):
        flaky.enqueue(chat_id=7, partition=key)
    drain()
    shown = text(alice.get(to(KEYS), {"contains": "chat:7"}))
    assert "chat:71" in shown
    assert "user:7" not in shown
    nothing = text(alice.get(to(KEYS), {"contains": "nobody"}))
    assert "No key that waits contains “nobody”" in nothing


def test_keys_come_page_by_page(
    alice: Client, flaky: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "PAGE", 2)
    names = [f"key:{n}" for n in range(5)]
    for name in names:
        flaky.enqueue(chat_id=1, partition=name)
    drain()
    seen: list[str] = []
    address = to(KEYS)
    while address:
        answer = alice.get(address)
        seen += [line.key for line in answer.context["lines"]]
        following = answer.context["following"]
        address = following and to(KEYS) + following
    assert seen == names


@pytest.mark.parametrize("name", ["chat:7", "a/b?c=d&e", "ключ #1", '"><script>'])
def test_the_line_of_a_key_is_shown_in_its_order(alice: Client, quiet: Kind, name: str) -> None:
    made = [quiet.enqueue(n=n, partition=name).id for n in range(3)]
    answer = alice.get(f"{to(KEY)}?{urlencode({'key': name})}")
    assert [job.pk for job in answer.context["line"]] == made
    assert (
        "<script>" not in answer.content.decode().split('class="console"', 1)[1].split("command")[0]
    )
    assert text(answer).count("blocked") == 2


def test_a_key_without_open_jobs_says_so(alice: Client) -> None:
    assert "No open job has this key" in text(alice.get(f"{to(KEY)}?key=nobody"))
    assert "No key waits" in text(alice.get(to(KEYS)))
