"""The jobs of servers. Each is safe to run at any time; no answer of the panel changes nothing."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model

from jobs.context import current_job
from jobs.ladders import CLEANUP, HEALTH, SYNC
from jobs.models import Priority
from jobs.outcomes import Cancel, Outcome, Retry
from jobs.registry import job
from lib import clock
from lib.errors import DomainError
from monitoring.nodes import collecting, configs, forgetting, locating, looking, rollup, silence
from monitoring.nodes.acts import node_disable, node_enable, node_restart
from monitoring.nodes.errors import PanelSilent
from subscriptions.panel import door
from subscriptions.panel.errors import BREAKER, PanelError, PanelWaits

# They wait for the panel, so they run in threads: no export or cleanup that takes a worker's main thread for
# an hour holds them up.
LOOKS = "notifications"
OFF = {"panel": "REMNAWAVE_URL is not set"}
AWAY = "the panel does not answer: nothing is changed"
# What a bulk act may order.
ACTS = {"enable": node_enable, "disable": node_disable, "restart": node_restart}

T = TypeVar("T")


def _tried(ask: Callable[[], T]) -> T | None:
    """What the panel answers; None if it does not, and this try was the last: the next slot comes soon.

    Raises PanelError while tries are left, PanelWaits always: then the job is put off, unspent.
    """
    try:
        return ask()
    except PanelWaits:
        raise
    except PanelError:
        context = current_job()
        if context is not None and context.attempt < context.max_attempts:
            raise
        return None


@job(
    "monitoring.check_nodes",
    queue=LOOKS,
    priority=Priority.HIGH,
    every=settings.NODE_CHECK_EVERY,
    immediate=True,
    single=True,
    retry=HEALTH,
    timeout="1m",
    breaker=BREAKER,
)
def check_nodes() -> dict[str, object]:
    """Look at all servers: states, alerts, history. Also whenever the panel tells of one."""
    if not door.is_on():
        return dict(OFF)
    at = clock.now()
    told = _tried(door.panel().nodes)
    if told is None:
        return {"away": AWAY}
    return looking.look_apply(told, at).as_json()


@job(
    "monitoring.collect_bandwidth",
    queue=LOOKS,
    every=settings.NODE_BANDWIDTH_EVERY,
    immediate=True,
    single=True,
    retry=HEALTH,
    timeout="2m",
    breaker=BREAKER,
)
def collect_bandwidth() -> dict[str, object]:
    """Take a sample of each server, and see whether one of them is silent."""
    if not door.is_on():
        return dict(OFF)
    client = door.panel_background()
    found = _tried(lambda: collecting.samples_collect(client))
    if found is None:
        return {"away": AWAY}
    return {**found, "silence": silence.silence_check()}


@job(
    "monitoring.rollup_bandwidth",
    priority=Priority.LOW,
    cron="5 * * * *",
    single=True,
    retry=SYNC,
    timeout="5m",
)
def rollup_bandwidth() -> dict[str, object]:
    """Make hours of the samples: those that are over, and those that were missed."""
    return rollup.hours_roll()


@job(
    "monitoring.sync_locations",
    priority=Priority.LOW,
    every=settings.NODE_LOCATIONS_EVERY,
    immediate=True,
    single=True,
    retry=SYNC,
)
def sync_locations() -> dict[str, int]:
    """Put servers at the place of their country, but for those that a person has placed."""
    return locating.nodes_locate()


@job(
    "monitoring.sync_node_configs",
    priority=Priority.LOW,
    every=settings.NODE_CONFIGS_EVERY,
    immediate=True,
    single=True,
    retry=SYNC,
    timeout="2m",
    breaker=BREAKER,
)
def sync_node_configs() -> dict[str, object]:
    """Take over the settings of the servers, and note what was changed in them."""
    if not door.is_on():
        return dict(OFF)
    at = clock.now()
    told = _tried(door.panel_background().nodes)
    return {"away": AWAY} if told is None else configs.configs_write(told, at)


@job(
    "monitoring.forget_traffic",
    queue="maintenance",
    priority=Priority.LOW,
    cron="20 4 * * *",
    single=True,
    retry=CLEANUP,
    timeout="10m",
)
def forget_traffic() -> dict[str, object]:
    """Drop samples after NODE_SAMPLES_KEPT, delete hours and old spans."""
    return {
        "samples": forgetting.samples_forget(),
        "hours": forgetting.hours_forget(),
        "states": forgetting.states_forget(),
    }


@job(
    "monitoring.operate_node",
    queue="default",
    priority=Priority.HIGH,
    retry=SYNC,
    timeout="2m",
    breaker=BREAKER,
)
def operate_node(
    node_id: str, action: str, by_id: int | None = None, reason: str = ""
) -> Outcome | dict[str, str]:
    """Enable, disable or restart one server of a bulk act, in the name of who ordered it."""
    by = None if by_id is None else get_user_model().objects.filter(pk=by_id).first()
    try:
        row = ACTS[action](node_id=UUID(node_id), by=by, reason=reason)
    except PanelSilent as exc:
        return Retry(exc.message)
    except DomainError as exc:
        return Cancel(exc.message)
    return {"server": row.name, "done": action}
