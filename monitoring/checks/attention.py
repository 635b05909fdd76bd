"""What of services and rules needs a person now, for the first page of the console."""

from collections.abc import Sequence
from datetime import timedelta

from django.urls import reverse

from lib.now import Attention, Severity, attention
from monitoring.checks.selectors.rules import rules_over, rules_unknown
from monitoring.checks.selectors.services import services_down

PATIENCE = timedelta(minutes=30)


@attention(order=4, permission="checks.view_servicecheck")
def down_services() -> Attention:
    """Services that do not answer."""
    down = services_down()
    return Attention(
        "service does not answer" if len(down) == 1 else "services do not answer",
        len(down),
        Severity.CRITICAL,
        reverse("admin:checks_servicecheck_changelist"),
        f"{_named(down)}. See since when and why; what waits goes on by itself.",
        runbook="service_down",
    )


@attention(order=35, permission="checks.view_rulestate")
def broken_rules() -> Attention:
    """Values beyond their thresholds."""
    over = rules_over()
    return Attention(
        "value beyond its threshold" if len(over) == 1 else "values beyond their thresholds",
        len(over),
        Severity.WARNING,
        f"{reverse('admin:checks_rulestate_changelist')}?condition=over",
        f"{_named(over)}.",
    )


@attention(order=60, permission="checks.view_rulestate")
def blind_rules() -> Attention:
    """Values that nobody knows: their rules can tell nobody."""
    blind = rules_unknown(since=PATIENCE)
    return Attention(
        "rule cannot be measured" if len(blind) == 1 else "rules cannot be measured",
        len(blind),
        Severity.NOTICE,
        f"{reverse('admin:checks_rulestate_changelist')}?condition=unknown",
        f"{_named(blind)}. They alert nobody meanwhile; the page says why.",
    )


def _named(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"
