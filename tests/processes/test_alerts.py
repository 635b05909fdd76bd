"""Telling with a real cluster: whoever is killed amid it, each alert is told once and none is lost.

And the whole way of an alert of Prometheus: a real Alertmanager, our door, a row, a message.
"""

from collections.abc import Callable, Iterator

import pytest

from tests.deploy.routing import alertmanager, rule_of
from tests.processes.cluster import Cluster
from tests.processes.pod import Pod
from tests.processes.site import Site
from tests.processes.waiting import until
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.process

TOKEN = "7000000001:AAE-sEcReT_part"
ADMIN = 41
Start = Callable[..., Cluster]


@pytest.fixture(autouse=True)
def own_alerts(site: Site) -> Iterator[None]:
    """Nothing of an earlier test is told, and nothing stays for the next one."""
    _forget(site)
    yield
    _forget(site)


def _forget(site: Site) -> None:
    site.rows(
        "TRUNCATE alert, alert_event, alert_silence, alert_telling, platform_event, "
        "notification_queue, telegram_chat, telegram_dedup, jobs_ratebucket"
    )
    site.rows("DELETE FROM jobs_job WHERE kind = 'alerts.tell' AND state = 'dead'")
    site.rows("DELETE FROM jobs_breakerevent")
    site.rows("DELETE FROM jobs_breaker")


def wrong(site: Site, *keys: str) -> None:
    """These are wrong since now, and that is to be told at once."""
    for key in keys:
        site.rows(
            """INSERT INTO alert (id, rule, key, severity, title, opened_at, noticed_at, tell_at)
            VALUES (gen_random_uuid(), 'external', %s, 'critical', %s, now(), now(), now())""",
            [key, f"{key} is wrong"],
        )
    site.rows("SELECT pg_notify('jobs_wake', 'alerts.tell')")


def bot(sandbox: Sandbox) -> dict[str, str]:
    """One admin, who is told at once."""
    return {
        "TELEGRAM_API_URL": sandbox.telegram_url,
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "ADMIN_TELEGRAM_IDS": str(ADMIN),
        "ALERT_GROUP": "0s",
    }


def test_who_is_killed_while_telling_has_told_nothing_and_the_next_tells_once(
    site: Site, start: Start, sandbox: Sandbox
) -> None:
    telegram = bot(sandbox)
    dying = start("dying", 1, SWITCHBOARD_FAULTS="alerts.told=kill", **telegram)
    wrong(site, "first", "second")
    until(
        lambda: site.value("SELECT max(crash_count) FROM jobs_job WHERE kind = 'alerts.tell'"),
        "a worker dies while it tells",
    )
    assert site.value("SELECT count(*) FROM notification_queue") == 0
    assert site.value("SELECT count(*) FROM alert WHERE told_at IS NOT NULL") == 0
    dying.end()

    start("well", 2, **telegram)
    wrong(site, "third")
    sent = "SELECT count(*) FROM notification_queue WHERE status = 'sent'"
    until(lambda: site.value(sent) == 3, "all are told")
    until(
        lambda: site.value("SELECT count(*) FROM alert WHERE tell_at IS NULL") == 3, "rows say so"
    )
    firsts = sorted(message["text"].splitlines()[0] for message in sandbox.messages(ADMIN))
    assert firsts == [
        "🔴 CRITICAL: first is wrong",
        "🔴 CRITICAL: second is wrong",
        "🔴 CRITICAL: third is wrong",
    ]
    assert site.value("SELECT count(*) FROM notification_queue WHERE maybe_doubled") == 0
    assert site.value("SELECT count(*) FROM alert_event WHERE kind = 'told'") == 3


def test_an_alert_of_prometheus_is_told_when_it_fires_and_when_it_is_over(
    site: Site, start: Start, sandbox: Sandbox
) -> None:
    summary = "The last pass over the users of the panel began 4h 0m 0s ago"
    alert = rule_of("MirrorOld", summary=summary, link="http://console.example/admin/x/")
    telegram = {**bot(sandbox), "TELEGRAM_LANGUAGE": "ru"}
    web = Pod(site, "door", **telegram)  # it starts while the others do
    try:
        words = ("create_service_account", "alertmanager", "--permission", "alerts.send_alert")
        token = site.manage(*words).split()[-1]
        start("telling", 1, **telegram)
        web.wait_ready()
        with alertmanager(site=f"http://127.0.0.1:{web.port}", token=token) as their:
            until(their.is_ready, "Alertmanager is ready")
            their.tell(alert)
            (fired,) = until(lambda: sandbox.messages(ADMIN), "that it fires is told")
            found = "SELECT rule, severity, title, source, resolved_at FROM alert"
            assert site.rows(found) == [("mirror_old", "warning", summary, "alertmanager", None)]
            their.tell(alert, is_over=True)
            over = until(lambda: sandbox.messages(ADMIN)[1:], "that it is over is told")
    finally:
        web.end()
    assert fired["text"].startswith(f"🟡 ВНИМАНИЕ: Сигнал Prometheus: {summary}\n\n")
    assert "alertname: MirrorOld" in fired["text"]
    assert [each["text"].splitlines()[0] for each in over] == [
        f"🟢 Устранено: Сигнал Prometheus: {summary}"
    ]
    assert site.value("SELECT count(*) FROM alert WHERE resolved_at IS NOT NULL") == 1
