"""A comparison, and those whom it is about."""

from jobs.models import Job, UniqueKey
from jobs.testing import drain, job_perform
from subscriptions.access.selectors import gaps_query
from subscriptions.models import Activation, Subscriber
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import paid, person_make


def compare() -> dict[str, int]:
    outcome = job_perform("payments.reconcile_access")
    result: dict[str, int] = getattr(outcome, "result")  # noqa: B009
    return result


def open_kinds() -> list[str]:
    return list(gaps_query().values_list("kind", flat=True))


def jobs_lose() -> None:
    """As if somebody had put them away by hand."""
    Job.objects.all().delete()
    UniqueKey.objects.all().delete()


def served(panel: PanelHand) -> tuple[Subscriber, Activation]:
    person = person_make(panel)
    activation = paid(person)
    drain()
    person.refresh_from_db()
    activation.refresh_from_db()
    return person, activation
