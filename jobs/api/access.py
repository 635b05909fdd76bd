"""Who may call what, where one permission is not enough."""

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs import errors
from jobs.models import Queue

LEASE, LEASE_ANY = "jobs.lease_job", "jobs.lease_any_queue"
VIEW, ENQUEUE = "jobs.view_jobrecord", "jobs.enqueue_job"


class HasAnyPermission(BasePermission):
    """The view says which permissions will do, any of them: `any_permission = (LEASE, LEASE_ANY)`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        needed: tuple[str, ...] = getattr(view, "any_permission", ())
        self.message = f"This needs one of the permissions {', '.join(needed)}."
        return any(request.user.has_perm(name) for name in needed)


class WorkerView(APIView):
    """For views of outside workers."""

    permission_classes = (HasAnyPermission,)
    any_permission = (LEASE, LEASE_ANY)


class ReadView(APIView):
    """For views that tell about jobs: readers, and those who make or run them."""

    permission_classes = (HasAnyPermission,)
    any_permission = (VIEW, ENQUEUE, LEASE, LEASE_ANY)


def queues_allowed(user: Any, names: Iterable[str] | None) -> list[str]:
    """The queues that the account may lease from; None: all outside ones. One query.

    Raises QueueUnknown, PermissionDenied.
    """
    wanted = None if names is None else list(dict.fromkeys(names))
    rows = Queue.objects.values_list("name", "is_external")
    known = dict(rows.filter(is_external=True) if wanted is None else rows.filter(name__in=wanted))
    for name in wanted or ():
        if name not in known:
            raise errors.QueueUnknown(f"there is no queue {name!r}")
    inside = sorted(name for name, is_external in known.items() if not is_external)
    if inside and not user.has_perm(LEASE_ANY):
        raise PermissionDenied(
            f"The queue {inside[0]} is served inside; leasing from it needs the permission {LEASE_ANY}."
        )
    if not inside and not user.has_perm(LEASE) and not user.has_perm(LEASE_ANY):
        raise PermissionDenied(f"Leasing needs the permission {LEASE}.")
    return sorted(known) if wanted is None else wanted
