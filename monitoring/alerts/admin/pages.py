"""The pages of this console are those of the jobs console, with templates of their own."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from payments.admin.pages import PaymentConsole


class AlertConsole(PaymentConsole):
    def show(
        self,
        request: HttpRequest,
        template: str,
        title: str,
        status: int = 200,
        **context: Any,
    ) -> TemplateResponse:
        """A page of templates/admin/alerts."""
        page = super().show(request, template, title, status, **context)
        page.template_name = f"admin/alerts/{template}.html"
        return page
