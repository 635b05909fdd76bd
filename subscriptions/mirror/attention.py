"""What of the panel and the mirror needs a person now, for the first page of the console."""

from collections.abc import Iterator

from django.conf import settings

from lib import clock
from lib.now import Attention, Severity, attention
from subscriptions.mirror import drifts
from subscriptions.mirror.checking import TOKEN_SOON
from subscriptions.mirror.passes import DRIFT_PAGE, PASS_PAGE
from subscriptions.models import Drift, MirrorPass, PanelState
from subscriptions.panel.stored import PAGE
from subscriptions.panel.token import token_expires_at


@attention(order=2, permission="subscriptions.view_panelstate")
def held_writes() -> Iterator[Attention]:
    """Nothing is written to the panel, so whoever pays waits."""
    held = PanelState.objects.exclude(held_reason="").first()
    yield Attention(
        "hold on all writes to the panel",
        int(held is not None),
        Severity.CRITICAL,
        PAGE,
        "" if held is None else f"The panel differs: {held.held_reason}.",
        runbook="panel_held",
    )
    ends_at = token_expires_at(settings.REMNAWAVE_API_TOKEN)
    is_soon = ends_at is not None and ends_at - clock.now() <= TOKEN_SOON
    yield Attention(
        "token of the panel that ends soon",
        int(is_soon),
        Severity.WARNING,
        "",
        f"It ends on {ends_at:%Y-%m-%d %H:%M} UTC: make a new one, set REMNAWAVE_API_TOKEN."
        if ends_at
        else "",
        runbook="panel_token",
    )


@attention(order=16, permission="subscriptions.view_drift")
def open_drifts() -> Iterator[Attention]:
    """What a person has to settle."""
    found = Drift.objects.filter(resolved_at=None)
    lost = found.filter(field=drifts.IDENTITY).count()
    emptied = found.exclude(field=drifts.IDENTITY).count()
    yield Attention(
        "subscriber who is somebody else in the panel" if lost == 1
        else "subscribers who are somebody else in the panel",
        lost,
        Severity.CRITICAL,
        f"{DRIFT_PAGE}?field={drifts.IDENTITY}",
        "Say whether it is the same person; until then nothing is written to the panel for them.",
    )  # fmt: skip
    yield Attention(
        "field that the panel emptied" if emptied == 1 else "fields that the panel emptied",
        emptied,
        Severity.NOTICE,
        DRIFT_PAGE,
        "Take it over, write ours to the panel, or leave it so.",
    )


@attention(order=17, permission="subscriptions.view_mirrorpass")
def failed_pass() -> Attention:
    """The last pass over the panel did not go well."""
    last = MirrorPass.objects.filter(finished_at__isnull=False).order_by("-id").first()
    failed = last is not None and bool(last.error)
    hint = last.error if last is not None else ""
    return Attention(
        "pass over the panel that did not go well",
        int(failed),
        Severity.WARNING,
        PASS_PAGE,
        hint,
        runbook="mirror_old",
    )
