"""Tests what is checked before the first connection is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.bootstrap.serving import check_certificate
from bridge.config import Configuration, Server, Tls
from bridge.errors import ConfigurationError
from tests.system.certificates import write_certificate

if TYPE_CHECKING:
    from pathlib import Path


def with_tls(certificate: Path, key: Path) -> Configuration:
    return Configuration.model_construct(server=Server(tls=Tls(certificate=certificate, key=key)))


def test_a_server_without_a_certificate_needs_none() -> None:
    check_certificate(Configuration.model_construct(server=Server()))


def test_a_certificate_with_its_key_is_right(tmp_path: Path) -> None:
    check_certificate(with_tls(*write_certificate(tmp_path)))


def test_the_key_of_another_certificate_is_named(tmp_path: Path) -> None:
    certificate, _ = write_certificate(tmp_path, "one")
    _, key = write_certificate(tmp_path, "other")

    with pytest.raises(ConfigurationError, match=r"other\.key is not the key of the certificate .*one\.crt"):
        check_certificate(with_tls(certificate, key))


def test_a_key_with_a_password_is_refused_without_asking_for_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="locked with a password"):
        check_certificate(with_tls(*write_certificate(tmp_path, password=b"secret")))


@pytest.mark.parametrize("swapped", [True, False])
def test_what_is_no_certificate_is_refused(tmp_path: Path, *, swapped: bool) -> None:
    certificate, key = write_certificate(tmp_path)
    if not swapped:
        certificate.write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")

    with pytest.raises(ConfigurationError, match="cannot be read as a certificate and its key"):
        check_certificate(with_tls(key, certificate) if swapped else with_tls(certificate, key))
