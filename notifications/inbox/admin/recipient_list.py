"""The people that notifications went to: found by id or login, never counted."""

import time
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from notifications.inbox.admin.forms import number_of
from notifications.inbox.admin.pages import InboxConsole
from notifications.inbox.admin.people import LOGIN_MOST, people_named
from notifications.inbox.models import Client, Recipient
from notifications.inbox.selectors.pods import connected

PAGE = 50
WINDOW = 20_000  # rows
BUDGET_S = 0.15  # after that no further window is opened

_WISHES = (
    ~Q(muted_sources=[])
    | Q(quiet_from__isnull=False)
    | Q(telegram_id__isnull=False)
    | Q(fallback_after_s__isnull=False)
)
# name: label, what it means, the rows.
SHOWN: dict[str, tuple[str, str, Q]] = {
    "": ("All", "Everybody that a notification or a connection has made known.", Q()),
    "connected": ("Connected now", "With an open socket on some pod.", Q()),
    "unread": ("With unread", "With notifications that nobody has read yet.", Q(unread__gt=0)),
    "wishes": ("With preferences", "Mute something, keep quiet hours, or have Telegram.", _WISHES),
}


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Some people, and where the next page starts (None: this was the last).

    is_partial: the search stopped before the page was full; those after it were not looked at.
    """

    people: list[Recipient]
    after: int | None
    is_partial: bool = False


class RecipientLists(InboxConsole):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        wanted = request.GET.get("q", "").strip()
        which = request.GET.get("show", "")
        which = which if which in SHOWN else ""
        after = _id_of(request.GET.get("after", ""))
        if wanted:
            found = people_named(wanted, most=2)
            if len(found) == 1:
                address = reverse("admin:inbox_recipient_change", args=[found[0].pk])
                return HttpResponseRedirect(address)
            page = _searched(wanted, after)
        else:
            page = _shown(which, after)
        current = number_of(request.GET.get("page", "")) or 1
        query = {"q": wanted} if wanted else {"show": which} if which else {}
        more = urlencode({**query, "after": page.after or "", "page": current + 1})
        return self.show(
            request,
            "recipients",
            "Recipients",
            page=page,
            devices=connected(row.pk for row in page.people),
            wanted=wanted,
            which=which,
            choices=[(name, label, hint) for name, (label, hint, _) in SHOWN.items()],
            number=current,
            first=f"?{urlencode(query)}",
            following=f"?{more}" if page.after else "",
        )


def _shown(which: str, after: int | None) -> PeoplePage:
    rows = Recipient.objects.order_by("-pk")
    if which == "connected":
        ids = Client.objects.values_list("recipient_id").distinct()
        return _page(_older(rows.filter(pk__in=ids), after))
    matching = rows.filter(SHOWN[which][2])
    if not which:
        return _page(_older(matching, after))
    began = time.monotonic()
    found: list[Recipient] = []
    while True:
        lowest = _older(rows, after).values_list("pk", flat=True)[WINDOW - 1 : WINDOW].first()
        rest = _older(matching, after)
        found += (rest.filter(pk__gte=lowest) if lowest else rest)[: PAGE + 1 - len(found)]
        if len(found) > PAGE or lowest is None:
            return _page(found)
        after = lowest
        if time.monotonic() - began > BUDGET_S:
            return PeoplePage(found, after, is_partial=True)


def _searched(wanted: str, after: int | None) -> PeoplePage:
    """Those that are named exactly, else those whose login begins so (an index has the order)."""
    exact = people_named(wanted, most=PAGE)
    if exact:
        return PeoplePage(exact, None)
    if "\x00" in wanted or len(wanted) > LOGIN_MOST:
        return PeoplePage([], None)
    rows = Recipient.objects.filter(login__startswith=wanted).order_by("-pk")
    return _page(_older(rows, after))


def _older(rows: QuerySet[Recipient], after: int | None) -> QuerySet[Recipient]:
    return rows if after is None else rows.filter(pk__lt=after)


def _page(rows: "QuerySet[Recipient] | list[Recipient]") -> PeoplePage:
    found = list(rows[: PAGE + 1])
    return PeoplePage(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None)


def _id_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
