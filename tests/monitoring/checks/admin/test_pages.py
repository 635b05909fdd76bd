"""The pages of services and rules."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, assert_not_enqueued
from lib import clock
from monitoring.checks.models import RuleSample, RuleState, ServiceOutage
from monitoring.checks.services import anomalies_check, rule_change
from tests.monitoring.checks.conftest import AWAY, MINUTE, REFUSED, record, rounds

pytestmark = pytest.mark.usefixtures("calm")

SERVICES = "/admin/checks/servicecheck/"
RULES = "/admin/checks/rulestate/"


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_before_the_first_check_the_pages_say_when_it_comes(bob: Client) -> None:
    assert "Nobody has looked yet" in text(bob, SERVICES)
    assert "Nobody has looked yet" in text(bob, f"{SERVICES}redis/change/")
    assert "not measured yet" in text(bob, RULES)


def test_services_are_shown_with_uptime_error_and_what_to_do(bob: Client) -> None:
    rounds(4, clock.now() - 4 * MINUTE, telegram=AWAY, uplink=None, cryptobot=REFUSED)
    with CaptureQueriesContext(connection) as asked:
        page = text(bob, SERVICES)
    assert len(asked) <= 12
    assert "4 looks in a row failed" in page
    assert "connection refused" in page
    assert "/admin/runbook/service_down/" in page
    assert "UPLINK_PROBES" in page
    assert page.count('class="uptime"') == 15  # three windows of the five that are looked at
    assert 'class="latency"' in page
    assert "12 ms" in page


def test_the_cards_are_fetched_again_by_themselves(bob: Client) -> None:
    record(clock.now())
    assert f'hx-get="{SERVICES}live/"' in text(bob, SERVICES)
    assert "Redis" in text(bob, f"{SERVICES}live/")


def test_a_service_has_a_page_with_its_outages_by_kind(bob: Client) -> None:
    rounds(3, clock.now() - 3 * MINUTE, redis=AWAY)
    began = clock.now() - timedelta(hours=5)
    ServiceOutage.objects.create(
        service_id="redis", kind="unwatched", began_at=began, ended_at=began + timedelta(hours=1)
    )
    page = text(bob, f"{SERVICES}redis/change/")
    assert "nobody looked" in page
    assert "not yet" in page
    only = text(bob, f"{SERVICES}redis/change/?kind=unwatched&span=7d")
    assert "1 h" in only
    assert "connection refused</span>" not in only
    assert text(bob, f"{SERVICES}redis/change/?span=odd&kind=odd&after=x")
    assert "No outage of this kind" in text(bob, f"{SERVICES}redis/change/?kind=refused")
    assert bob.get(f"{SERVICES}none/change/").status_code == 404


def test_a_long_list_of_outages_has_pages(bob: Client) -> None:
    record(clock.now())
    ServiceOutage.objects.bulk_create(
        ServiceOutage(
            service_id="redis",
            kind="down",
            began_at=clock.now(),
            ended_at=clock.now(),
            looks=number,
        )
        for number in range(60)
    )
    page = text(bob, f"{SERVICES}redis/change/?kind=down")
    following = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    assert "These were all" in text(
        bob, f"{SERVICES}redis/change/{following.replace('&amp;', '&')}"
    )


def test_an_operator_has_services_checked_and_a_reader_cannot(alice: Client, bob: Client) -> None:
    assert "Check now" not in text(bob, SERVICES)
    assert bob.post(f"{SERVICES}check/").status_code == 403
    assert_not_enqueued("monitoring.check_services")
    assert "Check now" in text(alice, SERVICES)
    assert alice.get(f"{SERVICES}check/").status_code == 405
    answer = alice.post(f"{SERVICES}check/", follow=True)
    assert "are being looked at" in answer.content.decode()
    assert_enqueued("monitoring.check_services")


def test_rules_are_shown_with_value_threshold_trend_and_runbook(bob: Client) -> None:
    anomalies_check()
    at = clock.now()
    RuleSample.objects.bulk_create(
        RuleSample(at=at - MINUTE * 20 * number, rule="disk_space", value=50 + number)
        for number in range(1, 20)
    )
    with CaptureQueriesContext(connection) as asked:
        page = text(bob, RULES)
    assert len(asked) <= 12
    assert "under 10 %" in page
    assert "ends at least 11 %" in page
    assert 'class="trend"' in page
    assert "/admin/runbook/disk_space/" in page
    assert "cooldown 15 min" in page
    assert "Switch off" not in page


def test_what_is_beyond_its_threshold_comes_first_with_its_alert(
    bob: Client, settings: object
) -> None:
    rule_change(name="disk_space", by=None, threshold=100.0)
    for number in range(2):
        with clock.shift(MINUTE * number):
            anomalies_check()
    page = text(bob, RULES)
    assert page.index('id="rule-disk_space"') < page.index('id="rule-paid_not_served"')
    assert "open <time" in page
    assert "set by system; the setting says 10 %" in page
    over = text(bob, f"{RULES}?condition=over")
    assert "rule-disk_space" in over
    assert "rule-paid_not_served" not in over
    assert "No rule is in this condition" in text(bob, f"{RULES}?condition=off")
    assert "rule-disk_space" in text(bob, f"{RULES}live/?condition=over")


def test_an_operator_changes_a_rule_and_takes_it_back(alice: Client) -> None:
    answer = alice.post(
        f"{RULES}long_transaction/change/", {"threshold": "10m", "cooldown": "1h"}, follow=True
    )
    assert "Long transactions: changed" in answer.content.decode()
    row = RuleState.objects.get(pk="long_transaction")
    assert (row.threshold, row.cooldown) == (600, timedelta(hours=1))
    assert 'value="600"' in answer.content.decode()
    alice.post(f"{RULES}long_transaction/change/", {"threshold": "", "cooldown": ""})
    row.refresh_from_db()
    assert (row.threshold, row.cooldown) == (None, None)
    assert AuditEntry.objects.filter(action="rules.change").count() == 2


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("error_rate", {"threshold": "101"}, "must be between 0 and 100"),
        ("error_rate", {"threshold": "many"}, "Enter a number"),
        ("long_transaction", {"threshold": "soon"}, "not a span of time"),
        ("error_rate", {"cooldown": "8d"}, "must be between 0 and 7 days"),
        ("none", {"threshold": "5"}, "there is no rule none"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    alice: Client, name: str, given: dict[str, str], said: str
) -> None:
    answer = alice.post(f"{RULES}{name}/change/", given, follow=True)
    assert said in answer.content.decode()
    assert not AuditEntry.objects.exists()


def test_an_operator_switches_a_rule_off_and_on(alice: Client) -> None:
    page = alice.post(f"{RULES}queue_depth/off/", follow=True).content.decode()
    assert "switched off" in page
    assert RuleState.objects.get(pk="queue_depth").is_on is False
    page = alice.post(f"{RULES}queue_depth/on/", follow=True).content.decode()
    assert "Queue depth: switched on" in page


def test_a_reader_changes_no_rule(bob: Client) -> None:
    for act in ("change", "on", "off"):
        assert bob.post(f"{RULES}queue_depth/{act}/").status_code == 403
    assert not RuleState.objects.exists()


def test_staff_without_the_permission_sees_nothing(carol: Client) -> None:
    for path in (SERVICES, RULES, f"{SERVICES}redis/change/", f"{RULES}live/"):
        assert carol.get(path).status_code == 403


def test_the_first_page_of_the_console_names_what_is_wrong(bob: Client) -> None:
    rounds(3, clock.now() - 3 * MINUTE, telegram=AWAY, redis=AWAY)
    RuleState.objects.create(name="error_rate", condition="over", since=clock.now())
    RuleState.objects.create(
        name="redis_memory", condition="unknown", since=clock.now() - timedelta(hours=1)
    )
    page = text(bob, "/admin/")
    assert "services do not answer" in page
    assert "Redis, Telegram" in page
    assert "value beyond its threshold" in page
    assert "rule cannot be measured" in page
