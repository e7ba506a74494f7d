"""Tests `doctor`: what is wrong is found, named and given a remedy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bridge.cli.machine_checks import clock, time_zones
from bridge.cli.outcome import Exit
from tests.cli.conftest import calendar, event
from tests.system.process import unused_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Installation
    from tests.cli.remote import Remote


def findings(installation: Installation, *words: str) -> dict[str, list[tuple[str, str, str]]]:
    found: dict[str, list[tuple[str, str, str]]] = {}
    for each in installation.run("doctor", *words, "--json").json["findings"]:
        found.setdefault(each["check"], []).append((each["state"], each["sentence"], each["remedy"]))
    return found


def states(installation: Installation, check: str) -> set[str]:
    return {state for state, _, _ in findings(installation).get(check, [])}


def change(installation: Installation, old: str, new: str) -> None:
    text = installation.config.read_text()
    assert old in text
    installation.config.write_text(text.replace(old, new))


def certificate(folder: Path, *, ends: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cal.example.org")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    (folder / "cal.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cal.key").write_bytes(private)
    (folder / "cal.key").chmod(0o600)


def test_a_sound_installation_has_no_findings(installation: Installation) -> None:
    answer = installation.run("doctor", "--deep")

    assert answer.code == 0, answer.stdout
    assert answer.stdout.splitlines()[-1].endswith(" ok, 0 warn, 0 bad")


def test_every_finding_that_is_not_fine_has_a_remedy(installation: Installation) -> None:
    change(installation, "salon: write", "salon/anna: write")
    change(installation, 'server: {listen: "127.0.0.1:5232"}', 'server: {listen: "0.0.0.0:5232"}')
    (installation.config.parent / "data/secret.key").chmod(0o644)
    answer = installation.run("doctor", "--json")

    assert answer.code == Exit.PART
    wrong = [each for each in answer.json["findings"] if each["state"] != "ok"]
    assert {each["check"] for each in wrong} >= {"public URL", "key file"}
    assert [each for each in wrong if not each["remedy"]] == []


def test_a_key_or_database_that_everybody_may_read_is_found(installation: Installation) -> None:
    data = installation.config.parent / "data"
    assert states(installation, "key file") == states(installation, "database file") == {"ok"}
    (data / "secret.key").chmod(0o644)
    (data / "calbridge.sqlite3").chmod(0o644)

    assert states(installation, "key file") == {"bad"}
    assert states(installation, "database file") == {"warn"}


def test_a_resource_that_nobody_sees_is_named(installation: Installation) -> None:
    change(installation, "salon: write", "salon/anna: write")
    change(installation, "  busy: {of: salon, detail: busy}\n", "")

    assert findings(installation)["resources"][0][1] == "Nobody sees salon/room-1."


def test_a_user_without_any_password_is_named(installation: Installation) -> None:
    change(installation, "  boss:", "  piet: {grants: {salon: read}}\n  boss:")
    assert "warn" in states(installation, "users")

    installation.run("user", "app-password", "piet", "--label", "phone")
    assert states(installation, "users") == {"ok"}


def test_passwords_of_a_user_who_is_gone_are_found(installation: Installation) -> None:
    installation.run("user", "app-password", "boss", "--label", "phone")
    change(installation, "  boss:", "  chief:")

    (found,) = findings(installation)["app passwords"]
    assert found[2] == "calbridge user revoke boss --all"


@pytest.mark.parametrize(
    ("server", "check", "state"),
    [
        ('{listen: "0.0.0.0:5232"}', "public URL", "warn"),
        ('{public_url: "http://cal.example.org"}', "public URL", "bad"),
        ('{public_url: "https://cal.example.org", trusted_proxies: [127.0.0.1]}', "public URL", "ok"),
        ('{public_url: "https://cal.example.org"}', "proxies", "warn"),
        ('{public_url: "https://cal.example.org", trusted_proxies: ["0.0.0.0/0"]}', "proxies", "bad"),
        ('{public_url: "https://cal.example.org", trusted_proxies: [127.0.0.1]}', "proxies", "ok"),
    ],
)
def test_what_people_type_must_be_safe(installation: Installation, server: str, check: str, state: str) -> None:
    change(installation, '{listen: "127.0.0.1:5232"}', server)

    assert states(installation, check) == {state}


@pytest.mark.parametrize(("days", "state"), [(60, "ok"), (10, "warn"), (-1, "bad")])
def test_a_certificate_that_ends_soon_is_found(installation: Installation, days: int, state: str) -> None:
    certificate(installation.config.parent, ends=datetime.now(UTC) + timedelta(days=days))
    change(installation, '{listen: "127.0.0.1:5232"}', "{tls: {certificate: cal.pem, key: cal.key}}")

    assert states(installation, "certificate") == {state}


def test_a_database_that_is_not_there_is_found(installation: Installation) -> None:
    (installation.config.parent / "data/calbridge.sqlite3").unlink()
    (found,) = findings(installation)["database"]

    assert (found[0], found[2]) == ("bad", "`calbridge init` makes it.")


def test_a_database_that_cannot_be_opened_is_found_with_its_own_words(installation: Installation) -> None:
    database = installation.config.parent / "data/calbridge.sqlite3"
    database.unlink()
    database.mkdir()
    (found,) = findings(installation)["database"]

    assert (found[0], found[2]) == ("bad", "The database says: unable to open database file")


def test_a_database_of_a_newer_version_is_found(installation: Installation) -> None:
    with closing(sqlite3.connect(installation.config.parent / "data/calbridge.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")

    assert states(installation, "database") == {"bad"}
    assert installation.run("feed", "list").code == Exit.DATABASE


def test_appointments_that_were_changed_behind_the_servers_back_are_found(installation: Installation) -> None:
    installation.run("import", "-", "--into", "salon/anna", typed=calendar(event("a"), event("b")))
    assert findings(installation, "--deep")["appointments"][0][:2] == (
        "ok",
        "All 2 can be read, and are as they were stored.",
    )
    with closing(sqlite3.connect(installation.config.parent / "data/calbridge.sqlite3")) as database, database:
        of_uid = "WHERE etag = (SELECT etag FROM placement WHERE uid = ?)"
        moved = "CAST(replace(CAST(raw AS TEXT), 'SUMMARY:Cut', 'SUMMARY:Cat') AS BLOB)"
        database.execute(f"UPDATE body SET raw = {moved} {of_uid}", ["a"])  # noqa: S608 -- the test's own words
        database.execute(f"UPDATE body SET raw = CAST('nonsense' AS BLOB) {of_uid}", ["b"])  # noqa: S608 -- the test's own words

    found = findings(installation, "--deep")["appointments"]
    assert [state for state, _, _ in found] == ["bad", "bad"]
    assert "not those that were stored" in found[0][1]


def test_a_configuration_that_is_wrong_is_refused_before_all_else(installation: Installation) -> None:
    change(installation, "employee", "person")

    assert installation.run("doctor").code == Exit.CONFIGURATION


def test_a_clock_in_the_past_is_found(tmp_path: Path) -> None:
    (found,) = clock(datetime(2001, 1, 1, tzinfo=UTC), tmp_path)
    assert found.state == "bad"


def test_a_clock_that_the_file_system_contradicts_is_found(tmp_path: Path) -> None:
    (found,) = clock(datetime.now(UTC) + timedelta(hours=1), tmp_path)
    assert found.state == "warn"


def test_a_folder_that_cannot_be_written_does_not_stop_the_look_at_the_clock(tmp_path: Path) -> None:
    (found,) = clock(datetime.now(UTC), tmp_path / "nowhere")
    assert found.state == "ok"


def test_old_zone_data_is_found() -> None:
    (found,) = time_zones(datetime.now(UTC) + timedelta(days=3650))
    assert found.state == "warn" or "names no version" in found.sentence


def test_a_connection_without_a_password_is_named_without_asking_anybody(installation: Installation) -> None:
    assert "connections" not in findings(installation)
    text = installation.config.read_text()
    lines = 'connections:\n  clinic: {type: caldav, url: "http://127.0.0.1:9/", user: alice}\n'
    installation.config.write_text(text + lines)
    ((state, sentence, remedy),) = findings(installation)["connections"]
    assert (state, remedy) == ("warn", "calbridge connect clinic")
    assert "clinic" in sentence


def test_connections_and_the_calendars_of_rules_are_tried_when_asked_to(clinic: Remote) -> None:
    assert "rules" not in findings(clinic.installation)
    found = findings(clinic.installation, "--connections")
    assert [state for state, _, _ in found["connections"]] == ["ok"]
    assert clinic.name in found["rules"][0][1]

    clinic.configure(clinic.rule_line(name="Opening hours"), clinic.rule_line("lost", name="Wrok"))
    clinic.server.make_calendar("Work")
    found = findings(clinic.installation, "--connections")
    fixed, lost = found["rules"]
    assert (fixed[0], lost[0]) == ("bad", "bad")
    assert "nothing may be written" in fixed[1]
    assert "Work" in lost[2]


def test_a_connection_that_leads_nowhere_is_bad(clinic: Remote) -> None:
    change(clinic.installation, clinic.server.url, f"http://127.0.0.1:{unused_port()}/")
    answer = clinic.run("doctor", "--connections")
    assert answer.code == Exit.PART
    assert "Connection 'clinic'" in answer.stdout
