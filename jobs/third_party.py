"""`async_task()` of others: the signed package that django-q2 makes is kept as a job and run as one.

It gets what our jobs get (nothing lost, crashes counted), and what its caller expects of django-q2:
results, groups, chains and hooks. The package is a pickle under our SECRET_KEY, so it is never made by
anybody but async_task itself, and never taken over REST.
"""

import pydoc
from typing import Any
from uuid import UUID

from django.utils import timezone
from django_q.conf import Conf
from django_q.monitor import save_cached, save_task
from django_q.signals import post_execute, pre_execute
from django_q.signing import BadSignature, SignedPackage

from jobs.outcomes import Dead, Outcome, Retry
from jobs.registry import job


@job("django_q.task", timeout="1h")
def task(package: str) -> Outcome | None:
    """Run a task that a library enqueued with django-q2's async_task()."""
    try:
        content: dict[str, Any] = SignedPackage.loads(package)
    except BadSignature:
        return Dead("the signature does not fit: SECRET_KEY was changed since it was enqueued")
    except (TypeError, AttributeError, ImportError) as exc:
        return Dead(f"the package cannot be read: {exc}")
    content.setdefault("cluster", Conf.CLUSTER_NAME)
    content.setdefault("save", True)  # its caller may ask for the result, or chain on it
    function = content["func"]
    if not callable(function):
        function = pydoc.locate(function)
    if not callable(function):
        return Dead(f"function {content['func']} is not defined")
    pre_execute.send(sender="django_q", func=function, task=content)
    error = None
    try:
        content["result"], content["success"] = (
            function(*content["args"], **content["kwargs"]),
            True,
        )
    except Exception as exc:  # noqa: BLE001 - a stranger's failure is kept as django-q2 would keep it
        content["result"], content["success"] = f"{type(exc).__name__}: {exc}", False
        error = exc
    content["stopped"] = timezone.now()
    if content.get("cached"):
        save_cached(content, _broker())
    else:
        save_task(content, _broker())
    post_execute.send(sender="django_q", task=content)
    return None if error is None else Retry(f"{type(error).__name__}: {error}")


def task_enqueue(package: str) -> UUID:
    """Make the job of a signed package."""
    made: UUID = task.enqueue(package=package).id
    return made


class JobCatcher:
    """Stands in for the broker of one async_task(), which does not tell the id of the job it makes."""

    list_key = "jobs"

    def __init__(self) -> None:
        self.job_id: UUID | None = None  # stays None if the task was run at once (`sync`)

    def enqueue(self, package: str) -> str:
        """Keep the package as a job."""
        self.job_id = task_enqueue(package)
        return str(self.job_id)


def _broker() -> Any:
    from django_q.brokers import get_broker  # noqa: PLC0415 - the broker makes these jobs

    return get_broker()
