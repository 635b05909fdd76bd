"""The jobs of the inbox run by name, by themselves, and do no harm when there is nothing to do."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from jobs.models import State
from jobs.registry import kind_get, kinds
from jobs.testing import drain, jobs_of
from notifications.inbox.models.publishing import Epoch
from tests.notifications.inbox.lifecycle.heard import Ear
from tests.notifications.inbox.lifecycle.play import after, send, state

SWEEPS = {
    "inbox.clear_expired": 60,
    "inbox.trim_retention": 600,
    "inbox.relay_unpushed": 30,
    "inbox.release_deferred": 300,
    "inbox.telegram_fallback": 60,
    "inbox.reap_pods": 30,
    "inbox.fold_stats": 60,
}


def run(kind: str) -> dict[str, Any]:
    """Run it as a worker would, now. Returns its result."""
    kind_get(kind).enqueue()
    drain()
    job = jobs_of(kind)[-1]
    assert job.state == State.COMPLETED, job.last_error
    assert isinstance(job.result, dict)
    return job.result


def test_every_kind_is_declared() -> None:
    declared = {kind.name for kind in kinds() if kind.name.startswith("inbox.")}
    assert declared == {*SWEEPS, "inbox.rebuild_window"}


@pytest.mark.parametrize("name", SWEEPS)
def test_sweeps_run_by_themselves(name: str) -> None:
    periodic = kind_get(name).periodic
    assert periodic is not None
    assert periodic.every is not None
    assert periodic.every.total_seconds() == SWEEPS[name]


@pytest.mark.parametrize("name", [*SWEEPS, "inbox.rebuild_window"])
def test_each_runs_where_there_is_nothing_to_do(name: str, committed: None) -> None:
    for _ in range(2):
        result = run(name)
        assert result
        assert not any(count for key, count in result.items() if key not in {"is_lost", "people"})


def test_run_by_name_it_does_its_work(committed: None) -> None:
    each = send()
    with after(minutes=16):
        assert run("inbox.clear_expired") == {"cleared": 1}
    assert state(each) == "auto_cleared"


def test_a_new_epoch_is_told_to_all_pods(ear: Ear) -> None:
    before = Epoch.objects.values_list("epoch", flat=True).first()
    out = StringIO()
    call_command("inbox_new_epoch", stdout=out)
    epoch = Epoch.objects.get().epoch
    assert epoch != before
    assert epoch in out.getvalue()
    assert ear.control() == b"epoch"


def test_a_new_epoch_begins_without_redis_too(transactional_db: None, redis_away: None) -> None:
    err = StringIO()
    call_command("inbox_new_epoch", stdout=StringIO(), stderr=err)
    assert "restart the web processes" in err.getvalue()
    assert Epoch.objects.count() == 1
