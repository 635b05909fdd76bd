"""Checking services, measuring rules, and what people change of them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.registry import kind_get
from lib import clock
from lib.errors import InputInvalid
from monitoring.alerts.services import alerts_clear_others
from monitoring.checks.asking import ask_all
from monitoring.checks.errors import RuleUnknown
from monitoring.checks.known import SERVICES
from monitoring.checks.models import RuleState
from monitoring.checks.models.rule import RuleCondition
from monitoring.checks.recording import services_record
from monitoring.checks.rules.all import BY_NAME, RULES
from monitoring.checks.rules.judging import Judged, rules_judge, rules_lock
from monitoring.checks.rules.measuring import rules_measure
from monitoring.checks.rules.rule import Rule, Unit
from monitoring.checks.verdicts import Verdict

LONGEST_COOLDOWN = timedelta(days=7)


def services_check() -> dict[str, str]:
    """Look at all services side by side and write down what was found: the state of each by its name.

    Takes SERVICE_CHECK_TIMEOUT at most. Looks past breakers and paces, and changes neither. Call it
    outside of a transaction. Repeat: one more look.
    """
    asked = {service.name: service.look for service in SERVICES if service.is_configured()}
    verdicts: dict[str, Verdict | None] = dict.fromkeys(service.name for service in SERVICES)
    timeout_s = settings.SERVICE_CHECK_TIMEOUT.total_seconds()
    verdicts |= ask_all(asked, timeout_s=timeout_s)
    return services_record(verdicts, clock.now())


@transaction.atomic
def services_check_ask(*, by: Account) -> UUID:
    """Have the services checked now. Returns the id of the job. Repeat: folds into one that waits."""
    job = kind_get("monitoring.check_services").enqueue()
    audit_write(by, "services.check", "service", "all", job=str(job.id))
    return job.id


def anomalies_check() -> Judged:
    """Measure all rules, and raise and clear what follows. Repeat: one more round."""
    measured = rules_measure(RULES)
    return rules_judge(RULES, measured, clock.now())


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """What people may change of a rule. None: as the settings say."""

    is_on: bool = True
    threshold: float | None = None
    cooldown: timedelta | None = None


def rule_get(name: str) -> Rule:
    """The rule. Raises RuleUnknown."""
    rule = BY_NAME.get(name)
    if rule is None:
        raise RuleUnknown(f"there is no rule {name}")
    return rule


@transaction.atomic
def rule_change(*, name: str, by: Account, **changes: Any) -> RuleState:
    """Change is_on, threshold or cooldown of a rule; what is not given stays.

    A rule that is switched off tells nobody, and its open alerts end; its value is still measured. A
    threshold counts from the next measuring on. Repeat: changes nothing and leaves no audit line.
    Raises RuleUnknown, InputInvalid. Locks: the row of the rule, then those of its alerts.
    """
    rule = rule_get(name)
    (row,) = rules_lock([name])
    before = RuleDraft(row.is_on, row.threshold, row.cooldown)
    after = replace(before, **changes)
    _check(rule, after)
    if after == before:
        return row
    row.is_on, row.threshold, row.cooldown = after.is_on, after.threshold, after.cooldown
    row.changed_at, row.changed_by = clock.now(), by.get_username() if by is not None else "system"
    if row.is_on != before.is_on:
        row.condition = RuleCondition.IDLE if row.is_on else RuleCondition.OFF
        row.since, row.memory, row.held_back = row.changed_at, {}, 0
    row.save()
    if before.is_on and not row.is_on and not rule.is_guest:
        alerts_clear_others(rule=name, keys=())
    audit_write(
        by, "rules.change", "rule", name,
        **{
            field: [_said(getattr(before, field)), _said(getattr(after, field))]
            for field in ("is_on", "threshold", "cooldown")
            if getattr(before, field) != getattr(after, field)
        },
    )  # fmt: skip
    return row


def _check(rule: Rule, draft: RuleDraft) -> None:
    threshold, cooldown = draft.threshold, draft.cooldown
    if threshold is not None:
        most = 100.0 if rule.unit is Unit.PERCENT else 1e9
        if not 0 <= threshold <= most:
            raise _refused("threshold", f"must be between 0 and {most:g}")
    if cooldown is not None and not timedelta(0) <= cooldown <= LONGEST_COOLDOWN:
        raise _refused("cooldown_s", "must be between 0 and 7 days")


def _refused(field: str, why: str) -> InputInvalid:
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])


def _said(value: Any) -> Any:
    """A value as the audit log keeps it."""
    return f"{value.total_seconds():g} s" if isinstance(value, timedelta) else value
