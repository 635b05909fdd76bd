"""An admin makes a file rule, tries it, and sees what became of the files; on a wide and a narrow screen."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from jobs.testing import drain
from lib.ids import uuid7
from monitoring.files.models import FileBatch, FileEvent, Rule
from tests.browser.conftest import NARROW, Open, Staff
from tests.monitoring.files.rows import look, settle

Meanwhile = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def olga(staff: Staff) -> str:
    """An admin."""
    return staff("olga", "Admin")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that the site allows, also that of the server's process."""
    root = Path(settings.FILE_WATCH_ROOTS[0])
    path = root / f"browser-{uuid7().hex[-8:]}"
    path.mkdir(parents=True)
    yield path
    shutil.rmtree(path)


def test_an_admin_makes_a_rule_and_follows_its_files(
    olga: str, folder: Path, open_page: Open, meanwhile: Meanwhile
) -> None:
    (folder / "people.csv").write_text("id,login\n1,alice\n")
    page = open_page(session=olga)
    page.goto("/admin/files/rule/")
    expect(page.get_by_text("There is no rule yet.")).to_be_visible()
    page.get_by_role("link", name="New rule").click()
    it_is_filled_in_and_tried(page, folder, meanwhile)
    a_file_that_is_no_list_fails_and_says_why(page, folder, meanwhile)

    # The story of the file is one click away.
    page.get_by_role("link", name="colours.csv").first.click()
    expect(page.get_by_role("heading", name="What happened to it")).to_be_visible()


def it_is_filled_in_and_tried(page: Page, folder: Path, meanwhile: Meanwhile) -> None:
    # Only the options of the chosen action are shown.
    page.get_by_label("Action").select_option("telegram")
    expect(page.get_by_role("textbox", name="Chat")).to_be_visible()
    page.get_by_label("Action").select_option("audience")
    expect(page.get_by_role("textbox", name="Chat")).to_be_hidden()

    # What cannot be used is said beside its field, and nothing that was written is lost.
    page.get_by_label("Name", exact=True).fill("People")
    page.locator("#id_directory").fill("/etc")
    page.get_by_label("Patterns, one per line").fill("*.csv")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_role("alert")).to_contain_text("does not lie within the allowed ones")
    expect(page.get_by_label("Name", exact=True)).to_have_value("People")

    # Trying shows what matches, before anything is saved.
    page.locator("#id_directory").fill(str(folder))
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("people.csv")).to_be_visible()
    assert not meanwhile(Rule.objects.exists)
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_role("heading", name="People", exact=True)).to_be_visible()
    expect(
        page.get_by_text("Nobody watches").or_(page.get_by_text("No watcher has ever run")).first
    ).to_be_visible()


def a_file_that_is_no_list_fails_and_says_why(
    page: Page, folder: Path, meanwhile: Meanwhile
) -> None:
    """And the page of its batch is where it is tried again."""

    def drop() -> Any:
        Rule.objects.update(indexed_at="2026-11-22T00:00:00Z")
        (folder / "colours.csv").write_text("colour\nred\n")
        settle(500)
        look(Rule.objects.get())
        return FileBatch.objects.get().pk

    batch = meanwhile(drop)
    page.reload()
    page.get_by_role("link", name=re.compile("2 files")).click()
    expect(page).to_have_url(re.compile(str(batch)))
    expect(page.get_by_text("waiting", exact=True)).to_be_visible()
    meanwhile(lambda: drain(queues=["default"]))
    expect(
        page.get_by_text("There is no column")
        .or_(page.get_by_text("No column says who it is"))
        .first
    ).to_be_visible()

    # Mended in place, it is a change of its own; a retry of the old one says that.
    page.get_by_text("Retry what failed").click()
    page.get_by_role("button", name="Retry them").click()
    expect(page.get_by_text("will be tried again")).to_be_visible()
    meanwhile(lambda: drain(queues=["default"]))
    assert meanwhile(FileEvent.objects.filter(outcome="pending").count) == 0


def test_the_pages_fit_on_a_narrow_screen(
    olga: str, folder: Path, open_page: Open, meanwhile: Meanwhile
) -> None:
    page = open_page(NARROW, session=olga)
    page.goto("/admin/files/rule/add/")
    for address in (
        "/admin/files/rule/add/",
        "/admin/files/rule/",
        "/admin/files/filebatch/",
        "/admin/files/watchedfile/",
    ):
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], f"{address} is {width} wide"
