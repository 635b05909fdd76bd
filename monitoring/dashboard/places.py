"""Addresses of the console. A page that is not installed has none; what would lead there leads nowhere."""

from typing import Any

from django.urls import NoReverseMatch, reverse


def place(name: str, *args: Any) -> str:
    """The address of a page by the name of its URL, or nothing."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
