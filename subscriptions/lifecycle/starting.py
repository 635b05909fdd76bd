"""Beginning a sweep by hand."""

from jobs.audit import Account
from lib import clock
from lib.errors import Unavailable
from subscriptions.lifecycle import resetting
from subscriptions.lifecycle.kinds import sweep_kind
from subscriptions.lifecycle.sweeps import sweep_begin
from subscriptions.models import Sweep
from subscriptions.panel.door import is_on


def sweep_run_now(*, name: str, by: Account) -> Sweep | None:
    """Begin a run now, or find the one that is open. None: nobody is meant. Audited.

    The brake holds it as it holds those of the schedule. Raises SweepKindUnknown, SweepAlreadyRan (once
    a month), Unavailable (no panel).
    """
    kind = sweep_kind(name)
    if not is_on():
        raise Unavailable("there is no panel: REMNAWAVE_URL is not set")
    key = resetting.month_key(clock.now()) if name == resetting.NAME else None
    return sweep_begin(kind, key=key, by=by)
