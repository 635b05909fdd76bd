"""Which addresses a stranger on the internet could have."""

import pytest

from lib.addresses import is_public


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "149.154.167.220", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"],
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "100::1",
        "64:ff9b:1::1",
    ],
)
def test_addresses_of_the_inside_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("form", ["::ffff:{}", "64:ff9b::{}"])
def test_an_ipv4_address_in_an_ipv6_one_is_judged_by_itself(form: str) -> None:
    assert is_public(form.format("1.1.1.1"))
    assert not is_public(form.format("127.0.0.1"))
    assert not is_public(form.format("169.254.169.254"))


def test_a_6to4_address_is_judged_by_what_it_carries() -> None:
    assert is_public("2002:0101:0101::1")  # 1.1.1.1
    assert not is_public("2002:7f00:0001::1")  # 127.0.0.1


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "1.2.3.4.5", "0x7f.1"])
def test_what_is_not_an_address_is_not_public(text: str) -> None:
    assert not is_public(text)
