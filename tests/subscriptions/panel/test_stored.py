"""What all processes know of the panel: one row, one alert, writes that wait."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from jobs.alerts import attention_needed
from lib import clock
from subscriptions.models import PanelState
from subscriptions.panel import errors
from subscriptions.panel.contract import FRESH_S
from subscriptions.panel.dialects import Dialect, version_read
from subscriptions.panel.stored import StoredContract, panel_release
from tests.subscriptions.panel import bodies
from tests.subscriptions.panel.stage import Stage


@pytest.fixture
def alerts() -> Iterator[list[str]]:
    """The texts of what was announced as needing a person."""
    told: list[str] = []

    def hear(sender: Any, text: str, **more: Any) -> None:
        told.append(text)

    attention_needed.connect(hear)
    yield told
    attention_needed.disconnect(hear)


def test_nothing_is_known_of_a_panel_that_nobody_has_asked() -> None:
    contract = StoredContract()
    assert (contract.dialect(), contract.held()) == (None, None)


def test_what_one_process_learned_the_others_know(alerts: list[str]) -> None:
    StoredContract().learn(version_read("3.3.2"))
    assert StoredContract().dialect() is Dialect.V3
    assert StoredContract().held() is None
    assert alerts == []


def test_the_dialect_is_asked_for_again_after_a_while() -> None:
    StoredContract().learn(version_read("3.3.2"))
    with clock.shift(timedelta(seconds=FRESH_S + 1)):
        assert StoredContract().dialect() is None


def test_a_process_looks_once_a_second_at_most(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    StoredContract().learn(version_read("3.3.2"))
    contract = StoredContract()
    with django_assert_num_queries(1):
        for _ in range(5):
            contract.dialect()
            contract.held()


def test_an_upgrade_to_v3_holds_all_writes_until_the_users_are_compared(
    alerts: list[str],
) -> None:
    StoredContract().learn(version_read("2.8.1"))
    StoredContract().learn(version_read("3.3.2"))
    StoredContract().learn(version_read("3.3.2"))
    held = StoredContract().held()
    assert held is not None
    assert "went from v2.8 to version 3.3.2" in held
    assert not PanelState.objects.get().is_identity_checked
    assert len(alerts) == 1


def test_an_upgrade_within_v2_keeps_the_keys() -> None:
    StoredContract().learn(version_read("2.7.4"))
    StoredContract().learn(version_read("2.8.1"))
    assert PanelState.objects.get().is_identity_checked
    assert StoredContract().held() is not None


def test_a_panel_that_we_do_not_know_holds_writes(alerts: list[str]) -> None:
    StoredContract().learn(version_read("3.3.2"))
    StoredContract().learn(version_read("4.0.0"))
    held = StoredContract().held()
    assert held is not None
    assert "4.0.0" in held
    assert PanelState.objects.get().dialect == "v3"  # as it was last understood
    assert len(alerts) == 1


def test_the_first_difference_is_told_and_no_other(alerts: list[str]) -> None:
    StoredContract().differs("user.expireAt is missing")
    StoredContract().differs("user.tag is missing")
    assert StoredContract().held() == "user.expireAt is missing"
    assert len(alerts) == 1
    assert "user.expireAt" in alerts[0]


def test_writes_go_on_after_a_release_and_a_second_release_changes_nothing() -> None:
    contract = StoredContract()
    contract.differs("user.expireAt is missing")
    assert (panel_release(by="ops"), panel_release(by="ops")) == (True, False)
    row = PanelState.objects.get()
    assert (row.held_reason, row.held_at, row.released_by) == ("", None, "ops")
    assert StoredContract().held() is None


def test_a_forced_dialect_beats_the_version() -> None:
    contract = StoredContract(Dialect.V3)
    contract.learn(version_read("4.0.0"))
    assert (contract.dialect(), contract.held()) == (Dialect.V3, None)


def test_a_client_of_another_process_does_not_write_while_it_is_held(stage: Stage) -> None:
    reader, writer = (stage.client(contract=StoredContract()) for _ in range(2))
    stage.say({"id": 1})
    with pytest.raises(errors.PanelHeld):
        reader.user(1)
    with pytest.raises(errors.PanelHeld):
        writer.user_disable(1)
    assert [each.method for each in stage.asked] == ["GET"]
    panel_release(by="ops")
    stage.say(bodies.user(id=1))
    assert stage.client(contract=StoredContract()).user_disable(1).id == 1
