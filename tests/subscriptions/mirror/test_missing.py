"""Who is gone from the panel: asked for one by one, and nobody when it are unusually many."""

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.alerts import attention_needed
from subscriptions.mirror.passes import pass_begin, pass_run
from subscriptions.models import MirrorPass, Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelAway
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.mirror.helping import known, never, story, versions, whole_pass


@pytest.fixture
def alerts() -> Iterator[list[str]]:
    told: list[str] = []

    def hear(sender: Any, title: str, **more: Any) -> None:
        told.append(title)

    attention_needed.connect(hear)
    yield told
    attention_needed.disconnect(hear)


def gone() -> list[int | None]:
    found = Subscriber.objects.filter(missing_since__isnull=False).order_by("panel_id")
    return list(found.values_list("panel_id", flat=True))


def test_who_was_deleted_is_marked_after_the_panel_said_so(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(30)
    whole_pass(client)
    for panel_id in (1, 15, 30):
        panel.operator(panel_id, "delete")
    ended = whole_pass(client)
    assert (ended.missing, ended.error) == (3, "")
    assert gone() == [1, 15, 30]
    before = versions()
    assert whole_pass(client).missing == 0
    assert versions() == before


def test_unusually_many_are_marked_by_nobody(
    panel: PanelHand, client: PanelClient, alerts: list[str]
) -> None:
    panel.seed(60)
    whole_pass(client)
    for panel_id in range(1, 31):
        panel.operator(panel_id, "delete")
    ended = whole_pass(client)
    assert "30 of ours are not among the 30 users" in ended.error
    assert gone() == []
    assert alerts == ["The panel lacks unusually many users"]


def test_a_panel_that_fails_while_it_is_asked_marks_nobody(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(10)
    whole_pass(client)
    panel.operator(4, "delete")
    client.metadata()
    row = pass_begin(client)
    assert pass_run(client, row, lambda: True) is None  # walked; one is a suspect
    assert row.suspects == [4]
    panel.fault(kind="status", status=503, times=1)
    with pytest.raises(PanelAway):
        pass_run(client, row, never)
    assert gone() == []
    ended = pass_run(client, MirrorPass.objects.get(finished_at=None), never)
    assert ended is not None
    assert gone() == [4]


def test_who_comes_back_is_known_again(panel: PanelHand, client: PanelClient) -> None:
    """Somebody was taken for gone by mistake of a person, or the panel was restored."""
    panel.seed(3)
    whole_pass(client)
    Subscriber.objects.filter(panel_id=2).update(missing_since="2026-01-01T00:00:00Z")
    whole_pass(client)
    row = Subscriber.objects.get(panel_id=2)
    assert row.missing_since is None
    assert story(row.username) == ["panel_back"]


def test_a_freed_name_given_to_somebody_else_makes_a_new_subscriber(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(3)
    whole_pass(client)
    old = Subscriber.objects.get(panel_id=2)
    panel.operator(2, "delete")
    new = panel.add(username=old.username, telegramId=999, expireInSeconds=86_400)
    whole_pass(client)
    old.refresh_from_db()
    assert old.missing_since is not None
    assert known(old.username).panel_id == new["id"]
    assert known(old.username).pk != old.pk


def test_somebody_who_was_made_anew_keeps_his_story(panel: PanelHand, client: PanelClient) -> None:
    """The same name and the same Telegram account: the operator deleted him and made him again."""
    panel.seed(3)
    whole_pass(client)
    old = Subscriber.objects.get(panel_id=2)
    panel.operator(2, "delete")
    new = panel.add(username=old.username, telegramId=old.telegram_id, expireInSeconds=86_400)
    whole_pass(client)
    old.refresh_from_db()
    assert (old.panel_id, old.missing_since) == (new["id"], None)
    assert story(old.username) == ["panel_bound"]
