"""Redis, panel and Telegram away at once: a real cluster goes on, and the admins hear of each once."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.process

ADMIN = 4711
AWAY = {"redis", "remnawave", "telegram"}
# That Telegram itself does not answer cannot be told there; that it did not is told when it does.
MESSAGES = Counter(
    {
        "CRITICAL: Redis does not answer": 1,
        "CRITICAL: The panel does not answer": 1,
        "Resolved: Redis does not answer": 1,
        "Resolved: The panel does not answer": 1,
        "Resolved: Telegram does not answer": 1,
    }
)
LOOKS = (
    "monitoring.check_nodes",
    "monitoring.collect_bandwidth",
    "monitoring.check_services",
    "monitoring.check_anomalies",
    "monitoring.refresh_dashboard",
)
# Rules may speak up, too: of what other tests have broken.
_QUEUED = "SELECT count(*) FROM notification_queue WHERE message LIKE '%does not answer%'"
_WAITING = "SELECT count(*) FROM notification_queue WHERE status = 'pending'"
_DEAD = "SELECT count(*) FROM jobs_job WHERE state = 'dead'"  # other tests kill some
_LEFT = """TRUNCATE notification_queue, alert, service_check, service_sample, rule_state, rule_sample,
    platform_event, jobs_breaker, jobs_ratebucket, jobs_jobstat CASCADE"""


@pytest.fixture(autouse=True)
def own_rows(site: Site) -> Iterator[None]:
    """Nothing of an earlier test is open, and nothing stays for the next one."""
    site.rows(_LEFT)
    yield
    site.rows(_LEFT)


def open_alerts(site: Site) -> set[str]:
    return {row[0] for row in site.rows("SELECT key FROM alert WHERE resolved_at IS NULL")}


def told(sandbox: Sandbox) -> Counter[str]:
    """What the admin was sent, by the first line of each message without its colour."""
    texts = [message["text"] for message in sandbox.messages(chat_id=ADMIN)]
    titles = [text.splitlines()[0].partition(" ")[2] for text in texts]
    return Counter(title for title in titles if title in MESSAGES)  # a breaker may speak up, too


def test_redis_panel_and_telegram_away_at_once(
    site: Site, start: Callable[..., Cluster], sandbox: Sandbox
) -> None:
    pool = start(
        "checks",
        TELEGRAM_API_URL=sandbox.telegram_url,
        TELEGRAM_BOT_TOKEN="7001:secret",
        ADMIN_TELEGRAM_IDS=str(ADMIN),
        REMNAWAVE_URL=sandbox.panel_url,
        REMNAWAVE_API_TOKEN="token-of-the-panel",
        ALERT_GROUP="1s",
        ALERT_FEW="10",  # a message each, whatever else there is to tell
    )
    before, jobs, dead = pool.keepers(), Jobs(site), site.value(_DEAD)

    def check() -> None:
        for kind in ("monitoring.check_services", "monitoring.check_anomalies"):
            jobs.add(kind)
            jobs.end({"completed": len(jobs.ids)})

    for service in ("remnawave", "telegram"):
        sandbox.fault(service=service, kind="down", for_s=600)
    with site.without_redis():
        for _ in range(4):
            check()
        assert open_alerts(site) >= AWAY
        assert site.value("SELECT count(*) FROM alert WHERE key = 'redis'") == 1
        until(lambda: site.value(_QUEUED) >= 2, "what can be told waits in the queue")
    assert told(sandbox).total() == 0
    assert pool.keepers() == before
    assert pool.lines("after death") == []

    sandbox.clear_faults()
    check()
    assert not open_alerts(site) & AWAY
    site.rows("UPDATE notification_queue SET next_attempt_at = NULL")  # sooner than their ladder

    def all_told() -> bool:
        site.call("enqueue", "telegram.drain_queue")
        return told(sandbox) >= MESSAGES and not site.value(_WAITING)

    until(all_told, "everything arrives")
    assert told(sandbox) == MESSAGES
    assert site.value(_DEAD) == dead


def test_whoever_looks_is_held_up_by_no_long_job(
    site: Site, start: Callable[..., Cluster], sandbox: Sandbox
) -> None:
    """An export and a cleanup may have the main threads of all workers for as long as they take."""
    start(
        "looks",
        workers=1,
        REMNAWAVE_URL=sandbox.panel_url,
        REMNAWAVE_API_TOKEN="token-of-the-panel",
    )
    long, looks = Jobs(site), Jobs(site)
    busy = long.add("effects.sleep", seconds=240)
    until(lambda: long.marks(busy), "the only main thread is busy")
    for kind in LOOKS:
        looks.add(kind)
    looks.end({"completed": len(LOOKS)})
    assert long.marks(busy) == ["start"]
    long.cancel(busy)
    long.end({"cancelled": 1})
