"""Who is who: an upgrade to v3, another panel, numbers that moved. No stranger is ever bound."""

from datetime import timedelta
from typing import Any

import pytest

from lib import clock
from subscriptions.mirror import syncing
from subscriptions.mirror.hints import hint, hints_follow
from subscriptions.mirror.identity import Verdict, bind, numbers_forget, renamed_settle
from subscriptions.mirror.passes import pass_begin, pass_run
from subscriptions.mirror.reading import after
from subscriptions.mirror.rows import rows_read
from subscriptions.mirror.syncing import newcomers, sync
from subscriptions.models import Drift, MirrorPass, PanelHint, PanelState, Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelHeld
from subscriptions.panel.stored import panel_release
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.mirror.helping import known, make, never, perform, versions, whole_pass


def test_an_upgrade_to_v3_holds_writes_until_everybody_was_compared(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.dialect("2.8")
    panel.seed(150)
    assert sync(client, never)["created"] == 150
    uuids = dict(Subscriber.objects.values_list("panel_id", "panel_uuid"))
    panel.dialect("3")
    before = versions()
    with pytest.raises(PanelHeld):
        client.user_disable(7)
    assert panel.writes(user_id=7) == [] or panel.user(7)["status"] == "ACTIVE"
    found = sync(client, never)
    assert (found["seen"], found["strangers"], found["error"]) == (150, 0, "")
    state = PanelState.objects.get()
    assert (state.dialect, state.held_reason, state.is_identity_checked) == ("v3", "", True)
    assert state.released_by == "the mirror: 150 users compared"
    assert versions() == before  # comparing wrote nothing
    whole_pass(client)
    assert dict(Subscriber.objects.values_list("panel_id", "panel_uuid")) == uuids
    assert client.user_disable(7).id == 7


def test_an_upgrade_is_noticed_by_the_regular_check(panel: PanelHand, client: PanelClient) -> None:
    panel.dialect("2.7")
    panel.seed(3)
    sync(client, never)
    panel.dialect("3")
    held = perform("subscriptions.check_panel")["held"]
    assert "went from v2.7" in held
    perform("subscriptions.sync_users")
    assert PanelState.objects.get().held_reason == ""


def test_after_an_upgrade_strangers_are_bound_to_nobody(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.dialect("2.8")
    panel.seed(30)
    sync(client, never)
    Subscriber.objects.filter(panel_id=7).update(username="somebody_else")
    panel.dialect("3")
    found = sync(client, never)
    assert found["strangers"] == 1
    assert PanelState.objects.get().held_reason
    drift = Drift.objects.get()
    assert (drift.field, (drift.ours or {})["username"]) == ("identity", "somebody_else")
    with pytest.raises(PanelHeld):
        client.user_disable(8)
    # It is not compared over and over, but a person may let it go on.
    assert "error" in sync(client, never)
    assert MirrorPass.objects.filter(is_comparing=True).count() == 1
    panel_release(by="ops")
    with clock.shift(timedelta(hours=2)):
        sync(client, never)
    row = known("somebody_else")
    assert row.panel_id is None  # nothing can be written to a stranger in his name
    assert Subscriber.objects.get(panel_id=7).username != "somebody_else"


def test_another_panel_changes_nobody(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(50)
    sync(client, never)
    Subscriber.objects.extra(where=["panel_id <= 20"]).update(note="x")
    for row in Subscriber.objects.filter(panel_id__lte=20):
        row.username = f"other_{row.pk}"
        row.save(update_fields=["username"])
    before = versions()
    ended = whole_pass(client)
    assert "20 of 50 users are others than before" in ended.error
    assert versions() == before
    assert not PanelState.objects.get().is_identity_checked


def test_a_restored_panel_with_new_numbers_is_bound_by_name_and_link(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(12)
    sync(client, never)
    numbers = dict(Subscriber.objects.values_list("username", "panel_id"))
    for row in Subscriber.objects.all():
        row.panel_id = (row.panel_id or 0) + 1000
        row.save(update_fields=["panel_id"])
    assert numbers_forget(by=None) == 12
    assert numbers_forget(by=None) == 0
    whole_pass(client)
    assert dict(Subscriber.objects.values_list("username", "panel_id")) == numbers
    assert Subscriber.objects.count() == 12


def test_the_name_alone_binds_nobody(panel: PanelHand, client: PanelClient) -> None:
    panel.add(username="ivan", telegramId=5, expireInSeconds=3600)
    row = make(None, username="ivan", telegram_id=6, short_uuid="other")
    whole_pass(client)
    row.refresh_from_db()
    assert row.panel_id is None
    drift = Drift.objects.get(subscriber=row)
    assert (drift.field, (drift.theirs or {})["username"]) == ("identity", "ivan")
    before = versions()
    whole_pass(client)
    assert (versions(), Drift.objects.count()) == (before, 1)


def test_a_number_that_was_moved_among_two_is_not_taken_from_the_wrong_one(
    panel: PanelHand, client: PanelClient
) -> None:
    """Two of ours have each other's numbers: both are unbound and found again by their links."""
    panel.seed(2)
    sync(client, never)
    one, two = Subscriber.objects.order_by("panel_id")
    Subscriber.objects.filter(pk=one.pk).update(panel_id=99)
    Subscriber.objects.filter(pk=two.pk).update(panel_id=1)
    Subscriber.objects.filter(pk=one.pk).update(panel_id=2)
    whole_pass(client)
    whole_pass(client)
    assert known(one.username).panel_id == 1
    assert known(two.username).panel_id == 2


def test_a_panel_restored_from_a_backup_has_its_old_users_again(
    panel: PanelHand, client: PanelClient
) -> None:
    """Number 2 was deleted, and his name given to number 4; the backup knows only number 2."""
    panel.seed(3)
    sync(client, never)
    first = known(panel.user(2)["username"])
    row = make(4, username="later", telegram_id=1)
    Subscriber.objects.filter(pk=first.pk).update(missing_since=clock.now())
    Subscriber.objects.filter(pk=row.pk).update(username=first.username)
    whole_pass(client)
    first.refresh_from_db()
    row.refresh_from_db()
    assert (first.missing_since, first.panel_id) == (None, 2)
    assert row.missing_since is not None


def test_a_name_under_a_number_that_nobody_can_ask_about_waits(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(3)
    sync(client, never)
    old = Subscriber.objects.get(panel_id=2)
    panel.operator(2, "delete")
    panel.add(username=old.username, expireInSeconds=60)
    user = client.user(4)
    row = rows_read([2])[2]
    panel.fault(kind="status", status=503, times=1)
    assert renamed_settle(client, row, user) is Verdict.UNKNOWN
    old.refresh_from_db()
    assert old.missing_since is None
    assert renamed_settle(client, row, user) is Verdict.REPLACED
    assert known(old.username).panel_id == 4


def test_a_name_that_moved_while_another_has_its_number_is_found_again(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(3)
    sync(client, never)
    old = Subscriber.objects.get(panel_id=2)
    Subscriber.objects.filter(panel_id=3).delete()
    Subscriber.objects.filter(pk=old.pk).update(panel_id=3)  # where somebody else is
    row, user = rows_read([3])[3], client.user(2)
    assert renamed_settle(client, row, user) is Verdict.BOUND
    old.refresh_from_db()
    assert old.panel_id == 2


def test_nobody_is_given_a_number_that_another_has(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(2)
    sync(client, never)
    unbound = make(None, username="unbound")
    assert not bind(unbound.pk, client.user(1))
    unbound.refresh_from_db()
    assert unbound.panel_id is None


@pytest.mark.parametrize("is_by_webhook", [True, False])
def test_another_panel_is_noticed_by_hints_and_newcomers_too(
    panel: PanelHand, client: PanelClient, is_by_webhook: bool
) -> None:
    panel.seed(12)
    sync(client, never)
    if is_by_webhook:
        for row in Subscriber.objects.all():
            Subscriber.objects.filter(pk=row.pk).update(username=f"other_{row.pk}")
        hint(range(1, 13))
        assert hints_follow(client) == 0
        assert PanelHint.objects.count() == 12
    else:
        Subscriber.objects.filter(panel_id__gt=1).update(missing_since=clock.now())
        for row in Subscriber.objects.filter(panel_id__gt=1):
            Subscriber.objects.filter(pk=row.pk).update(username=f"other_{row.pk}")
        found = newcomers_after(client, 1)
        assert "others than before" in found["error"]
    assert not PanelState.objects.get().is_identity_checked


def newcomers_after(client: PanelClient, last_id: int) -> dict[str, Any]:
    """Newcomers as if the last that we know were another: somebody else came with them meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syncing, "after", lambda _: after(last_id))
        return newcomers(client, never)


def test_a_pass_ends_when_the_panel_is_another_in_its_middle(
    panel: PanelHand, client: PanelClient
) -> None:
    panel.seed(5)
    client.metadata()
    row = pass_begin(client)
    PanelState.objects.update(dialect="v2.8")
    ended = pass_run(client, row, never)
    assert ended is not None
    assert ended.error == "the panel changed from v3 to v2.8"
    row = pass_begin(client)
    client.contract.differs("it answers about user 3 when asked for 2", mixes_up=True)
    ended = pass_run(client, row, never)
    assert ended is not None
    assert "compared first" in ended.error
    assert not Subscriber.objects.exists()
