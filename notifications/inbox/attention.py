"""What of the inbox needs a person now, for the first page of the console."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from lib import clock
from lib.now import Attention, Severity, attention
from notifications.inbox.selectors.figures import COUNTED, outbox_waiting
from notifications.inbox.selectors.pods import full_pods, silent_pods

PATIENCE = timedelta(minutes=1)
_NAMED = 3


@attention(order=14, permission="inbox.view_pod")
def stuck_outbox() -> Attention | None:
    """Changes that are committed, but that no screen was told of for a minute."""
    count, since = outbox_waiting()
    if since is None or (waited := clock.now() - since) < PATIENCE:
        return None
    minutes = round(waited.total_seconds() / 60)
    return Attention(
        "inbox change that no screen was told of"
        if count == 1
        else f"{'or more ' if count > COUNTED else ''}inbox changes that no screen was told of",
        min(count, COUNTED),
        Severity.CRITICAL,
        _pods(),
        f"The oldest waits for {minutes} min: Redis is away, or no worker relays. Nothing is lost.",
    )


@attention(order=15, permission="inbox.view_pod")
def quiet_pods() -> Attention:
    """Web processes that stopped beating without a word."""
    names = [pod.pod_id for pod in silent_pods()]
    return Attention(
        "silent pod" if len(names) == 1 else "silent pods",
        len(names),
        Severity.WARNING,
        _pods(),
        f"{_listed(names)} stopped beating. Its people come back on another pod by themselves.",
    )


@attention(order=16, permission="inbox.view_pod")
def crowded_pods() -> Iterator[Attention]:
    """Pods whose connections come near the cap; beyond it people are turned away."""
    pods = full_pods()
    if not pods:
        return
    most = pods[0].connections
    yield Attention(
        "pod nearly full" if len(pods) == 1 else "pods nearly full",
        len(pods),
        Severity.CRITICAL if most >= settings.WS_MAX_CONNECTIONS else Severity.WARNING,
        _pods(),
        f"{_listed([pod.pod_id for pod in pods])}: {most:,} of {settings.WS_MAX_CONNECTIONS:,} "
        "connections (WS_MAX_CONNECTIONS). Start another pod.",
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _pods() -> str:
    return reverse("admin:inbox_pod_changelist")
