"""An endpoint that goes on failing: people are warned, at last it is switched off."""

from collections.abc import Iterable

from django.conf import settings

from jobs.alerts import attention
from jobs.audit import audit_write
from lib import clock, durations
from notifications.webhooks.flow import Flow
from notifications.webhooks.models import Endpoint

ENDPOINT = "webhook endpoint"  # what the audit log calls it


def ends_hold(flows: Iterable[Flow]) -> None:
    """Lock the endpoints that `escalate` is about to switch off: before their lanes, as people do."""
    ids = [flow.config.endpoint_id for flow in flows if flow.end in Endpoint.Reason.values]
    if ids:
        rows = Endpoint.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
        list(rows.values_list("pk"))


def escalate(flow: Flow) -> None:
    """Announce what a lane has come to. In the transaction of its fates; who commits it clears `warn`.

    Repeat: an endpoint that is switched off already is left alone.
    """
    if flow.end in Endpoint.Reason.values:
        _switch_off(flow)
    elif flow.warn:
        _warn(flow, flow.warn)


def _switch_off(flow: Flow) -> None:
    now, reason = clock.now(), Endpoint.Reason(flow.end)
    endpoint = (
        Endpoint.objects.select_for_update(no_key=True)
        .filter(pk=flow.config.endpoint_id, state=Endpoint.State.ENABLED)
        .first()
    )
    if endpoint is None:
        return
    endpoint.state, endpoint.disabled_reason = Endpoint.State.DISABLED, reason
    endpoint.disabled_at = endpoint.updated_at = now
    endpoint.save(update_fields=["state", "disabled_reason", "disabled_at", "updated_at"])
    audit_write(None, "webhooks.disable", ENDPOINT, endpoint.pk, reason=reason.value)
    attention(
        group=f"webhooks.disabled:{endpoint.pk}",
        title=f"The webhook endpoint {endpoint.title} is switched off",
        text=f"It {_why(flow)}. Its deliveries wait until it is enabled again.",
        severity="critical",
        link=_link(endpoint),
    )


def _why(flow: Flow) -> str:
    if flow.end == Endpoint.Reason.GONE:
        return "answered 410 Gone: it wants no more of them"
    return (
        f"failed for {durations.words(settings.WEBHOOK_PATIENCE)}, "
        f"the last time with: {flow.standing.last_error}"
    )


def _warn(flow: Flow, level: int) -> None:
    endpoint = Endpoint.objects.only("title").get(pk=flow.config.endpoint_id)
    left = settings.WEBHOOK_PATIENCE * (100 - level) / 100
    attention(
        group=f"webhooks.failing:{endpoint.pk}",
        title=f"The webhook endpoint {endpoint.title} fails",
        text=(
            f"Nothing has arrived there since {flow.standing.failing_since:%F %R} UTC "
            f"({level} % of what it is given); in {durations.words(left)} it will be switched off. "
            f"The last error: {flow.standing.last_error}"
        ),
        severity="critical" if level >= 90 else "warning",
        link=_link(endpoint),
    )


def _link(endpoint: Endpoint) -> str:
    return f"/admin/webhooks/endpoint/{endpoint.pk}/change/"
