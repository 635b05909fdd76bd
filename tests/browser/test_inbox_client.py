"""The client library of the inbox, in a real browser, against real web processes."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute

from notifications.inbox.epochs import epoch_renew
from tests.browser.conftest import Enter
from tests.browser.inbox_pod import Backend
from tests.processes.waiting import until

Meanwhile = Callable[[Callable[[], Any]], Any]

MAKE = """async (options) => {
  const { Inbox } = await import("/static/switchboard/inbox/client.js");
  const { call } = await import("/static/switchboard/inbox/desk/api.js");
  const who = { user_id: 1, login: "alice" };
  const ticket = async () => ({ ticket: (await call("POST", "/api/v1/ws-tickets", who)).ticket });
  const inbox = new Inbox({
    identify: options.ticket ? async () => ({ ticket: options.ticket }) : ticket,
    name: "1-alice", device: "test", storage: options.isKept ? localStorage : null,
  });
  window.inbox = inbox;
  window.told = [];
  for (const type of ["push", "synced", "read", "recall", "update", "problem", "state"]) {
    inbox.addEventListener(type, ({ detail }) => window.told.push([type, detail]));
  }
}"""
DRAWS = """async () => {
  const { Backoff } = await import("/static/switchboard/inbox/backoff.js");
  const draws = (tries) => Array.from({ length: 101 }, (_, share) => {
    const backoff = new Backoff({ random: () => share / 100 });
    for (let n = 0; n < tries; n += 1) backoff.next();
    return backoff.next();
  });
  const used = new Backoff({ random: () => 1 });
  used.next();
  used.next();
  used.reset();
  return { rounds: Array.from({ length: 8 }, (_, tries) => draws(tries)), afterwards: used.next() };
}"""


@pytest.fixture
def make(enter: Enter) -> Callable[..., Page]:
    """A page that has `inbox` (not open yet) and `told`, its events: make(isKept=True)."""

    def begin(page: Page | None = None, **options: Any) -> Page:
        page = page or enter()
        page.evaluate(MAKE, options)
        return page

    return begin


def holds(page: Page, condition: str) -> None:
    """Return when it does. The page's own policy forbids the waiting that Playwright would do in it."""
    until(lambda: page.evaluate(condition), condition)


def connect(page: Page) -> None:
    page.evaluate("inbox.open()")
    holds(page, "inbox.state === 'open'")


def messages(page: Page) -> list[str]:
    """What is in the list, newest first."""
    found: list[str] = page.evaluate("inbox.items.map((item) => item.message)")
    return found


def told(page: Page, kind: str) -> list[dict[str, Any]]:
    """What the events of one type carried."""
    events: list[tuple[str, dict[str, Any]]] = page.evaluate("told")
    return [detail for each, detail in events if each == kind]


def test_delays_are_spread_evenly_below_a_ceiling_that_doubles(enter: Enter) -> None:
    found = enter().evaluate(DRAWS)
    ceilings = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
    assert [(draws[0], draws[-1]) for draws in found["rounds"]] == [(100, top) for top in ceilings]
    for draws, top in zip(found["rounds"], ceilings, strict=True):
        step = (top - 100) / 100
        assert all(abs(draw - 100 - n * step) <= 1 for n, draw in enumerate(draws))
    assert found["afterwards"] == 1000


def test_what_was_missed_comes_once_and_in_order(
    make: Callable[..., Page], backend: Backend
) -> None:
    page = make()
    connect(page)
    backend.send("known")
    holds(page, "inbox.items.length === 1")
    page.evaluate("inbox.close()")
    for text in ("first", "second", "third"):
        made = backend.send(text)
        if text == "second":
            backend.recall(made)
    connect(page)
    assert messages(page) == ["third", "first", "known"]
    assert [each["recovered"] for each in told(page, "synced")] == [False, True]
    pushes = [(each["item"]["message"], each["origin"]) for each in told(page, "push")]
    assert pushes == [("known", "live"), ("first", "missed"), ("third", "missed")]
    assert page.evaluate("inbox.unread") == 3


def test_after_history_was_lost_the_list_is_made_anew(
    make: Callable[..., Page], backend: Backend, meanwhile: Meanwhile
) -> None:
    page = make()
    connect(page)
    backend.send("one")
    holds(page, "inbox.items.length === 1")
    epoch = page.evaluate("inbox.position.epoch")
    page.evaluate("inbox.close()")
    meanwhile(epoch_renew)
    backend.send("two")
    connect(page)
    assert messages(page) == ["two", "one"]
    assert [each["recovered"] for each in told(page, "synced")] == [False, False]
    assert page.evaluate("inbox.position.epoch") != epoch


def test_a_sync_that_was_cut_is_not_taken_for_a_whole_one(
    enter: Enter, make: Callable[..., Page], backend: Backend
) -> None:
    sent = [str(backend.send(f"number {n}")) for n in range(6)]
    page = enter()
    asked: list[str] = []

    def cut_the_first(socket: WebSocketRoute) -> None:
        asked.append(socket.url)
        server = socket.connect_to_server()
        if len(asked) > 1:
            return
        passed: list[Any] = []

        def on_message(frame: Any) -> None:
            passed.append(frame)
            if len(passed) <= 4:  # the session and three of six
                socket.send(frame)
            elif len(passed) == 5:
                socket.close()

        server.on_message(on_message)

    page.route_web_socket("**/ws?*", cut_the_first)
    make(page)
    connect(page)
    assert len(asked) == 2
    assert all("stream_id" not in url for url in asked)
    assert messages(page) == [f"number {n}" for n in reversed(range(len(sent)))]
    assert len(told(page, "push")) == len(sent)  # each is told once all the same


def test_reads_made_offline_are_sent_in_bursts_that_the_server_takes(
    make: Callable[..., Page], backend: Backend
) -> None:
    count = 70  # the server drops what exceeds 50 frames a second
    page = make()
    connect(page)
    for n in range(count):
        backend.send(f"number {n}")
    holds(page, f"inbox.unread === {count}")
    page.evaluate("inbox.close(); inbox.readAll()")
    assert page.evaluate("[inbox.waiting, inbox.unread]") == [count, 0]
    connect(page)
    holds(page, "inbox.waiting === 0")
    assert told(page, "problem") == []
    assert {status for _, status in backend.history()} == {"read"}
    assert page.evaluate("inbox.unread") == 0


def test_reads_outlive_the_page(make: Callable[..., Page], backend: Backend) -> None:
    page = make(isKept=True)
    connect(page)
    backend.send("read on the train")
    holds(page, "inbox.items.length === 1")
    page.evaluate("inbox.close(); inbox.readAll()")
    page.reload()
    assert backend.history() == [("read on the train", "unread")]
    make(page, isKept=True)
    assert page.evaluate("inbox.waiting") == 1
    connect(page)
    holds(page, "inbox.waiting === 0")
    assert backend.history() == [("read on the train", "read")]
    assert page.evaluate("localStorage.length") == 0


def test_a_read_of_nothing_leaves_the_queue(make: Callable[..., Page]) -> None:
    page = make()
    connect(page)
    page.evaluate("inbox.read('0192d3a0-0000-7000-8000-000000000000')")
    holds(page, "inbox.waiting === 0")
    assert [each["code"] for each in told(page, "problem")] == ["notification_unknown"]
    assert page.evaluate("inbox.state") == "open"


def test_older_ones_are_asked_for(make: Callable[..., Page], backend: Backend) -> None:
    for n in range(5):
        backend.send(f"number {n}")
    page = make()
    connect(page)
    before = page.evaluate("inbox.items[2].stream_id")
    found = page.evaluate("(before) => inbox.history({ limit: 10, before })", before)
    assert [each["message"] for each in found] == ["number 0", "number 1"]
    assert page.evaluate("inbox.keepFor(7)") == 7


def test_who_is_refused_again_and_again_stops_asking(make: Callable[..., Page]) -> None:
    page = make(ticket="not-one-of-theirs")
    page.evaluate("inbox.open()")
    holds(page, "inbox.state === 'refused'")
    states = [each["state"] for each in told(page, "state")]
    assert states.count("connecting") == 3
    assert states[-1] == "refused"
