"""What the pages of the console have in common: who may see and do what, and how it is answered.

Rows are never edited by hand. A page shows them; a deed (POST only) calls a service, which audits.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from lib import clock
from lib.errors import DomainError

if TYPE_CHECKING:  # unfold brings no types, and its class is Django's with another look
    from django.contrib.admin import ModelAdmin as ThemedAdmin

    AdminBase = ThemedAdmin[Any]
else:
    from unfold.admin import ModelAdmin as AdminBase

P = ParamSpec("P")


class ConsoleAdmin(AdminBase):
    """Rows with pages of their own in place of Django's lists and forms.

    folder: that of templates/admin in which they are.
    """

    folder = "jobs"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def pages(self) -> list[URLPattern]:
        """The addresses below that of the list. Made with `at`."""
        return []

    def get_urls(self) -> list[URLPattern]:
        return [self.at("", self.changelist_view, "changelist"), *self.pages()]

    def at(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        """An address for those who may view the rows; its name is `admin:jobs_<model>_<name>`."""
        full = f"{self.opts.app_label}_{self.opts.model_name}_{name}"

        @wraps(view)
        def guarded(request: HttpRequest, /, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return path(route, self.admin_site.admin_view(guarded), name=full)

    def home(self) -> str:
        """The address of the list."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        return reverse(name)

    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page."""
        request.current_app = self.admin_site.name
        everything = {
            **self.admin_site.each_context(request),
            "title": title,
            "is_fullwidth": "1",
            "now": clock.now(),
            "here": request.get_full_path(),
            **context,
        }
        return TemplateResponse(request, self._named(template), everything, status=status)

    def part(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """A piece of a page that is open already (htmx)."""
        return TemplateResponse(request, self._named(template), context)

    def _named(self, template: str) -> str:
        return f"admin/{self.folder}/{template}.html"


Deed = Callable[Concatenate[Any, HttpRequest, P], str | HttpResponse]
View = Callable[Concatenate[Any, HttpRequest, P], HttpResponse]


def deed(permission: str) -> Callable[[Deed[P]], View[P]]:
    """Make a view of a method that acts: POST only, for holders of the permission.

    The method returns the sentence to show, or a response of its own. What a service refuses is shown
    in its words. Then the user is back where they came from.
    """

    def decorate(method: Deed[P]) -> View[P]:
        @wraps(method)
        def view(
            self: Any, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            check(request, permission)
            try:
                done = method(self, request, *args, **kwargs)
            except DomainError as exc:
                messages.error(request, f"Refused: {exc.message}.".replace("..", "."))
            else:
                if isinstance(done, HttpResponse):
                    return done
                messages.success(request, done)
            return back(request, self.home())

        return view

    return decorate


def check(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless the user holds the permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the page that the form was on (its field `next`), if it is one of ours."""
    sent = request.POST if request.method == "POST" else request.GET
    return HttpResponseRedirect(safe(request, sent.get("next", ""), otherwise))


def safe(request: HttpRequest, target: str, otherwise: str) -> str:
    """The target if it is an address of ours, else the other one: nobody is led away by a link."""
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else otherwise
