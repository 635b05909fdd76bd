"""What the lists of the console have in common: pages, chips, quick links, an address to share."""

from typing import Any

from django.http import HttpRequest
from django.utils.http import urlencode

from jobs.admin.forms import FilterForm

MOST_PAGES = 10**9

Links = tuple[tuple[str, str], ...]  # (label, query) of what people look for most


def turning(request: HttpRequest, form: FilterForm, after: object) -> dict[str, Any]:
    """What a list needs besides its rows: form, chips, number, following, share.

    after: where the next page starts, as an address has it; None or empty: this is the last one.
    """
    asked = request.GET.get("page", "")
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= len(str(MOST_PAGES))
    number = int(asked) or 1 if is_number else 1
    following = ""
    if after not in (None, ""):
        here = urlencode({"after": str(after), "page": str(min(number + 1, MOST_PAGES))})
        following = f"?{form.query()}&{here}" if form.given() else f"?{here}"
    return {
        "form": form,
        "chips": form.chips(),
        "number": number,
        "following": following,
        "share": request.build_absolute_uri(f"{request.path}?{form.query()}".rstrip("?")),
    }


def quick_links(form: FilterForm, links: Links) -> list[tuple[str, str, bool]]:
    """(label, query, is it what is shown) of each."""
    given = urlencode(sorted(form.given().items()))
    return [(label, query, _sorted(query) == given) for label, query in links]


def _sorted(query: str) -> str:
    parts = [part.partition("=") for part in query.split("&") if part]
    return urlencode(sorted((name, value.replace("+", " ")) for name, _, value in parts))
