"""Who is connected now, and the pods that hold the sockets."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now

from notifications.inbox.models import Client, Pod
from notifications.inbox.pods import BEAT

SILENT_AFTER = BEAT * 1.5  # a beat is missing; after three the pod is reaped
NEARLY = 0.8  # of the cap
MOST = 50  # devices of a person that are shown
PAGE = 100  # clients


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod and how it does. condition: alive, draining or silent.

    connections, users: by the rows of its open sockets, which are fresher than its beat.
    """

    pod: Pod
    condition: str
    connections: int
    users: int
    cap: int

    @property
    def is_nearly_full(self) -> bool:
        return self.condition == "alive" and self.connections >= self.cap * NEARLY


def pods_view() -> list[PodView]:
    """All pods, the silent first, then those with the most connections. Two queries."""
    open_now = Client.objects.values_list("pod_id").annotate(
        connections=Count("pk"), users=Count("recipient_id", distinct=True)
    )
    found = {pod_id: (connections, users) for pod_id, connections, users in open_now}
    views = [
        PodView(pod, _condition(pod), *found.get(pod.pod_id, (0, 0)), settings.WS_MAX_CONNECTIONS)
        for pod in _aged()[:500]
    ]
    rank = {"silent": 0, "alive": 1, "draining": 2}
    return sorted(
        views, key=lambda view: (rank[view.condition], -view.connections, view.pod.pod_id)
    )


def silent_pods() -> list[Pod]:
    """Pods that stopped beating and are not reaped yet."""
    return list(_aged().filter(age__gt=SILENT_AFTER).order_by("beat_at")[:50])


def full_pods() -> list[Pod]:
    """Pods that beat, and whose connections come near the cap."""
    least = int(settings.WS_MAX_CONNECTIONS * NEARLY)
    found = _aged().filter(connections__gte=least, draining=False, age__lte=SILENT_AFTER)
    return list(found.order_by("-connections")[:50])


def clients_of(recipient_id: int) -> list[Client]:
    """The devices of a person that are connected now, the latest first."""
    return list(Client.objects.filter(recipient_id=recipient_id).order_by("-connected_at")[:MOST])


def connected(recipient_ids: Iterable[int]) -> dict[int, int]:
    """How many devices of each are connected; those without one are missing. One query."""
    rows = Client.objects.filter(recipient_id__in=list(recipient_ids)).values_list("recipient_id")
    return dict(rows.annotate(count=Count("pk")))


def clients_page(
    *, pod_id: str = "", recipient_ids: Iterable[int] | None = None, after: UUID | None = None
) -> tuple[list[Client], UUID | None]:
    """Open sockets, page by page in the order of their ids, and where the next page starts."""
    found = Client.objects.order_by("pk")
    if pod_id:
        found = found.filter(pod_id=pod_id)
    if recipient_ids is not None:
        found = found.filter(recipient_id__in=list(recipient_ids))
    if after is not None:
        found = found.filter(pk__gt=after)
    rows = list(found[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None


def _aged() -> QuerySet[Any]:
    """Pods with the time since their last beat, by the clock that writes the beats: the database's."""
    age = ExpressionWrapper(Now() - F("beat_at"), output_field=DurationField())
    return Pod.objects.annotate(age=age)


def _condition(pod: Any) -> str:
    if pod.age > SILENT_AFTER:
        return "silent"
    return "draining" if pod.draining else "alive"
