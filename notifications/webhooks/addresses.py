"""Where a webhook may go. Names are looked up, and their addresses judged, when a request is dialled:
what is checked here only spares people a mistake."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from lib.addresses import is_public
from notifications.webhooks.errors import AddressInvalid

_LONGEST = 2000


def permits(address: str) -> bool:
    """Whether a request may be sent to this IP address: public, or in a network that a site allows."""
    if is_public(address):
        return True
    found = ip_address(address)
    return any(found in network for network in settings.WEBHOOK_PRIVATE_NETWORKS)


def url_check(url: str) -> str:
    """The address without blanks around it. Raises AddressInvalid with a sentence for a person."""
    url = url.strip()
    if len(url) > _LONGEST or not url.isprintable() or " " in url:
        raise AddressInvalid(f"an address has at most {_LONGEST} characters, and no blanks")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressInvalid("this is no address of the form https://host/path") from None
    if parts.scheme not in ({"https", "http"} if settings.WEBHOOK_ALLOW_HTTP else {"https"}):
        raise AddressInvalid("the address must begin with https://")
    if not host or port == 0:
        raise AddressInvalid("this is no address of the form https://host/path")
    if parts.username is not None or parts.password is not None:
        raise AddressInvalid("the address holds a password; receivers check our signature instead")
    if parts.fragment:
        raise AddressInvalid("the part behind # never leaves a browser; leave it out")
    if not _may_be_reached(host):
        raise AddressInvalid(f"{host} is not on the public internet; nothing is sent there")
    return url


def _may_be_reached(host: str) -> bool:
    if host.rstrip(".") == "localhost" or host.endswith(".localhost"):
        return permits("127.0.0.1")
    try:
        ip_address(host)
    except ValueError:
        return True  # a name: judged when it is dialled
    return permits(host)
