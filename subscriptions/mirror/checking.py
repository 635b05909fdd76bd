"""The regular look at the panel: version, shape of its answers, end of the token."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from jobs import rates
from jobs.alerts import attention
from jobs.registry import Rate
from lib import clock
from subscriptions.mirror.syncing import must_compare
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelDenied, PanelError, PanelHeld
from subscriptions.panel.stored import panel_release
from subscriptions.panel.token import token_expires_at

TOKEN_SOON = timedelta(days=7)
SAMPLE = 5


def panel_check(client: PanelClient) -> dict[str, Any]:
    """Ask the panel a little of everything. What differs holds writes; what agrees again releases.

    Users that have to be compared first are not released here (syncing.py). Repeat: safe.
    Tells people of a token that is refused (once an hour) or will end soon (once a day).
    """
    _token_check()
    try:
        with client.visit(3):
            version = client.metadata()
            if version.dialect is not None:
                client.users_stream(size=SAMPLE) if client.has_stream() else client.users_page(
                    0, size=SAMPLE
                )
                client.nodes()
    except PanelHeld as exc:
        return {"held": exc.reason}
    except PanelDenied as exc:
        _tell_denied(exc)
        return {"denied": str(exc)}
    except PanelError as exc:
        return {"away": str(exc)}
    if version.dialect is None:
        return {"held": version.problem}
    if must_compare():
        return {"held": client.contract.held(), "version": version.text}
    return {
        "version": version.text,
        "released": panel_release(by="a check: the panel is as it was"),
    }


def _token_check() -> None:
    ends_at = token_expires_at(settings.REMNAWAVE_API_TOKEN)
    if ends_at is None or ends_at - clock.now() > TOKEN_SOON:
        return
    if rates.take("panel:token_ends_told", Rate(1, "1d", 1)) is not None:
        return
    attention(
        group="panel:token",
        title="The token of the panel ends soon",
        text=f"It ends on {ends_at:%Y-%m-%d %H:%M} UTC. Make a new one in the panel, and set "
        "REMNAWAVE_API_TOKEN.",
        severity="critical" if ends_at <= clock.now() else "warning",
    )


def _tell_denied(exc: PanelDenied) -> None:
    if rates.take("panel:token_refused_told", Rate(1, "1h", 1)) is not None:
        return
    attention(
        group="panel:token",
        title="The panel refuses our token",
        text=f"{exc}. Nothing can be read or written until REMNAWAVE_API_TOKEN is put right.",
        severity="critical",
    )
