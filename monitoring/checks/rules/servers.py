"""Rules about the panel and its servers."""

from datetime import timedelta

from django.conf import settings

from lib import clock
from monitoring.alerts.wording.catalogue import says
from monitoring.checks.rules.rule import Part, Reading, Unmeasurable, idle
from monitoring.nodes.models import Health, Node
from subscriptions.panel.token import token_expires_at

LOOKED_WITHIN = timedelta(minutes=10)  # what the checks of servers said before that is no news
MOST = 500  # servers


def node_offline() -> Reading:
    """How long the server is offline that is so longest. One alert per server."""
    if not settings.REMNAWAVE_URL:
        return idle("there is no panel")
    now = clock.now()
    nodes = list(
        Node.objects.filter(removed_at=None)
        .exclude(health=Health.MAINTENANCE)
        .exclude(flapping_since__isnull=False)  # they have an alert of their own
        .values_list("uuid", "name", "health", "health_since", "checked_at", "status_message")[
            :MOST
        ]
    )
    if not nodes:
        return idle("no servers are known")
    looked_at = max(row[4] for row in nodes)
    if now - looked_at > LOOKED_WITHIN:
        raise Unmeasurable(f"servers were last looked at at {looked_at:%Y-%m-%d %H:%M} UTC")
    parts = []
    for uuid, name, health, since, _, message in nodes:
        if health != Health.OFFLINE:
            continue
        away = max(timedelta(0), now - since)
        said = says("node_offline.long", name=name, lasted=away, panel=message[:300] or None)
        link = f"/admin/nodes/node/{uuid}/change/"
        parts.append(Part(str(uuid), away.total_seconds(), said, link))
    parts.sort(key=lambda part: -part.value)
    if not parts:
        return Reading(0.0, f"none of {len(nodes)} is offline")
    return Reading(parts[0].value, f"{len(parts)} of {len(nodes)} are offline", tuple(parts))


def panel_token() -> Reading:
    """Days until the panel's API token ends, as the token itself says."""
    ends_at = token_expires_at(settings.REMNAWAVE_API_TOKEN) if settings.REMNAWAVE_URL else None
    if ends_at is None:
        return idle("there is no panel, or its token has no end")
    days = max(0.0, (ends_at - clock.now()) / timedelta(days=1))
    text = f"it ends at {ends_at:%Y-%m-%d %H:%M} UTC"
    said = says("panel_token" if days else "panel_token.ended", ends=ends_at)
    return Reading(days, text, (Part("remnawave", days, said),))
