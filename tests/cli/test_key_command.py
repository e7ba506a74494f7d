"""`key`: a new key seals every secret, and nothing else changes for anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store import sealed
from bridge.store.sealed import KeyFile

if TYPE_CHECKING:
    from bridge.bootstrap import Site
    from tests.cli.conftest import Installation


def test_a_rotation_seals_every_secret_with_the_new_key(installation: Installation, site: Site) -> None:
    path = site.configuration.secret_key_file
    with site.database.writing() as tx:
        sealed.keep(tx, site.keys, "token of a connection", b"secret")

    answer = installation.run("key", "rotate")

    assert (answer.code, answer.stderr) == (0, "")
    assert "1 secret sealed" in answer.stdout
    newest, _ = path.read_text().split()
    path.write_text(f"{newest}\n")
    with site.database.reading() as tx:
        assert sealed.recall(tx, KeyFile(path), "token of a connection") == b"secret"


def test_feed_addresses_outlive_a_rotation(installation: Installation) -> None:
    before = installation.run("feed", "url", "anna").stdout

    for _ in range(2):
        installation.run("key", "rotate")

    assert installation.run("feed", "url", "anna").stdout == before


def test_a_rotation_tells_a_program_what_it_did(installation: Installation, site: Site) -> None:
    path = site.configuration.secret_key_file
    assert installation.run("key", "rotate", "--json").json == {"key_file": str(path), "sealed_anew": 0}


def test_a_secret_that_no_key_opens_is_kept_and_the_remedy_is_said(installation: Installation, site: Site) -> None:
    path = site.configuration.secret_key_file
    with site.database.writing() as tx:
        sealed.keep(tx, site.keys, "token of a connection", b"secret")
    kept = path.read_bytes()
    path.unlink()
    KeyFile.make(path)

    answer = installation.run("key", "rotate")

    assert answer.code == 4
    assert "Restore the key file" in answer.stderr
    path.write_bytes(kept)
    with site.database.reading() as tx:
        assert sealed.recall(tx, KeyFile(path), "token of a connection") == b"secret"
