"""Which IP addresses belong to the public internet.

The lists are the IANA special-purpose registries for IPv4 and IPv6 (2025-10), written out because
`ipaddress.is_private` and `is_global` changed between patch releases of Python (3.11.10, 3.12.4).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this host: Linux connects 0.0.0.0 to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT, and the metadata service of Alibaba
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent: a public number that answers inside only
        "169.254.0.0/16",  # link-local, and the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments, and the metadata service of Oracle
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")  # all that IANA has given out; loopback, ULA, fe80 are outside
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, with Teredo and ORCHID
        "2001:db8::/32",
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str | Address) -> bool:
    """Whether a stranger on the internet could have this address. An unreadable text is not public.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, NAT64) is judged by what it carries.
    """
    if isinstance(address, str):
        try:
            address = ip_address(address)
        except ValueError:
            return False
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _NOT_PUBLIC_V4)
    carried = _carried(address)
    if carried is not None:
        return is_public(carried)
    return address in _GLOBAL_V6 and not any(address in block for block in _NOT_PUBLIC_V6)


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
