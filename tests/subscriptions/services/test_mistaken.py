"""Acts of staff that must not hit the wrong person, nor be done twice for want of an answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jobs.models import AuditEntry
from subscriptions import services
from subscriptions.errors import OutcomeUnknown, SubscriberIsAnother
from subscriptions.models import Subscriber
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import ends_of, person_make

ACTS: list[tuple[Callable[..., Subscriber], dict[str, Any]]] = [
    (services.subscriber_extend, {"days": 7}),
    (services.subscriber_enable, {}),
    (services.subscriber_disable, {"reason": "abuse"}),
    (services.subscriber_reset_traffic, {}),
]


@pytest.mark.parametrize(("act", "given"), ACTS, ids=lambda each: getattr(each, "__name__", ""))
def test_nothing_is_done_to_another_person_under_the_number(
    panel: PanelHand, db: None, act: Callable[..., Subscriber], given: dict[str, Any]
) -> None:
    """business.md F12: a panel that was restored from a backup gives numbers anew."""
    ours, other = person_make(panel), person_make(panel)
    number = other.panel_id
    other.delete()
    Subscriber.objects.filter(pk=ours.pk).update(panel_id=number)
    before = panel.user(number or 0)
    with pytest.raises(SubscriberIsAnother):
        act(subscriber_id=ours.pk, by=None, **given)
    assert panel.user(number or 0) == before
    assert not AuditEntry.objects.filter(object_id=str(ours.pk)).exists()
    ours.refresh_from_db()
    assert ours.username != before["username"]


def test_an_extension_that_nobody_can_look_up_is_not_called_undone(
    panel: PanelHand, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = person_make(panel, ends_in=timedelta(days=3))
    panel.fault(kind="cut_after", method="users.update", times=1)
    real = services._sure

    def sure(*given: Any) -> Any:
        panel.fault(kind="status", status=503, method="users.get")
        return real(*given)

    monkeypatch.setattr(services, "_sure", sure)
    with pytest.raises(OutcomeUnknown, match="look at the subscriber before you do it again"):
        services.subscriber_extend(subscriber_id=person.pk, days=7, by=None)
    panel.clear_faults()
    assert ends_of(panel, person) == person.expire_at + timedelta(days=7)
