"""Whether Telegram may be asked now: what the breaker, the pace of the bot and the last answers say.

Both lanes that send in bulk keep one per run: the queue (drain.py) and the broadcasts.
"""

import logging
from datetime import timedelta

from jobs import breakers
from jobs.models import Breaker
from notifications.telegram import errors, governor
from notifications.telegram.alerts import token_refused
from notifications.telegram.sending import client

logger = logging.getLogger(__name__)

SERVICE_FAILURES = (errors.TelegramUnavailable, errors.OutcomeUnknown)
REFUSED_TOKEN_REST = timedelta(minutes=1)


class Availability:
    """Looks closely as long as there is doubt; an answer that fails raises the doubt again."""

    def __init__(self) -> None:
        self._in_doubt = True

    def doubt(self) -> None:
        """Look closely before the next message."""
        self._in_doubt = True

    def away(self) -> timedelta | None:
        """For how long nothing may be sent: Telegram is down, or has asked to wait. None: go on.

        Asks Telegram itself (getMe) where the breaker has chosen us to.
        """
        down = breakers.wait_for("telegram")
        if down is None and self._in_doubt:
            if Breaker.objects.filter(name="telegram", state=Breaker.State.HALF_OPEN).exists():
                down = self._probe()
            down = down or governor.paused_for()
            self._in_doubt = down is not None
        return down

    def learn(self, exc: errors.TelegramError | None, *, has_answered: bool) -> None:
        """Tell breaker and pace what came of a message. has_answered: Telegram said something to it."""
        if isinstance(exc, SERVICE_FAILURES):
            self._in_doubt = True
            breakers.record_failure("telegram", str(exc))
        elif has_answered:
            breakers.record_success("telegram")
        if isinstance(exc, errors.RateLimited):
            self._in_doubt = True
            governor.pause(exc.retry_after)
        elif isinstance(exc, errors.BotUnauthorized):
            self._in_doubt = True
            governor.pause(REFUSED_TOKEN_REST, is_asked=False)
            token_refused(str(exc))

    @staticmethod
    def _probe() -> timedelta | None:
        """Is Telegram back? The breaker has chosen us to ask."""
        try:
            client().get_me()
        except SERVICE_FAILURES as exc:
            breakers.record_failure("telegram", str(exc))
            return breakers.wait_for("telegram")
        except errors.TelegramError as exc:
            logger.info("telegram answers again: %s", exc)
        breakers.record_success("telegram")
        return None
