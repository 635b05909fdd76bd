"""What an account may do, by the name of a Django permission."""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # this module is named in the settings that rest_framework.views loads
    from rest_framework.views import APIView

_UNSAID: Any = object()


class HasNamedPermission(BasePermission):
    """The view says which permission it takes, and a view that says nothing is closed.

        required_permission = "jobs.lease_job"
        required_permission = {"GET": "jobs.view_job", "POST": "jobs.add_job"}
        required_permission = None                    # public on purpose

    Needs at most two queries per request; a superuser needs none.
    """

    message = "This view names no permission, so nobody may use it."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method not in view.allowed_methods:
            return True  # the view answers 405 by itself
        needed = _needed(request, view)
        if needed is None:
            return True
        if needed is _UNSAID:
            return False
        self.message = f"This needs the permission {needed}."
        user: Any = request.user
        return bool(user.has_perm(needed))


def _needed(request: Request, view: "APIView") -> Any:
    needed = getattr(view, "required_permission", _UNSAID)
    if isinstance(needed, dict):
        # HEAD and OPTIONS tell no more than GET does.
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else request.method
        return needed.get(method, _UNSAID)
    return needed
