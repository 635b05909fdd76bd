"""The form by which people log in. Whoever guesses passwords is made to wait.

Failed tries are counted in Redis for all web processes: of one name from one address, of one address
(many names), and of one name (many addresses). A try that is refused unseen is not counted, so that a wait
ends by itself. Without Redis nothing is counted: we would rather let people in.
"""

import logging
import math
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from config.api.throttling import Quota, spend

if TYPE_CHECKING:  # unfold brings no types, and its form is Django's with other classes
    from django.contrib.admin.forms import AdminAuthenticationForm as ThemedLoginForm
else:
    from unfold.forms import AuthenticationForm as ThemedLoginForm

# (what is counted, failed tries, seconds)
LIMITS = (("name-address", 5, 300), ("address", 30, 900), ("name", 100, 3600))

logger = logging.getLogger("switchboard.login")


class LoginForm(ThemedLoginForm):
    """unfold's form with a limit to failed tries."""

    def clean(self) -> dict[str, Any]:
        """Refuse for a while after too many failed tries, without looking at the password."""
        quotas = list(self._quotas())
        if (wait_s := _wait_s(quotas)) is not None:
            minutes = max(1, math.ceil(wait_s / 60))
            raise ValidationError(
                f"Too many failed tries. Wait {minutes} minute{'' if minutes == 1 else 's'}.",
                code="too_many_tries",
            )
        try:
            return super().clean()
        except ValidationError:
            for quota in quotas:
                spend(quota, 1)
            logger.warning("a login failed", extra={"address": self._address()})
            raise

    def _quotas(self) -> list[Quota]:
        name, address = str(self.cleaned_data.get("username", "")).casefold(), self._address()
        of = {"name-address": f"{address}:{name}", "address": address, "name": name}
        return [Quota(f"throttle:login:{what}:{of[what]}", most, s) for what, most, s in LIMITS]

    def _address(self) -> str:
        return self.request.META.get("REMOTE_ADDR") or "unknown" if self.request else "unknown"


def _wait_s(quotas: list[Quota]) -> float | None:
    """Seconds to wait, or None if a try is allowed."""
    waits = []
    for quota in quotas:
        used, elapsed = spend(quota, 0)
        if used >= quota.limit:
            waits.append(quota.period_s - elapsed)
    return max(waits, default=None)
