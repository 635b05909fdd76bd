"""What Prometheus reads of money to access."""

from collections.abc import Iterable
from datetime import timedelta

from jobs.testing import drain
from lib import clock
from lib.now import Attention
from lib.now import Found as Things
from subscriptions.access import attention
from subscriptions.access.gaps import Found, GapKind, gaps_open
from subscriptions.access.metrics import collect
from subscriptions.models import AccessLatency
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import order_open, paid, person_make, row_make


def sample(name: str, **labels: str) -> float:
    return next(
        each.value
        for metric in collect()
        for each in metric.samples
        if each.name == name and each.labels == labels
    )


def test_how_long_access_took_is_a_histogram_that_only_grows(panel: PanelHand, db: None) -> None:
    paid(person_make(panel))
    drain()
    paid(person_make(panel))
    with clock.shift(timedelta(seconds=100)):
        drain()
    assert sample("paid_to_access_seconds_count") == 2
    assert sample("paid_to_access_seconds_bucket", le="30") == 1
    assert sample("paid_to_access_seconds_bucket", le="120") == 2
    assert sample("paid_to_access_seconds_bucket", le="+Inf") == 2
    assert 100 < sample("paid_to_access_seconds_sum") < 110
    assert AccessLatency.objects.count() == 2


def test_a_payment_that_took_longer_than_a_day_is_in_the_open_bucket(
    panel: PanelHand, db: None
) -> None:
    paid(person_make(panel))
    with clock.shift(timedelta(days=2)):
        drain()
    assert sample("paid_to_access_seconds_bucket", le="86400") == 0
    assert sample("paid_to_access_seconds_bucket", le="+Inf") == 1


def test_open_gaps_and_their_age_are_told(db: None) -> None:
    payment = order_open(row_make(1))
    gaps_open([Found(payment.pk, GapKind.OFF)])
    with clock.shift(timedelta(minutes=5)):
        assert sample("access_gaps_open", kind="off") == 1
        assert sample("access_gaps_open", kind="short") == 0
        assert 299 < sample("access_gap_oldest_seconds") < 330


def test_activations_that_wait_are_told_by_state(db: None) -> None:
    paid(row_make(1))
    assert sample("activations_waiting", state="pending") == 1
    assert sample("activations_waiting", state="held") == 0


def _listed(found: Things) -> list[Attention]:
    assert isinstance(found, Iterable)
    return list(found)


def test_gaps_stand_on_the_first_page(db: None) -> None:
    payment = order_open(row_make(1))
    gaps_open([Found(payment.pk, GapKind.HELD), Found(payment.pk, GapKind.OFF)])
    serious, held = _listed(attention.open_gaps())
    assert (serious.count, held.count) == (1, 1)
    assert serious.severity > held.severity
