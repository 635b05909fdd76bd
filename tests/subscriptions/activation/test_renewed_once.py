"""Auto-renewal beside itself: one invoice, and one line of the story that says so."""

from subscriptions.activation.renewals import Tally, renewal_make
from subscriptions.models import SubscriberEvent
from tests.subscriptions.buyers import plan_make, row_make


def test_a_second_run_tells_no_second_invoice(db: None) -> None:
    person = row_make(1, plan=plan_make(), auto_renew=True)
    tally = Tally()
    for _ in range(2):
        renewal_make(person.pk, person.expire_at, tally)
    assert (tally.invoiced, tally.again, tally.skipped) == (1, 0, 0)
    assert SubscriberEvent.objects.filter(kind="renewal_invoiced").count() == 1


def test_a_second_run_says_no_second_time_why_there_is_none(db: None) -> None:
    person = row_make(1, auto_renew=True)
    tally = Tally()
    for _ in range(2):
        renewal_make(person.pk, person.expire_at, tally)
    assert (tally.invoiced, tally.again, tally.skipped) == (0, 0, 1)
    assert SubscriberEvent.objects.filter(kind="renewal_skipped").count() == 1
