"""Exports in the console: all of them, one with its link, and the page that orders one."""

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.lists import quick_links, turning
from jobs.admin.pages import ConsoleAdmin, check
from jobs.models import AuditEntry
from jobs.progress.pages import live_context
from jobs.progress.registry import operation_find
from lib.errors import DomainError, InputInvalid
from reports.exports import services
from reports.exports.admin.acts import ExportActs, or_404
from reports.exports.admin.forms import PREFIX, ExportFilterForm, OrderForm, presets
from reports.exports.listing import ExportFilter, exports_page
from reports.exports.models import Export
from reports.exports.models.export import OPEN
from reports.exports.ordering import ADD, OBJECT
from reports.exports.reading import Selection, rows_estimate, sample, statements_timeout
from reports.exports.sources import SOURCES
from reports.exports.sources.source import Entry, Part, Source

ACTS = 12
PATIENCE_MS = 3_000  # for the first rows of a sparse filter
QUICK = (
    ("All", ""),
    ("Being written", "state=running"),
    ("Ready", "state=done"),
    ("Failed", "state=failed"),
)


@admin.register(Export)
class ExportAdmin(ExportActs, ConsoleAdmin):
    folder = "exports"

    def pages(self) -> list[URLPattern]:
        one = "<uuid:export_id>/"
        return [
            self.at("order/", self.order, "order"),
            self.at(f"{one}change/", self.export, "change"),
            self.at(f"{one}cancel/", self.cancel, "cancel"),
            self.at(f"{one}revoke/", self.revoke, "revoke"),
            self.at(f"{one}delete/", self.delete, "delete"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, newest first. One query for its rows."""
        del extra_context
        form = ExportFilterForm(request.GET)
        page = None
        if form.is_valid():
            where = ExportFilter(**form.cleaned_data)
            page = exports_page(where, after=_uuid(request.GET.get("after", "")))
        return self.show(
            request,
            "exports",
            "Exports",
            quick=quick_links(form, QUICK),
            page=page,
            orderable=_orderable(request),
            **turning(request, form, page.after if page else None),
        )

    def export(self, request: HttpRequest, export_id: UUID) -> HttpResponse:
        """One: how far it is, live; its file and link; what was ordered, to order it again."""
        row = or_404(export_id)
        source = SOURCES.get(row.type)
        may_have = source is not None and _may(request, source)
        return self.show(
            request,
            "export",
            "Export",
            row=row,
            source=source,
            filters=source.filters_describe(row.filters) if source else "",
            link=services.link_of(row) if may_have else "",
            may_have=may_have,
            may_operate=services.may_operate(request.user, row),
            again=f"?{again(row)}",
            is_open=row.state in OPEN,
            acts=AuditEntry.objects.filter(object_type=OBJECT, object_id=str(row.pk)).order_by(
                "-id"
            )[:ACTS],
            **live_context(request, *operation_find(row.pk)),
        )

    def order(self, request: HttpRequest) -> HttpResponse:
        """GET: the form, filled in by its address. POST: look (how many, the first rows), or order."""
        check(request, ADD)
        types = _orderable(request)
        asked = request.POST.get("type") or request.GET.get("type") or next(iter(types), "")
        if asked not in types:
            raise PermissionDenied
        source = SOURCES[asked]
        if request.method != "POST":
            form = OrderForm(_initial(request, source), source=source)
        else:
            form = OrderForm(request.POST, source=source)
        if not form.is_valid():
            return self._order_page(request, form, types, status=422)
        if request.method == "POST" and request.POST.get("act") == "order":
            try:
                export = _ordered(request, form)
            except DomainError as exc:
                _blame(form, exc)
                return self._order_page(request, form, types, status=422)
            messages.success(
                request, "The export is ordered. Its link appears here when it is done."
            )
            return HttpResponseRedirect(reverse("admin:exports_export_change", args=[export.pk]))
        return self._order_page(request, form, types, is_looking=True)

    def _order_page(
        self,
        request: HttpRequest,
        form: OrderForm,
        types: dict[str, Source],
        *,
        status: int = 200,
        is_looking: bool = False,
    ) -> HttpResponse:
        look: dict[str, Any] = {}
        if is_looking:
            try:
                look = _look(form)
            except InputInvalid as exc:
                _blame(form, exc)
                status = 422
        return self.show(
            request,
            "order",
            "Order an export",
            status=status,
            order=form,
            source=form.source,
            types=types.values(),
            presets=presets(),
            **look,
        )


def again(row: Export) -> str:
    """The query of the order page that has everything of an export filled in."""
    given = {
        "type": row.type,
        "format": row.format,
        "gzip": "on" if row.is_gzipped else "",
        "bom": "on" if row.has_bom else "",
        "since": f"{row.since:%Y-%m-%d %H:%M:%S}" if row.since else "",
        "until": f"{row.until:%Y-%m-%d %H:%M:%S}" if row.until else "",
        "columns": ",".join(row.columns),
        "filters": json.dumps(row.filters) if row.filters else "",
    }
    return urlencode({name: value for name, value in given.items() if value})


def _orderable(request: HttpRequest) -> dict[str, Source]:
    return {name: source for name, source in SOURCES.items() if _may(request, source)}


def _may(request: HttpRequest, source: Source) -> bool:
    return request.user.has_perm(ADD) and request.user.has_perm(source.permission)


def _initial(request: HttpRequest, source: Source) -> dict[str, Any]:
    """The address as data of the form: filters come as JSON, as from the lists of others."""
    given: dict[str, Any] = {
        name: request.GET.get(name, "") for name in ("since", "until", "gzip", "bom", "tell")
    }
    given["format"] = request.GET.get("format") or "csv"
    columns = [name for name in request.GET.get("columns", "").split(",") if name]
    given["columns"] = columns or source.usual_columns
    try:
        filters = json.loads(request.GET.get("filters") or "{}")
    except ValueError:
        filters = {}
    for name, value in filters.items() if isinstance(filters, dict) else ():
        given[PREFIX + name] = _written(source.parts.get(name), value)
    return given


def _written(part: Part | None, value: Any) -> Any:
    """A value of a filter as the field of its part takes it."""
    if part is not None and part.entry is Entry.FLAG:
        return "yes" if value else "no"
    if part is not None and part.entry is Entry.WORDS and part.choices:
        return value if isinstance(value, list) else [value]
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _selection(form: OrderForm) -> Selection:
    given = form.cleaned_data
    return Selection(
        source=form.source,
        filters=form.filters(),
        since=given["since"],
        until=given["until"],
        columns=given["columns"] or form.source.usual_columns,
        format="csv",
    )


def _look(form: OrderForm) -> dict[str, Any]:
    """About how many rows, and the first of them. Raises InputInvalid."""
    selection = _selection(form)
    found: dict[str, Any] = {"estimate": rows_estimate(selection), "heads": selection.columns}
    try:
        with transaction.atomic():
            statements_timeout(PATIENCE_MS)
            found["sample"] = [
                list(zip(selection.columns, cells, strict=True)) for cells in sample(selection)
            ]
    except OperationalError:
        found["is_slow"] = True
    return found


def _ordered(request: HttpRequest, form: OrderForm) -> Export:
    given = form.cleaned_data
    return services.export_order(
        type=form.source.name,
        format=given["format"],
        since=given["since"],
        until=given["until"],
        filters=form.filters(),
        columns=given["columns"],
        gzip=given["gzip"],
        bom=given["bom"],
        tell_telegram_id=int(given["tell"]) if given["tell"] else None,
        by=request.user,
    )


def _blame(form: OrderForm, exc: DomainError) -> None:
    """Say it beside the field, where it has one."""
    errors = exc.extra.get("errors", [])
    for error in errors:
        field = error["field"]
        name = PREFIX + field if PREFIX + field in form.fields else field
        form.add_error(name if name in form.fields else None, f"{error['message']}.")
    if not errors:
        form.add_error(None, f"{exc.message}.".replace("..", "."))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
