from __future__ import annotations

import socket

import pytest

from bridge.errors import AddressRefused, HostUnknown, UpstreamUnavailable
from bridge.upstream.ics_url.addresses import allowed, resolve

PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e", "2002:5db8:d70e::1"]
PRIVATE = [
    *(
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fd12:3456::1",
        "fec0::1",
    ),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "198.18.0.1"),
]
NEVER = [
    *("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%lo", "224.0.0.1", "ff02::1", "ff0e::1", "0.0.0.0", "::"),
    *("255.255.255.255", "240.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"),
    *("fd00:ec2::254", "192.0.0.192", "100.100.100.200", "::127.0.0.1", "::ffff:0.0.0.0"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_asked(address: str) -> None:
    assert allowed("example.org", [address], allow_private=False) == (address,)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_asked_only_where_that_is_allowed(address: str) -> None:
    assert allowed("intranet", [address], allow_private=True) == (address,)
    with pytest.raises(AddressRefused, match="'intranet' is not asked: it has a private address") as refusal:
        allowed("intranet", [address], allow_private=False)
    assert "`allow_private: true`" in refusal.value.remedy


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("allow_private", [False, True])
def test_metadata_services_and_addresses_that_no_calendar_has_are_never_asked(
    address: str, *, allow_private: bool
) -> None:
    with pytest.raises(AddressRefused) as refusal:
        allowed("example.org", [address], allow_private=allow_private)
    assert refusal.value.remedy == ""


def test_of_a_host_with_several_addresses_those_are_asked_that_may_be() -> None:
    found = ["10.0.0.1", "93.184.215.14", "::1", "93.184.215.15"]
    assert allowed("example.org", found, allow_private=False) == ("93.184.215.14", "93.184.215.15")


def test_a_host_without_any_address_is_not_asked() -> None:
    with pytest.raises(AddressRefused, match="no address at all"):
        allowed("example.org", [], allow_private=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1"])
def test_however_loopback_is_written_it_is_known_for_what_it_is(host: str) -> None:
    with pytest.raises(AddressRefused, match="private"):
        allowed(host, resolve(host, 80), allow_private=False)


def test_localhost_has_addresses_and_each_of_them_once() -> None:
    found = resolve("localhost", 80)
    assert found
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("code", "kind"), [("EAI_NONAME", HostUnknown), ("EAI_AGAIN", UpstreamUnavailable)])
def test_a_host_that_does_not_exist_is_told_from_name_servers_that_do_not_answer(
    code: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(getattr(socket, code), "as the system says it")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(kind, match=r"'rota\.example'") as error:
        resolve("rota.example", 80)
    assert error.type is kind


@pytest.mark.parametrize("host", ["a" * 64 + ".example.org", "..", "a..b"])
def test_what_cannot_be_the_name_of_a_host_is_named(host: str) -> None:
    with pytest.raises(HostUnknown) as error:
        resolve(host, 80)
    assert error.value.message.endswith(".")
    assert error.value.remedy
