"""Alerts about services."""

from django.db.models import QuerySet

from monitoring.alerts.models import Alert
from monitoring.alerts.services import alert_raise
from tests.monitoring.checks.conftest import AT, AWAY, MINUTE, REFUSED, record, rounds


def open_alerts() -> QuerySet[Alert]:
    return Alert.objects.filter(resolved_at=None)


def test_two_failures_tell_nobody() -> None:
    rounds(2, telegram=AWAY)
    assert not Alert.objects.exists()


def test_three_failures_make_one_critical_alert_until_it_answers() -> None:
    after = rounds(6, telegram=AWAY)
    alert = Alert.objects.get()
    assert (alert.rule, alert.key, alert.severity) == ("service_down", "telegram", "critical")
    assert alert.title == "Telegram does not answer"
    assert "connection refused" in alert.text
    assert (alert.runbook, alert.source) == ("service_down", "monitoring.check_services")
    assert alert.link == "/admin/checks/servicecheck/telegram/change/"
    record(after)
    alert.refresh_from_db()
    assert alert.resolved_at == after
    assert "answers again" in alert.note
    rounds(3, after + MINUTE, telegram=AWAY)
    assert Alert.objects.count() == 2
    assert open_alerts().count() == 1


def test_the_panel_has_a_rule_of_its_own_which_explains_its_servers() -> None:
    rounds(3, remnawave=AWAY)
    alert = Alert.objects.get()
    assert (alert.rule, alert.key) == ("panel_unreachable", "remnawave")
    node = alert_raise(
        rule="node_offline", key="a", severity="critical", title="a is offline",
        parent=("panel_unreachable", "remnawave"),
    )  # fmt: skip
    assert node.parent == alert


def test_our_uplink_hides_what_lies_outside_and_nothing_of_ours() -> None:
    rounds(3, uplink=AWAY, telegram=AWAY, remnawave=AWAY, cryptobot=AWAY, redis=AWAY)
    uplink = Alert.objects.get(rule="uplink_down")
    hidden = set(open_alerts().filter(parent=uplink).values_list("key", flat=True))
    assert hidden == {"telegram", "remnawave", "cryptobot"}
    assert Alert.objects.get(key="redis").parent is None


def test_while_the_uplink_is_in_doubt_nothing_new_is_told_of_what_lies_behind_it() -> None:
    record(AT, telegram=AWAY, redis=AWAY)
    after = rounds(2, AT + MINUTE, uplink=AWAY, telegram=AWAY, redis=AWAY)
    assert set(open_alerts().values_list("key", flat=True)) == {"redis"}
    record(after, uplink=AWAY, telegram=AWAY, redis=AWAY)
    uplink = Alert.objects.get(rule="uplink_down")
    assert Alert.objects.get(key="telegram").parent == uplink


def test_a_doubt_that_passes_holds_nothing_back() -> None:
    record(AT, telegram=AWAY)
    after = rounds(2, AT + MINUTE, uplink=AWAY, telegram=AWAY)
    assert not open_alerts().exists()
    record(after, telegram=AWAY)
    assert open_alerts().get().key == "telegram"


def test_what_the_uplink_hid_is_open_when_it_works_again() -> None:
    after = rounds(3, uplink=AWAY, telegram=AWAY)
    record(after, telegram=AWAY)
    assert open_alerts().get().key == "telegram"


def test_a_refused_token_is_told_once_by_whoever_was_first() -> None:
    told = alert_raise(
        rule="attention", key="cryptobot.token", severity="critical", title="Crypto Pay refuses us"
    )
    rounds(3, cryptobot=REFUSED)
    alert = Alert.objects.get(rule="service_down")
    assert alert.title == "Crypto Pay refuses our token"
    assert alert.parent == told


def test_a_service_that_is_not_configured_has_no_alert_and_ends_the_one_it_had() -> None:
    after = rounds(3, telegram=AWAY)
    record(after, telegram=None)
    alert = Alert.objects.get()
    assert alert.resolved_at is not None
    assert "TELEGRAM_BOT_TOKEN is not set" in alert.note
    rounds(5, after + MINUTE, telegram=None)
    assert not open_alerts().exists()


def test_services_that_fail_at_once_have_an_alert_each() -> None:
    rounds(4, telegram=AWAY, redis=AWAY, remnawave=AWAY, postgres=AWAY)
    keys = sorted(Alert.objects.values_list("key", flat=True))
    assert keys == ["postgres", "redis", "remnawave", "telegram"]


def test_a_service_that_comes_and_goes_has_one_alert_until_it_is_steady() -> None:
    """Three bad looks and a good one, all night, were an alert and its end every four minutes."""
    after = AT
    for _ in range(30):
        record(rounds(3, after, cryptobot=AWAY))
        after += 4 * MINUTE
    told = Alert.objects.filter(key="cryptobot")
    assert told.count() == 3
    assert open_alerts().count() == 1
    rounds(8, after)  # the last failure was two minutes before
    assert open_alerts().count() == 1
    record(after + 8 * MINUTE)
    assert not open_alerts().exists()


def test_one_outage_ends_with_the_first_answer_however_often_it_failed_an_hour_ago() -> None:
    after = AT
    for _ in range(2):
        record(rounds(3, after, cryptobot=AWAY))
        after += 4 * MINUTE
    later = AT + 2 * 60 * MINUTE
    record(rounds(3, later, cryptobot=AWAY))
    assert not open_alerts().exists()
