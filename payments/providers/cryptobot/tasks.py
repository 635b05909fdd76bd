"""The job that looks after our app at Crypto Pay."""

from jobs.ladders import Delays
from jobs.outcomes import Outcome, Snooze
from jobs.registry import job
from payments.providers.cryptobot.checking import provider_check
from payments.providers.cryptobot.errors import CryptoPayBusy


@job(
    "payments.check_provider",
    queue="notifications",
    every="30m",
    immediate=True,
    single=True,
    retry=Delays("1m 5m"),
)
def check_provider() -> Outcome | dict[str, str | int]:
    """Ask whether the token of Crypto Pay is accepted, and of which network it is."""
    try:
        return provider_check()
    except CryptoPayBusy as exc:
        if exc.retry_after is None:
            raise
        return Snooze(exc.retry_after, "Crypto Pay asks to wait")
