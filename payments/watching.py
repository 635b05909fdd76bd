"""Whether the provider's webhook still comes: if only the poll finds payments, somebody switched it off.

Crypto Pay does so itself after 17 tries in three days that found nobody (contract, section 5), and
offers no call that tells. Payments go on by the poll meanwhile, only later.
"""

from dataclasses import dataclass
from datetime import timedelta

from jobs.alerts import attention
from jobs.compiled import rows_of
from lib import clock
from payments.models import FoundBy

LATELY = timedelta(hours=1)
LEAST = 3  # payments found by the poll; fewer are chance
SHARE = 0.5  # of what was noticed without a person
_LATELY = "SELECT found_by, count(*) FROM payment WHERE completed_at >= %(since)s GROUP BY found_by"


@dataclass(frozen=True, slots=True)
class Noticed:
    """How many payments of the last hour were noticed by whom."""

    webhook: int
    poll: int

    @property
    def share(self) -> float:
        """The part that the poll found before a webhook."""
        both = self.webhook + self.poll
        return self.poll / both if both else 0.0

    @property
    def is_off(self) -> bool:
        """Whether the webhook looks as if it were switched off."""
        return self.poll >= LEAST and self.share > SHARE


def noticed_lately() -> Noticed:
    """One query over the payments of an hour."""
    counts = dict(rows_of(_LATELY, {"since": clock.now() - LATELY}))
    return Noticed(counts.get(FoundBy.WEBHOOK, 0), counts.get(FoundBy.POLL, 0))


def hook_watch() -> Noticed:
    """Tell people if the webhook seems to be off. Told again by each run; one message gathers them."""
    found = noticed_lately()
    if found.is_off:
        attention(
            group="payments.webhook_off",
            title="The webhook of Crypto Pay seems to be off",
            text=f"In the last hour {found.poll} payments were found by asking, {found.webhook} by a "
            "webhook. Look in the Crypto Pay bot under My apps, Webhooks, whether it is on and leads "
            "to /webhooks/cryptobot/.",
            severity="critical",
            link="/admin/payments/incomingwebhook/",
        )
    return found
