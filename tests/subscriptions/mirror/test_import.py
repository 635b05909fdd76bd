"""The first pass and those after it: everybody once, only what differs, from any page on."""

from datetime import timedelta
from typing import Any

import pytest

from jobs import sql
from lib import clock
from subscriptions.mirror import passes, reading, syncing
from subscriptions.mirror.applying import users_apply
from subscriptions.mirror.owners import columns_of
from subscriptions.mirror.passes import pass_begin, pass_run
from subscriptions.mirror.syncing import newcomers, sync
from subscriptions.models import CutBy, MirrorPass, Subscriber, SubscriberEvent
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelAway
from tests.panels import TOKEN
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.mirror.conftest import UseZone
from tests.subscriptions.mirror.helping import known, never, story, versions, whole_pass

EVERY_STATUS = {"disabled_share": 0.2, "limited_share": 0.3, "expires_from_s": -20 * 86400.0}


@pytest.mark.parametrize("version", ["3", "2.8", "2.7"])
def test_a_pass_brings_everybody_as_the_panel_has_them(
    panel: PanelHand, client: PanelClient, version: str
) -> None:
    panel.dialect(version)
    panel.seed(1100, **EVERY_STATUS)
    ended = whole_pass(client)
    assert (ended.seen, ended.created, ended.error) == (1100, 1100, "")
    assert Subscriber.objects.count() == 1100
    assert set(Subscriber.objects.values_list("status", flat=True)) == {
        "ACTIVE", "DISABLED", "LIMITED", "EXPIRED",
    }  # fmt: skip
    for panel_id in (1, 1000, 1001, 1100):
        user = client.user(panel_id)
        row = Subscriber.objects.get(panel_id=panel_id)
        assert {name: getattr(row, name) for name in columns_of(user)} == columns_of(user)
    has_uuids = Subscriber.objects.filter(panel_uuid__isnull=False).count()
    assert has_uuids == (0 if version == "3" else 1100)


def test_an_import_tells_no_stories_but_a_newcomer_has_one(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(3)
    whole_pass(client)
    assert not SubscriberEvent.objects.exists()
    newcomer = panel.add(username="newcomer", expireInSeconds=3600)
    assert newcomers(client, never) == {"created": 1}
    assert story("newcomer") == ["panel_appeared"]
    assert known("newcomer").panel_id == newcomer["id"]


@pytest.mark.parametrize("version", ["3", "2.7"])
@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/New_York"])
def test_a_second_pass_writes_nothing(
    panel: PanelHand,
    client: PanelClient,
    version: str,
    zone: str,
    use_zone: UseZone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passes, "chunk_read", _small_chunks)
    panel.dialect(version)
    panel.seed(35, **EVERY_STATUS)
    # The hour that New York had twice, and the one that it never had.
    panel.change(1, expireAt="2026-11-01T05:30:00.000Z")
    panel.change(2, expireAt="2026-03-08T07:30:00.000Z")
    with use_zone(zone):
        assert sql.rows("SHOW TimeZone") == [(zone,)]
        whole_pass(client)
        before = versions()
        ended = whole_pass(client)
        assert (ended.created, ended.changed, ended.missing) == (0, 0, 0)
        assert versions() == before
    assert not SubscriberEvent.objects.exists()


def test_only_who_changed_is_written(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(30, **EVERY_STATUS)
    whole_pass(client)
    before = versions()
    panel.change(7, tag="VIP", telegramId=77)
    ended = whole_pass(client)
    assert ended.changed == 1
    row = Subscriber.objects.get(panel_id=7)
    assert (row.tag, row.telegram_id) == ("VIP", 77)
    after = versions()
    assert [row_id for row_id in after if after[row_id] != before[row_id]] == [row.pk]
    assert story(row.username) == ["panel_edited"]


def test_a_pass_goes_on_where_it_was_stopped(
    panel: PanelHand, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "chunk_read", _small_chunks)
    panel.seed(25)
    client.metadata()
    row = pass_begin(client)
    assert pass_run(client, row, lambda: True) is None
    again = MirrorPass.objects.get(finished_at=None)
    assert (again.seen, again.created, Subscriber.objects.count()) == (10, 10, 10)
    ended = pass_run(client, again, never)
    assert ended is not None
    assert (ended.seen, ended.created, Subscriber.objects.count()) == (25, 25, 25)


def _small_chunks(client: PanelClient, mark: reading.Mark) -> reading.Chunk:
    return reading.chunk_read(client, mark, size=10)


def test_a_panel_that_fails_in_the_middle_costs_one_page(
    panel: PanelHand, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "chunk_read", _small_chunks)
    panel.seed(25)
    client.metadata()
    row = pass_begin(client)
    assert pass_run(client, row, lambda: True) is None
    panel.fault(kind="status", status=503, times=1)
    with pytest.raises(PanelAway):
        pass_run(client, row, never)
    ended = pass_run(client, MirrorPass.objects.get(finished_at=None), never)
    assert ended is not None
    assert (ended.created, Subscriber.objects.count()) == (25, 25)


def test_who_is_deleted_while_v27_is_read_makes_nobody_be_missed(
    panel: PanelHand, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offset pages shift towards the start; without the overlap somebody would be skipped."""
    panel.dialect("2.7")
    panel.seed(40)
    monkeypatch.setattr(reading, "OVERLAP", 2)

    def chunk(client: PanelClient, mark: reading.Mark) -> reading.Chunk:
        found = reading.chunk_read(client, mark, size=10)
        if mark.last_id == 0:
            for panel_id in range(1, 9):
                panel.operator(panel_id, "delete")
        return found

    monkeypatch.setattr(passes, "chunk_read", chunk)
    client.metadata()
    pass_run(client, pass_begin(client), never)
    ids = set(Subscriber.objects.values_list("panel_id", flat=True))
    assert ids >= set(range(9, 41))


def test_what_was_read_too_early_does_not_overwrite_what_is_newer(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(1)
    early = reading.chunk_read(client, reading.Mark())
    with clock.shift(timedelta(seconds=5)):
        whole_pass(client)
    panel.operator(1, "disable")
    with clock.shift(timedelta(seconds=10)):
        whole_pass(client)
    users_apply(early.users, early.read_at)
    assert Subscriber.objects.get().status == "DISABLED"


def test_a_run_makes_a_pass_when_one_is_due_and_else_looks_for_newcomers(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(5)
    assert sync(client, never)["created"] == 5
    panel.change(2, tag="LATER")
    panel.add(username="sixth", expireInSeconds=60)
    assert sync(client, never) == {"created": 1}
    assert Subscriber.objects.get(panel_id=2).tag != "LATER"
    with clock.shift(timedelta(hours=2)):
        assert sync(client, never)["changed"] == 1
    assert Subscriber.objects.get(panel_id=2).tag == "LATER"


def test_one_pass_at_a_time(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(5)
    client.metadata()
    pass_begin(client)
    assert sync(client, never)["created"] == 5
    assert MirrorPass.objects.count() == 1


def test_what_only_we_know_is_never_touched(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(1)
    whole_pass(client)
    Subscriber.objects.update(note="calls at night", auto_renew=True, language="ru")
    panel.change(1, tag="NEW", description="other")
    whole_pass(client)
    row = Subscriber.objects.get()
    assert (row.note, row.auto_renew, row.language, row.tag) == (
        "calls at night",
        True,
        "ru",
        "NEW",
    )


def test_somebody_whom_the_panel_disabled_was_cut_by_somebody_there(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(1)
    whole_pass(client)
    panel.operator(1, "disable")
    whole_pass(client)
    row = Subscriber.objects.get()
    assert (row.status, row.cut_by) == ("DISABLED", CutBy.PANEL)
    panel.operator(1, "enable")
    whole_pass(client)
    row = Subscriber.objects.get()
    assert (row.status, row.cut_by, row.cut_at) == ("ACTIVE", CutBy.NOBODY, None)
    assert story(row.username) == ["panel_disabled", "panel_active"]


def test_a_token_without_the_scope_for_figures_still_mirrors(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.token(TOKEN, "ok", ["users:read", "metadata:read"])
    panel.seed(3)
    assert whole_pass(client).created == 3
    assert MirrorPass.objects.get().total is None


def test_newcomers_come_page_by_page(
    panel: PanelHand, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "chunk_read", _small_chunks)
    panel.seed(3)
    whole_pass(client)
    panel.seed(25, prefix="later_")
    assert newcomers(client, lambda: True) == {"more": True, "created": 10}
    assert newcomers(client, never) == {"created": 15}
    panel.dialect("2.7")
    client.metadata()
    assert newcomers(client, never) == {"created": 0}


def test_a_page_and_the_place_of_the_next_are_written_together_or_not_at_all(
    panel: PanelHand, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed between the two would read a page twice or never."""
    monkeypatch.setattr(passes, "chunk_read", _small_chunks)
    panel.seed(25)
    client.metadata()
    row = pass_begin(client)
    save, saved = MirrorPass.save, 0

    def die_at_the_second(self: MirrorPass, *args: Any, **options: Any) -> None:
        nonlocal saved
        saved += 1
        if saved == 2:
            raise ConnectionError("killed")
        save(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(MirrorPass, "save", die_at_the_second)
        with pytest.raises(ConnectionError):
            pass_run(client, row, never)
    assert Subscriber.objects.count() == 10
    again = MirrorPass.objects.get(finished_at=None)
    assert again.seen == 10
    ended = pass_run(client, again, never)
    assert ended is not None
    assert (ended.seen, ended.created, Subscriber.objects.count()) == (25, 25, 25)
