"""Beginning a bulk operation: choose whom and what, look at what would change, confirm, go to its progress.

Whom: ticked rows, everybody who matches a filter, or the names of a file (bulk_upload.py).
"""

from collections.abc import Mapping
from typing import Any

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse

from jobs.admin.asked import number_of
from jobs.admin.many import ManyDeed, once_make, once_take
from jobs.admin.pages import back, check, safe
from lib.errors import DomainError
from subscriptions.admin.forms import SubscriberFilterForm
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.admin.uploads import upload_names, upload_title
from subscriptions.bulk.agreeing import may_move_by
from subscriptions.bulk.preview import Preview, bulk_preview
from subscriptions.bulk.starting import bulk_start
from subscriptions.filtering import filter_describe
from subscriptions.models import BulkKind, BulkOperation

OPERATE = "subscriptions.operate_bulkoperation"
ASKED_ABOVE = 500  # changing more people than this asks to type their number
DAYS = 30
TICKED_MOST = 1_000
DEEDS = {
    "extend": ManyDeed(
        verb="Extend",
        done="extended",
        takes=frozenset(),
        means="Each is paid for so many days longer, from the end or from now, if that is later.",
    ),
    "enable": ManyDeed(
        verb="Enable",
        done="enabled",
        takes=frozenset(),
        means="The panel serves each again whose time is not over.",
    ),
    "reset_traffic": ManyDeed(
        verb="Reset traffic",
        done="reset",
        takes=frozenset(),
        means="The used traffic of each is set to zero; who had used it up is served again.",
    ),
    "disable": ManyDeed(
        verb="Disable",
        done="disabled",
        takes=frozenset(),
        means="The panel serves them no longer. Paying brings each back, and so does taking it back.",
        tone="danger",
    ),
    "delete": ManyDeed(
        verb="Delete",
        done="deleted",
        takes=frozenset(),
        means="The panel forgets them for good, with their links. This cannot be taken back.",
        tone="danger",
    ),
}
_ONCE = "subscriptions_bulk_begin_once"


class BulkBeginPages(SubscriptionConsole):
    def bulk_pages(self) -> list[URLPattern]:
        return [self.at("act/", self.bulk, "act")]

    def bulk_words(self) -> dict[str, Any]:
        """What a list needs to offer operations."""
        return {"noun": "subscriber", "deeds": DEEDS}

    def bulk(self, request: HttpRequest) -> HttpResponse:
        """GET: what would change. POST: it begins, once per page that was looked at."""
        check(request, OPERATE)
        sent = request.POST if request.method == "POST" else request.GET
        action = sent.get("action", "")
        selection, why = _chosen(sent, request.user.pk)
        if action not in DEEDS or selection is None:
            messages.error(request, why if action in DEEDS else "Choose what to do first.")
            return back(request, self.home())
        params, error = _params(action, sent), ""
        look: Preview | None = None
        try:
            look = bulk_preview(kind=BulkKind(action), params=params, selection=selection)
        except DomainError as exc:
            error = f"{exc.message}."
        if request.method == "POST" and look is not None:
            error = _refused(request, action, look)
            if not error:
                return self._begin(request, action, params, selection, look.would_change)
        return self._page(request, sent, action, params, selection, look, error)

    def _begin(
        self,
        request: HttpRequest,
        action: str,
        params: dict[str, Any],
        selection: dict[str, Any],
        meant: int,
    ) -> HttpResponse:
        try:
            operation = bulk_start(
                kind=BulkKind(action),
                params=params,
                selection=selection,
                source="csv" if request.POST.get("upload") else "admin",
                by=request.user,
                tell_telegram_id=number_of(request.POST.get("tell", "")),
                meant=meant,
            )
        except DomainError as exc:
            messages.error(request, f"Refused: {exc.message}.".replace("..", "."))
            return back(request, self.home())
        return HttpResponseRedirect(progress_of(operation))

    def _page(
        self,
        request: HttpRequest,
        sent: QueryDict,
        action: str,
        params: Mapping[str, Any],
        selection: Mapping[str, Any],
        look: Preview | None,
        error: str,
    ) -> HttpResponse:
        upload = sent.get("upload", "")
        chosen = [("upload", upload)] if upload else [("selection", _dump(selection))]
        would = look.would_change if look else 0
        return self.show(
            request,
            "bulk_begin",
            f"{DEEDS[action].verb}: look before you act",
            status=422 if error else 200,
            deed=DEEDS[action],
            action=action,
            params=params,
            look=look,
            error=error,
            whom=_whom(selection, upload),
            chosen=[*chosen, ("next", sent.get("next", ""))],
            once=once_make(request, _ONCE),
            must_type=_must_type(action, would),
            tell=sent.get("tell", ""),
            origin=safe(request, sent.get("next", ""), self.home()),
        )


def progress_of(operation: BulkOperation) -> str:
    """The address of its progress page."""
    return reverse("progress", args=[operation.pk])


def _chosen(sent: QueryDict, user_id: Any) -> tuple[dict[str, Any] | None, str]:
    """Whom is meant, or why nobody is."""
    if key := sent.get("upload", ""):
        names = upload_names(key, user_id)
        return names, "The file is not kept any more: upload it again."
    if text := sent.get("selection", ""):
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            found = None
        is_whole = isinstance(found, dict) and len(found) == 1
        return (found if is_whole else None), "It does not say who is meant: choose again."
    if sent.get("scope") == "matching":
        form = SubscriberFilterForm(sent)
        if not form.is_valid():
            return None, "The filter cannot be used as it is."
        where = form.where()
        # What is agreed to is what was seen: spans are moments from here on.
        why = "Filter the list first: acting on everybody there is would be a mistake."
        return ({"filter": where} if where else None), why
    ids = [number_of(text) for text in sent.getlist("id")[:TICKED_MOST]]
    known = [each for each in ids if each is not None]
    return ({"subscriber_ids": known} if known else None), "Tick at least one subscriber first."


def _params(action: str, sent: QueryDict) -> dict[str, Any]:
    """What the operation asks, as the service checks it."""
    if action == BulkKind.EXTEND:
        text = sent.get("days", str(DAYS)).strip()
        return {"days": int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text}
    reason = sent.get("reason", "").strip()
    return {"reason": reason} if action == BulkKind.DISABLE and reason else {}


def _must_type(action: str, would_change: int) -> str:
    """What has to be typed before it begins; empty if nothing."""
    is_grave = action == BulkKind.DELETE or would_change > ASKED_ABOVE
    return str(would_change) if is_grave and would_change else ""


def _refused(request: HttpRequest, action: str, look: Preview) -> str:
    """Why it does not begin; empty if it does."""
    if not once_take(request, _ONCE):
        return "Nothing was begun: that page was used before, or is out of date. Look again."
    seen = number_of(request.POST.get("seen", "")) or 0
    if abs(look.would_change - seen) > may_move_by(seen):
        return (
            f"Nothing was begun: {seen} were meant when you looked, {look.would_change} are now. "
            "Look again."
        )
    if not look.would_change:
        return "Nobody would be changed."
    must_type = _must_type(action, seen)
    typed = request.POST.get("confirm", "").replace(",", "").replace(" ", "")
    if must_type and typed != must_type:
        return f"Type {must_type} to confirm. Nothing was begun."
    if action == BulkKind.DISABLE and not request.POST.get("reason", "").strip():
        return "Say why: it is shown to whoever looks at one of them. Nothing was begun."
    return ""


def _whom(selection: Mapping[str, Any], upload: str) -> str:
    if upload:
        return upload_title(upload)
    if "filter" in selection:
        return f"Everybody who matches: {filter_describe(selection['filter'])}."
    return "Those who were ticked."


def _dump(selection: Mapping[str, Any]) -> str:
    return orjson.dumps(selection).decode()
