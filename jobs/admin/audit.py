"""The audit log: who did what, when, to what. Read only, for everybody."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from jobs.admin.forms import AuditFilterForm
from jobs.admin.pages import ConsoleAdmin
from jobs.models import AuditEntry
from jobs.selectors.audit import audit_actions, audit_page


@admin.register(AuditEntry)
class AuditAdmin(ConsoleAdmin):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        form = AuditFilterForm(request.GET, actions=audit_actions())
        after = request.GET.get("after", "")
        page = None
        following = ""
        if form.is_valid():
            is_id = after.isascii() and after.isdigit() and len(after) < 19
            page = audit_page(form.where(), after=int(after) if is_id else None)
            if page.after:
                following = f"?{form.query()}&{urlencode({'after': page.after})}".replace("?&", "?")
        return self.show(
            request,
            "audit",
            "Audit log",
            form=form,
            chips=form.chips(),
            page=page,
            following=following,
            is_first=not after,
        )
