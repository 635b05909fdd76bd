"""Measuring all rules: each by itself, so that one that fails or is slow takes none of the others along."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, connection, transaction

from monitoring.checks.rules.rule import Reading, Rule, Unmeasurable

MOST_MS = 5_000  # of each statement

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """A reading; or none, and why: then nobody knows the value."""

    reading: Reading | None
    why: str = ""


def rules_measure(rules: Iterable[Rule]) -> dict[str, Measured]:
    """The values of now, by the name of the rule. Reads only, each statement for MOST_MS at most."""
    with transaction.atomic():
        usual = _limit(str(MOST_MS))
        found = {rule.name: _measure(rule) for rule in rules}
        _limit(usual)  # the transaction may be one of several tests
    return found


def _measure(rule: Rule) -> Measured:
    try:
        with transaction.atomic():
            return Measured(rule.measure())
    except Unmeasurable as exc:
        return Measured(None, str(exc))
    except (OperationalError, InterfaceError) as exc:
        if not connection.is_usable():
            raise  # the database is away: then nothing can be said at all
        return _broken(rule, exc, f"the database did not answer in {MOST_MS / 1000:g} s")
    except Exception as exc:  # noqa: BLE001 - a rule of ours that is broken is shown as such
        return _broken(rule, exc, f"the rule failed: {type(exc).__name__}")


def _broken(rule: Rule, exc: Exception, why: str) -> Measured:
    logger.error("the rule %s cannot be measured", rule.name, exc_info=exc)
    return Measured(None, why)


def _limit(most: str) -> str:
    """Bound the statements of this transaction. Returns what the bound was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        before: str = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [most])
    return before
