"""Which links Telegram keeps, and how it writes them.

A link that does not pass is dropped without an error: only its text stays.
"""

import re
from urllib.parse import urlsplit

_MENTION = re.compile(r"tg:(?://)?user\?(?:.*&)?id=(\d{1,19})(?:[&#].*)?$", re.IGNORECASE)
_DEEP_LINK = re.compile(r"(tg|ton):(?://)?([A-Za-z0-9_-]+)([/?#].*)?$", re.IGNORECASE)
_EMOJI = re.compile(r"tg://emoji\?(?:.*&)?id=(\d{1,19})(?:[&#].*)?$", re.IGNORECASE)
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def mentioned_user_id(url: str) -> int | None:
    """The user of tg://user?id=123, else None."""
    match = _MENTION.match(url)
    return int(match[1]) or None if match else None


def emoji_id(url: str) -> str | None:
    """The custom emoji of tg://emoji?id=123, else None."""
    match = _EMOJI.match(url)
    return match[1] if match else None


def checked_link(url: str) -> str | None:
    """The link as Telegram stores it, or None if it would be dropped.

    Only http, https, tg and ton; a host needs a dot, so http://localhost is dropped too. Without
    a scheme http is assumed, and an empty path becomes "/".
    """
    url = url.strip()
    deep = _DEEP_LINK.match(url)
    if deep:
        return f"{deep[1].lower()}://{deep[2]}{deep[3] or ''}"
    if not _HAS_SCHEME.match(url):
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or not _is_host(host):
        return None
    where = f"[{host}]" if ":" in host else host
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    rest = parts._replace(scheme="", netloc="").geturl()
    if not rest.startswith("/"):
        rest = f"/{rest}"
    return f"{parts.scheme}://{login}{where}{f':{port}' if port else ''}{rest}"


def _is_host(host: str) -> bool:
    if ":" in host:
        return True
    return "." in host.strip(".") and not re.search(r"[\s<>\"\\^`{|}]", host)
