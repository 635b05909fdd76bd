"""An operator who never read the docs, at the console for jobs, with a real browser."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from jobs.models import Job, Priority
from jobs.stats import flush
from jobs.tasks import echo, noop
from jobs.testing import drain
from tests.browser.conftest import NARROW, Open, Staff
from tests.jobs.play import finish, lease_one

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def alice(staff: Staff) -> str:
    """An operator."""
    return staff("alice", "Operator", password="a-long-password")


@pytest.fixture
def dead(committed: None) -> UUID:
    """A job of an outside worker that gave up, since its args are wrong."""
    made: UUID = echo.enqueue(message={"chat": "seven"}).id
    held = lease_one("external", worker="mailer-1")
    finish(
        held, name="dead",
        error='Traceback:\n  File "mailer.py", line 7\nValueError: chat must be a number, not \'seven\'',
        logs='[{"at": 1700000000, "level": "WARNING", "message": "cannot read the chat"}]',
    )  # fmt: skip
    return made


def login(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("a-long-password")
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))


def test_an_operator_finds_why_a_job_is_dead_fixes_it_and_pauses_its_queue(
    alice: str, dead: UUID, open_page: Open
) -> None:
    page = open_page()
    login(page)

    # The first page says that something is wrong, and leads there.
    page.get_by_role("link", name="1 dead job").click()
    page.get_by_role("link", name="chat must be a number").first.click()

    # Why it is dead, in plain words, and with what it was called.
    expect(page.get_by_text("Gave up after attempt 1: ValueError")).to_be_visible()
    expect(page.locator("pre", has_text='"seven"')).to_be_visible()
    expect(page.get_by_text("cannot read the chat")).to_be_visible()
    page.get_by_text("Traceback, 3 lines").click()
    expect(page.get_by_text('File "mailer.py", line 7')).to_be_visible()

    # The args are fixed; what is wrong with them is said at once, or beside the field.
    page.get_by_role("link", name="Fix the args and replay").click()
    args = page.get_by_label("Args (JSON)")
    args.fill('{"message": {"chat": 7}')
    expect(page.get_by_text("Not JSON yet")).to_be_visible()
    args.fill('{"mesage": {"chat": 7}}')
    page.get_by_role("button", name="Replay with these args").click()
    expect(page.get_by_role("alert")).to_contain_text("unexpected keyword argument 'mesage'")
    args.fill('{"message": {"chat": 7}}')
    page.get_by_role("button", name="Tidy up").click()
    page.get_by_role("button", name="Replay with these args").click()

    # The new job, and where it comes from.
    expect(page.get_by_text("Replayed with your args")).to_be_visible()
    expect(page.locator("pre", has_text='"chat": 7')).to_be_visible()
    expect(page.locator(".title .badge")).to_have_text("available")
    expect(page.get_by_role("heading", name="A replay of")).to_be_visible()
    assert str(dead) not in page.url

    # Its queue is paused, with a reason.
    page.get_by_role("link", name="Queues").click()
    card = page.locator("#queue-external")
    card.locator("summary", has_text="Pause").click()
    card.get_by_label("Why?").fill("the mailer is being repaired")
    card.get_by_role("button", name="Pause the queue").click()
    expect(card.get_by_text("by alice: the mailer is being repaired")).to_be_visible()

    # Who did all that.
    page.get_by_role("link", name="Audit log").click()
    rows = page.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("alice paused queue external")
    expect(rows.nth(1)).to_contain_text(f"alice replayed job {dead}")
    rows.nth(1).get_by_role("link", name=str(dead)).click()
    expect(page.locator(".title .badge")).to_have_text("put away")
    expect(page.get_by_role("heading", name="Replayed as")).to_be_visible()


def test_a_group_of_dead_jobs_is_replayed_after_a_look(
    alice: str, dead: UUID, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=alice)
    page.goto("/admin/jobs/jobrecord/dead/")
    page.get_by_role("link", name="Replay all…").click()
    expect(page.get_by_role("heading", name="Replay 1 job?")).to_be_visible()
    assert meanwhile(lambda: Job.objects.get(pk=dead).state) == "dead"
    page.get_by_role("button", name="Replay 1 job").click()
    expect(page.get_by_role("heading", name="1 job replayed")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_text("No job is dead.")).to_be_visible()


def test_ticked_jobs_are_cancelled(alice: str, open_page: Open) -> None:
    made = [noop.enqueue(n=n, delay="1h").id for n in range(3)]
    page = open_page(session=alice)
    page.goto("/admin/jobs/jobrecord/?kind=jobs.noop")
    act = page.get_by_role("button", name=re.compile("chosen"))
    expect(act).to_be_disabled()
    for job_id in made[:2]:
        page.get_by_label(f"Tick jobs.noop {job_id}").check()
    expect(act).to_have_text(re.compile("with the 2 chosen"))
    act.click()
    page.get_by_role("button", name="Cancel 2 jobs").click()
    expect(page.get_by_role("heading", name="2 jobs cancelled")).to_be_visible()


def test_the_numbers_of_a_queue_change_by_themselves(
    alice: str, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(session=alice)
    page.goto("/admin/jobs/queue/")
    card = page.locator("#queue-default")
    expect(card.locator("[data-live=available]")).to_have_text("0")
    chart = card.get_by_role("img")
    expect(chart).to_have_attribute("aria-label", re.compile("Last hour: 0 in, 0 out"))

    def work() -> None:
        for n in range(3):
            noop.enqueue(n=n)
        flush()
        drain()
        noop.enqueue(n=4)

    meanwhile(work)
    expect(card.locator("[data-live=available]")).to_have_text("1")
    expect(chart).to_have_attribute("aria-label", re.compile("Last hour: [34] in, 3 out"))


def test_the_page_of_a_running_job_follows_it(
    alice: str, open_page: Open, meanwhile: Meanwhile
) -> None:
    made = noop.enqueue(priority=Priority.HIGH).id
    held = lease_one(worker="web-1")
    page = open_page(session=alice)
    page.goto(f"/admin/jobs/jobrecord/{made}/change/")
    expect(page.locator(".title .badge")).to_have_text("running")
    progress = {"done": 3, "total": 4, "pct": 75.0, "msg": "row 3"}
    meanwhile(lambda: Job.objects.filter(pk=made).update(progress=progress))
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "75.0")
    meanwhile(lambda: finish(held))
    expect(page.locator(".title .badge")).to_have_text("completed")


def test_a_form_is_sent_once_by_a_double_click(
    alice: str, open_page: Open, meanwhile: Meanwhile
) -> None:
    made = noop.enqueue().id
    drain()
    page = open_page(session=alice)
    page.goto(f"/admin/jobs/jobrecord/{made}/change/")
    page.locator("summary", has_text="Replay").click()
    page.get_by_role("button", name="Replay", exact=True).dblclick()
    expect(page.get_by_role("heading", name="A replay of")).to_be_visible()
    assert meanwhile(lambda: Job.objects.filter(replay_of=made).count()) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(alice: str, dead: UUID, open_page: Open, scheme: Any) -> None:
    noop.enqueue(partition="a-rather-long-key-of-some-customer:" + "7" * 60, delay="1h")
    noop.enqueue(partition="a_key_that_no_browser_breaks_by_itself", delay="1h")
    page = open_page(NARROW, session=alice)
    page.emulate_media(color_scheme=scheme)
    for path in (
        "", "jobs/queue/", "jobs/jobrecord/", "jobs/jobrecord/dead/", "jobs/jobrecord/keys/",
        f"jobs/jobrecord/{dead}/change/", f"jobs/jobrecord/{dead}/edit/", "jobs/worker/",
        "jobs/scheduleentry/", "jobs/breaker/", "jobs/batch/", "jobs/auditentry/",
        "jobs/jobrecord/act/?action=replay&scope=matching&state=dead",
    ):  # fmt: skip
        answer = page.goto(f"/admin/{path}")
        assert answer is not None
        assert answer.status == 200
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], f"{path} is {width} wide"
