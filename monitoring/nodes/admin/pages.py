"""The pages of this console are those of the jobs console, with templates of their own."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.pages import ConsoleAdmin


class NodeConsole(ConsoleAdmin):
    def show(
        self, request: HttpRequest, template: str, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of templates/admin/nodes."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/nodes/{template}.html"
        return page
