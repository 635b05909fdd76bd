"""make run as a stranger meets it: it comes up, its commands work as pasted, it goes without a trace."""

import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests

from config.run.outside import CLOCK
from config.run.plan import ROOT
from tests.config.run.running import PATIENCE_S, Running, is_alive, until
from tests.deploy import scraping
from tests.ports import free_port

pytestmark = pytest.mark.process

CHAT = 500100201
# What a site that has just begun has no number of. A name stands for every query that reads it.
NOT_YET = {
    "access_check_age_seconds": "provider, ledger and panel are compared each five minutes",
    "alert_tell_seconds": "nobody was told of an alert yet, maybe",
    "fenced_total": "no worker has lost a lease, maybe",
    "node_traffic_bytes_per_second": "a rate needs two samples, which are taken each five minutes",
    "panel_token_left_seconds": "the token of the sandbox has no end",
    "retention_last_run_rows": "no cleanup has run, the first is at night",
    "retention_last_run_timestamp_seconds": "likewise",
    "subscription_sweep_people": "no sweep has run yet, maybe",
    "switchboard_metrics_source_failures_total": "no source of numbers has failed",
}
# Queries of numbers that are there, whose answer may be empty.
MAY_BE_EMPTY = {
    "infrastructure: Firing A": "no alert fires so soon",
    "jobs: Failures by kind A": "only kinds that fail just now are shown",
    "notifications: Time of a request A": "no webhook goes out within the last minute, maybe",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    started = Running(METRICS_PORT=str(free_port()))
    try:
        yield started.ready()
    finally:
        started.close()


def received(running: Running) -> list[dict[str, Any]]:
    """What the sandbox has for the chat of the printed commands."""
    (sandbox,) = running.found(r"Telegram +(http\S+)")
    answer = requests.get(
        f"{sandbox}/_sandbox/telegram/messages", params={"chat_id": CHAT}, timeout=10
    )
    messages: list[dict[str, Any]] = answer.json()["messages"]
    return messages


def has_arrived(running: Running, text: str) -> bool:
    return text in {message["text"] for message in received(running)}


def test_the_printed_notification_waits_for_alice_at_the_printed_page(running: Running) -> None:
    (page,) = running.found(r"Inbox +(http\S+)")
    assert 'class="desk"' in requests.get(page, timeout=30).text
    assert '"notification_id"' in running.paste(running.commands[0])
    query = {"user_id": "1", "login": "alice"}
    told = requests.get(f"{page}api/v1/admin/history", params=query, timeout=30).json()["history"]
    assert "Your order is on its way" in {each["payload"]["message"] for each in told}


def test_a_message_by_the_printed_sql_arrives_and_its_row_says_so(running: Running) -> None:
    assert "INSERT 0 1" in running.paste(running.commands[1])
    until(lambda: has_arrived(running, "Hello from SQL"), "it arrives")
    query = "SELECT status FROM notification_queue WHERE message LIKE 'Hello from%SQL%'"
    query += " AND sent_at IS NOT NULL"
    until(lambda: running.sql(query) == [("sent",)], "the row says so")


def test_a_message_by_the_printed_request_arrives(running: Running) -> None:
    assert '"status":"pending"' in running.paste(running.commands[2])
    until(lambda: has_arrived(running, "Hello from REST"), "it arrives")


def test_the_printed_outside_worker_completes_its_job_and_is_fenced(running: Running) -> None:
    said = running.paste(running.commands[3])
    assert "-> 409 {" in said
    assert '"code":"fenced"' in said
    assert '"state":"completed"' in said


def test_the_printed_login_opens_the_console(running: Running) -> None:
    console, username, password = running.found(r"Console +(\S+) +(\S+) / (\S+)")
    browser = requests.Session()
    form = browser.get(console, timeout=30)
    opened = browser.post(
        form.url,
        {
            "username": username,
            "password": password,
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            "next": "/admin/",
        },
        headers={"Referer": form.url},
        timeout=30,
    )
    assert opened.status_code == 200
    assert opened.url == console


def test_the_demo_has_something_of_everything(running: Running) -> None:
    states = dict(running.sql("SELECT state, count(*) FROM jobs_jobrecord GROUP BY 1"))
    assert {"completed", "dead", "scheduled", "available", "cancelled"} <= set(states)
    errors = [row[0] for row in running.sql("SELECT last_error FROM jobs_job WHERE state = 'dead'")]
    assert any("Traceback" in error and "there is no plan 'premum'" in error for error in errors)
    assert running.sql("SELECT name FROM jobs_queue WHERE paused_at IS NOT NULL") == [
        ("demo-imports",)
    ]
    assert running.sql("SELECT count(*) > 0 FROM jobs_job WHERE blocked") == [(True,)]
    assert ("jobs.replay", "olga") in running.sql(
        "SELECT action, account_name FROM jobs_auditentry"
    )
    hours = running.sql(
        "SELECT count(DISTINCT date_trunc('hour', at)) FROM jobs_jobstat WHERE event = 'completed'"
    )
    assert hours[0][0] > 20
    until(
        lambda: running.sql("SELECT FROM jobs_scheduleentry WHERE quarantined_at IS NOT NULL"),
        "the bad schedule is put aside",
    )


def test_the_demo_has_messages_in_every_state(running: Running) -> None:
    query = "SELECT DISTINCT coalesce(reason, status) FROM notification_queue"
    wanted = {"sent", "pending", "cancelled", "blocked", "deactivated", "not_started", "not_found"}
    until(lambda: wanted <= {row[0] for row in running.sql(query)}, "all are there")


def test_the_demo_tells_servers_of_events_and_has_one_that_is_away(running: Running) -> None:
    query = """SELECT e.title, d.state, d.last_error FROM webhook_delivery d
        JOIN webhook_endpoint e ON e.id = d.endpoint_id WHERE d.tries > 0"""
    wanted = {
        ("Shop", "delivered", ""),
        ("Customer care", "delivered", ""),  # at the second try
        ("Old partner", "pending", "connection refused"),
    }
    until(lambda: wanted <= set(running.sql(query)), "all are there")
    types = "SELECT DISTINCT event_type FROM webhook_delivery WHERE state = 'delivered'"
    until(lambda: ("notification.pending",) in running.sql(types), "smart notifications arrive")


def test_the_demo_has_a_folder_whose_file_became_a_list(running: Running) -> None:
    query = "SELECT name, members, rejected FROM broadcast_audience"
    until(lambda: ("autumn-customers", 20, 2) in running.sql(query), "the list is there")


def test_the_demo_has_people_who_run_out_of_time_pay_and_are_renewed(running: Running) -> None:
    paid = """SELECT FROM subscription_activation a JOIN payment p ON p.id = a.payment_id
        JOIN subscriber s ON s.id = a.subscriber_id
        WHERE a.state = 'applied' AND a.told_at IS NOT NULL AND s.username LIKE 'demo\\_%'
        AND p.found_by = 'webhook' AND s.expire_at = a.target_expire_at"""
    # The first one runs out of time a minute and a half after the start.
    until(lambda: running.sql(paid), "somebody pays and is served", 2 * PATIENCE_S)
    held = "SELECT FROM access_gap WHERE healed_at IS NULL AND kind = 'held'"
    until(lambda: running.sql(held), "and one has paid, and waits for a person")
    told = "SELECT count(DISTINCT stage) FROM subscription_notice WHERE state = 'queued'"
    until(lambda: running.sql(told) == [(5,)], "people are told at each stage")
    lost = """SELECT FROM subscription_activation a JOIN subscriber s ON s.id = a.subscriber_id
        WHERE a.state = 'applied' AND a.target_expire_at > s.expire_at + interval '1 second'"""
    assert not running.sql(lost), "what was paid in the past is served, too"
    assert "6 h ahead" in running.paste(running.commands[4])
    later = """SELECT FROM subscription_notice WHERE stage = '6h' AND state = 'queued'
        AND expire_at > clock_timestamp() + interval '8 hours'"""
    until(lambda: running.sql(later), "and of whoever comes near the end six hours later")


def test_the_demo_goes_on_when_somebody_has_paid_too_little(running: Running) -> None:
    (sandbox,) = running.found(r"Telegram +(http\S+)")
    open_one = "SELECT external_id FROM payment WHERE state = 'pending' AND external_id IS NOT NULL"

    def has_paid_too_little() -> bool:
        """Of the open invoices somebody else may have paid just now."""
        for (number,) in running.sql(open_one):
            body = {"invoice_ids": [int(number)], "amount": "0.01"}
            if requests.post(f"{sandbox}/_sandbox/cryptopay/pay", json=body, timeout=10).ok:
                return True
        return False

    until(has_paid_too_little, "there is an open invoice")
    until(lambda: running.sql("SELECT FROM payment_review WHERE resolved_at IS NULL"), "it is seen")
    states = "SELECT count(*) FROM jobs_jobrecord WHERE kind = 'demo.customers' AND state = "
    ((before,),) = running.sql(f"{states}'completed'")
    until(lambda: running.sql(f"{states}'completed'")[0][0] > before + 1, "customers go on")
    assert running.sql(f"{states}'dead'") == [(0,)]


def test_the_demo_is_played_once(running: Running) -> None:
    before = running.sql("SELECT count(*) FROM jobs_queue")
    again = running.python("manage.py", "demo", SWITCHBOARD_EXTRA_APPS="config.demo")
    assert again.stdout == "The demo was played before.\n", again.stderr
    assert running.sql("SELECT count(*) FROM jobs_queue") == before


def test_production_does_not_even_know_the_demo(running: Running) -> None:
    ran = running.python("manage.py", "demo", DEBUG="0", SECRET_KEY="k" * 40, ALLOWED_HOSTS="x")
    assert ran.returncode == 1
    assert "Unknown command: 'demo'" in ran.stderr
    named = running.python(
        "manage.py", "demo", DEBUG="0", SECRET_KEY="k" * 40, SWITCHBOARD_EXTRA_APPS="config.demo"
    )
    assert named.returncode == 2
    assert named.stderr.startswith("SWITCHBOARD_EXTRA_APPS")


def test_sql_is_typed_into_the_same_database(running: Running) -> None:
    typed = "SELECT 'there are ' || count(*) FROM jobs_queue WHERE name = 'demo';"
    assert "there are 1" in running.python("-m", "config.run.psql", typed=typed).stdout


def test_a_prometheus_that_scrapes_it_answers_every_rule_and_every_panel(running: Running) -> None:
    (web,) = running.found(r"Inbox +http://(\S+?)/")
    worker = f"127.0.0.1:{running.environment['METRICS_PORT']}"
    with scraping.prometheus(web=web, worker=worker) as prometheus:
        until(prometheus.is_ready, "it starts")
        until(lambda: set(prometheus.up().values()) == {"up"}, "it reaches both")
        unread = {
            name for query in scraping.alerts().values() for name in scraping.metrics_of(query)
        }
        unread |= set(scraping.records())
        until(lambda: unread <= prometheus.names() | set(NOT_YET), "what alerts read is there")
        unanswered = {
            place: query
            for place, query in scraping.panels()
            if place not in MAY_BE_EMPTY and not scraping.metrics_of(query) & set(NOT_YET)
        }
        assert len(unanswered) > 120

        def all_are_answered() -> bool:
            for place, query in list(unanswered.items()):
                if prometheus.answers(query):
                    del unanswered[place]
            return not unanswered

        with suppress(AssertionError):  # to say which ones are missing
            until(all_are_answered, "every panel has something to draw")
        assert unanswered == {}
        assert prometheus.ill_rules() == []
        for query in [*scraping.alerts().values(), *dict(scraping.panels()).values()]:
            prometheus.answers(query)  # it raises where one is refused


def test_a_killed_worker_is_started_again_and_goes_on(running: Running) -> None:
    (cluster,) = [
        process
        for process in running.processes()
        if "qcluster" in process.cmdline() and process.ppid() == running.process.pid
    ]
    cluster.kill()
    until(lambda: "worker was ended by SIGKILL; it starts again" in running.text, "it is said")
    running.paste(running.commands[1].replace("from <b>SQL", "after a <b>kill"))
    until(lambda: has_arrived(running, "Hello after a kill"), "it arrives")


def leaves_no_process(running: Running, number: signal.Signals) -> None:
    family = running.processes()
    assert {"postgres", "redis-server"} <= {process.name() for process in family}
    assert len(family) > 10
    assert running.end(number) == 0
    assert [process.cmdline() for process in family if is_alive(process)] == []
    assert running.processes() == []
    assert "Stopped." in running.text


def test_sigterm_leaves_no_process(running: Running) -> None:  # after it nothing runs
    leaves_no_process(running, signal.SIGTERM)


def asked(running: Running, path: str) -> Any:
    """What the sandbox tells."""
    (sandbox,) = running.found(r"Telegram +(http\S+)")
    return requests.get(f"{sandbox}/_sandbox/{path}", timeout=10).json()


def invoices(running: Running) -> set[int]:
    return {each["invoice_id"] for each in asked(running, "cryptopay/invoices")["invoices"]}


def stands_in_our_time(running: Running) -> bool:
    (moved_s,) = struct.unpack("<d", (running.data_dir / CLOCK).read_bytes())
    return bool(asked(running, "clock")["offset_s"] == moved_s > 0)


def online(running: Running) -> int:
    nodes = asked(running, "remnawave/nodes")["nodes"]
    return sum(each["usersOnline"] for each in nodes if each["isConnected"])


def test_a_second_start_finds_the_same_world_in_the_same_time(running: Running) -> None:
    running.start()
    running.ready()
    running.paste(running.commands[4])
    assert stands_in_our_time(running)
    ours = "SELECT external_id::bigint FROM payment WHERE state = 'pending' AND pay_url <> ''"
    assert {row[0] for row in running.sql(ours)} <= invoices(running)
    sent = (
        f"SELECT message_id FROM notification_queue WHERE telegram_id = {CHAT} AND sent_at > now()"
    )
    sent += " - interval '1 hour'"
    assert {row[0] for row in running.sql(sent)} <= {row["message_id"] for row in received(running)}
    people = asked(running, "remnawave/stats")["users"]["total"]
    assert running.sql("SELECT count(*) FROM subscriber WHERE missing_since IS NULL") == [(people,)]
    until(lambda: online(running) > 50, "people use the VPN")


def test_a_killed_sandbox_finds_what_it_has_written(running: Running) -> None:  # the last one
    running.paste(running.commands[4])  # also where this test runs without those before it
    written = json.loads((running.data_dir / "sandbox.json").read_bytes())["services"]
    (sandbox,) = [each for each in running.processes() if "tests.sandbox" in each.cmdline()]
    sandbox.kill()
    until(lambda: "sandbox was ended by SIGKILL; it starts again" in running.text, "it is said")
    until(lambda: running.text.count("sandbox ready") == 2, "it is back")
    assert stands_in_our_time(running)
    assert {row[0] for row in written["cryptopay"]["invoices"]["invoices"]} <= invoices(running)
    assert {
        row["message_id"] for row in written["telegram"]["messages"] if row["chat_id"] == CHAT
    } <= {row["message_id"] for row in received(running)}
    people = asked(running, "remnawave/stats")["users"]["total"]
    assert people == len(written["remnawave"]["users"])
    until(lambda: online(running) > 50, "people use the VPN")


def test_an_interrupt_leaves_no_process_and_without_the_demo_nothing_is_played() -> None:
    running = Running(DEMO="0")
    try:
        running.ready()
        assert running.sql("SELECT count(*) FROM jobs_queue WHERE name LIKE 'demo%'") == [(0,)]
        leaves_no_process(running, signal.SIGINT)
    finally:
        running.close()


def test_a_wrong_setting_is_one_sentence(tmp_path: Any) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "config.run"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "PORT": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert ran.stderr == "PORT is 'many'; it must be a whole number.\n"
