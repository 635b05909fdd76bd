"""What each kind of operation asks for, whom it leaves alone, and what can be taken back.

Whom it leaves alone is said in SQL over the row `s` of subscriber, so that a preview of a million is one
statement. It is decided again by what the panel answers before anybody is touched.
"""

from collections.abc import Mapping
from typing import Any

from subscriptions.bulk.errors import ParamsInvalid
from subscriptions.models import BulkKind

DAYS_MOST = 3650

# reason -> words. Stored in items, so never renamed.
REASONS: dict[str, str] = {
    "unknown": "nobody of this name is known",
    "missing": "is gone from the panel",
    "other_person": "the panel has another person under this number",
    "already_disabled": "is disabled already",
    "already_enabled": "is active already",
    "expired": "has expired, so extend instead",
    "not_served": "has expired: the panel does not serve them anyway",
    "cancelled": "the operation was cancelled before",
    "changed_since": "was changed by somebody else since",
    "refused": "the panel refused",
    "not_confirmed": "the panel said yes, but nothing changed",
    "away": "the panel did not answer",
    "unsure": "nobody knows whether the panel did it",
    "gave_up": "the operation gave up",
    "invalid_line": "the line cannot be used",
    "name_taken": "the name is taken by somebody else",
}

_MISSING = "WHEN s.missing_since IS NOT NULL OR s.panel_id IS NULL THEN 'missing'"
_SKIPPED = {
    BulkKind.DISABLE: (
        "WHEN s.status = 'DISABLED' THEN 'already_disabled'"
        # actions/disable would turn EXPIRED into DISABLED, which paying does not bring back.
        " WHEN s.status = 'EXPIRED' THEN 'not_served'"
    ),
    BulkKind.ENABLE: (
        "WHEN s.status = 'ACTIVE' THEN 'already_enabled' WHEN s.expire_at <= %(now)s THEN 'expired'"
    ),
    BulkKind.RESET_TRAFFIC: "",
    BulkKind.EXTEND: "",
    BulkKind.DELETE: "",
}
UNDO = {BulkKind.DISABLE: BulkKind.ENABLE, BulkKind.ENABLE: BulkKind.DISABLE}
UNDOABLE = frozenset({BulkKind.DISABLE, BulkKind.ENABLE, BulkKind.EXTEND})


def skip_sql(kind: BulkKind) -> str:
    """An expression over `s` and %(now)s: why a subscriber is left alone, '' if not."""
    return f"CASE {_MISSING} {_SKIPPED[kind]} ELSE '' END"


def params_check(kind: BulkKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in their normal form. Raises ParamsInvalid."""
    known = (
        {"days"} if kind is BulkKind.EXTEND else {"reason"} if kind is BulkKind.DISABLE else set()
    )
    if strange := sorted(set(given) - known):
        raise ParamsInvalid(f"{kind.value} takes no {strange[0]}")
    if kind is BulkKind.EXTEND:
        days = given.get("days")
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= DAYS_MOST:
            why = f"must be a whole number from 1 to {DAYS_MOST}"
            raise ParamsInvalid(f"days {why}", errors=[{"field": "params.days", "message": why}])
        return {"days": days}
    reason = given.get("reason")
    if reason in (None, ""):
        return {}
    if not isinstance(reason, str) or len(reason) > 200 or "\x00" in reason:
        raise ParamsInvalid("reason must be a text of up to 200 characters")
    return {"reason": reason.strip()}


def say_kind(kind: str, params: Mapping[str, Any]) -> str:
    """What is done, for people: "Extend by 30 days"."""
    if kind == BulkKind.EXTEND:
        days = params.get("days")
        return f"Extend by {days} day{'' if days == 1 else 's'}"
    return BulkKind(kind).label.capitalize()
