"""Acting on many jobs."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict

from jobs.admin.forms import JobFilterForm
from jobs.admin.many import Many, ManyDeed, ManyPages
from jobs.bulk import ACTIONS, MOST, BulkResult, JobFilter, jobs_bulk
from jobs.models import JobRecord, Priority, State
from jobs.selectors.listing import COLUMNS

_WAITING = {State.SCHEDULED, State.AVAILABLE}
DEEDS = {
    "replay": ManyDeed(
        verb="Replay",
        done="replayed",
        takes={State.DEAD, State.COMPLETED, State.CANCELLED},
        means="Each becomes a new job with the same args; a dead one is put away as replayed.",
    ),
    "retry": ManyDeed(
        verb="Run now",
        done="told to run now",
        takes={*_WAITING, State.DEAD},
        means="Each is due at once. A dead one gets all its attempts back.",
    ),
    "cancel": ManyDeed(
        verb="Cancel",
        done="cancelled",
        takes={*_WAITING, State.RUNNING},
        means="Waiting ones never run. Running ones are told to stop.",
        tone="danger",
    ),
    "discard": ManyDeed(
        verb="Discard",
        done="discarded",
        takes={State.DEAD},
        means="They are put away for good and stay in the history.",
        tone="danger",
    ),
    "reprioritize": ManyDeed(
        verb="Change priority",
        done="given another priority",
        takes=_WAITING,
        means="They are leased earlier or later from now on.",
    ),
}
assert set(DEEDS) == set(ACTIONS)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _asked(sent: QueryDict) -> dict[str, Any]:
    """The new priority, if that is what changes."""
    priority = sent.get("priority", "")
    return {"priority": int(priority)} if priority in {"0", "1", "2", "3"} else {}


def _states(where: JobFilter, _: BulkResult) -> Mapping[str, int]:
    return Counter(where.query().values_list("state", flat=True)[:MOST])


def _refused(result: BulkResult) -> dict[str, str]:
    return {one["id"]: one["reason"] for one in result.refused}


def _about(result: BulkResult) -> dict[str, Any]:
    found = JobRecord.objects.filter(pk__in=result.sample).only(*COLUMNS)
    return {"sample": list(found.order_by("-id")), "priorities": Priority.choices}


class BulkPages(ManyPages):
    many = Many(
        noun="job",
        permission="jobs.operate_job",
        deeds=DEEDS,
        most=MOST,
        where=JobFilter,
        filter_form=JobFilterForm,
        key=_key,
        bulk=jobs_bulk,
        asked=_asked,
        states=_states,
        refused=_refused,
        about=_about,
    )
