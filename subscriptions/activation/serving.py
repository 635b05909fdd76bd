"""Telling the panel to serve somebody until a date, and reading back that it does."""

from datetime import datetime

from jobs.faults import fault
from subscriptions.models import Plan
from subscriptions.panel.client import PanelClient
from subscriptions.panel.types import PanelStatus, PanelUser, TrafficStrategy, UserFields


class NotServed(Exception):
    """The panel was told, but does not serve as it was told."""


def serve(
    panel: PanelClient, user: PanelUser, *, until: datetime, plan: Plan | None = None
) -> PanelUser:
    """Have a user served until a date at least, and return it as it was read back.

    plan: its limits are written, too. A later end that the panel has already stays. Whoever may not
    be enabled does not come here. Safe to repeat: what is so already is not written again.
    Raises NotServed, PanelError.
    """
    fields = changes_for(user, until=until, plan=plan)
    if fields:
        with panel.visit(2):
            panel.user_update(user.id, **fields)
            fault("activation.patched")
            user = panel.user(user.id)
    if is_used_up(user):
        with panel.visit(2):
            panel.user_reset_traffic(user.id)
            fault("activation.reset")
            user = panel.user(user.id)
    if not is_served(user, until):
        raise NotServed(
            f"the panel was told to serve until {until:%F %T} UTC, "
            f"but says {user.status}, until {user.expire_at:%F %T} UTC"
        )
    return user


def changes_for(user: PanelUser, *, until: datetime, plan: Plan | None) -> UserFields:
    """What has to be written. Only what differs, so that nothing is touched that is right."""
    fields = UserFields()
    if user.expire_at < until:
        fields["expire_at"] = until
    if user.status != PanelStatus.ACTIVE:
        # Together with the date: the panel itself revives an EXPIRED one, but never a DISABLED one.
        fields["status"] = PanelStatus.ACTIVE
    if plan is not None:
        fields.update(_differing(user, plan))
    return fields


def terms_of(plan: Plan) -> UserFields:
    """What a plan says to the panel. Empty squads and tags, and no device limit: as they are."""
    fields = UserFields(
        traffic_limit_bytes=plan.traffic_limit_bytes,
        traffic_strategy=TrafficStrategy(plan.traffic_limit_strategy),
    )
    if plan.device_limit is not None:
        fields["hwid_device_limit"] = plan.device_limit
    if plan.squads:
        fields["squads"] = plan.squads
    if plan.tag:
        fields["tag"] = plan.tag
    return fields


def _differing(user: PanelUser, plan: Plan) -> UserFields:
    fields = terms_of(plan)
    if (
        user.traffic_limit_bytes == plan.traffic_limit_bytes
        and user.traffic_strategy == plan.traffic_limit_strategy
    ):
        del fields["traffic_limit_bytes"], fields["traffic_strategy"]
    if fields.get("hwid_device_limit") == user.hwid_device_limit:
        fields.pop("hwid_device_limit", None)
    if {squad.uuid for squad in user.squads} == set(plan.squads):
        fields.pop("squads", None)
    if fields.get("tag") == user.tag:
        fields.pop("tag", None)
    return fields


def is_used_up(user: PanelUser) -> bool:
    """Whether the traffic is used up: such a one is limited again within a minute."""
    return 0 < user.traffic_limit_bytes <= user.used_bytes


def is_served(user: PanelUser, until: datetime) -> bool:
    """Whether the panel serves a user until that date at least."""
    return user.status == PanelStatus.ACTIVE and user.expire_at >= until
