"""A connection is read with its secrets, and nothing of them shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.config import Configuration, ConnectionType, files, load
from bridge.errors import ConfigurationError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

SALON = "accounts:\n  salon: {name: Salon Anna, time_zone: Europe/Amsterdam}\n"
CLINIC = "type: caldav, url: https://dav.example.org/, user: anna"
SECRET_URL = "https://partner.example.org/sesame.ics?key=sesame"


def read(folder: Path, connection: str, **environ: str) -> Configuration:
    path = folder / "bridge.yaml"
    path.write_text(f"{SALON}connections:\n  clinic: {{{connection}}}\n")
    return load(path, environ=environ)


def problems(folder: Path, connection: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, connection, **environ)
    return tuple(problem.partition("connections.clinic")[2] for problem in caught.value.problems)


def secret(folder: Path, name: str, text: str, *, mode: int = 0o600) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(mode)


def test_a_connection_needs_no_password_in_the_file_as_it_can_be_sealed_in_the_database(tmp_path: Path) -> None:
    configuration = read(tmp_path, CLINIC)
    clinic = configuration.connection("clinic")
    assert (clinic.type, clinic.url, clinic.user) == (ConnectionType.CALDAV, "https://dav.example.org/", "anna")
    assert clinic.password is None
    assert (clinic.rate, clinic.parallel, clinic.ca_file, clinic.allow_private) == (600, 4, None, False)
    assert configuration.warnings == ()


def test_a_connection_that_does_not_exist_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no connection 'clinix'.*Did you mean 'clinic'"):
        read(tmp_path, CLINIC).connection("clinix")


@pytest.mark.parametrize(
    "url",
    [
        "https://dav.example.org",
        "http://localhost:5233/anna/",
        "https://[2001:db8::1]:8443/remote.php/dav",
        "https://dav.example.org/Büro/",
        "dav.example.org",
        "localhost",
        "anna.de-vries@mail.example.org",
    ],
)
def test_a_caldav_address_is_an_address_a_host_or_a_mail_address(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f'type: caldav, url: "{url}", user: anna').connection("clinic").url == url


def test_a_mail_address_says_who_the_user_is_unless_another_is_named(tmp_path: Path) -> None:
    assert read(tmp_path, "type: caldav, url: anna@example.org").connection("clinic").user == "anna@example.org"
    assert read(tmp_path, "type: caldav, url: anna@example.org, user: a").connection("clinic").user == "a"


@pytest.mark.parametrize(
    "url",
    [
        "https://partner.example.org/rota.ics?key=1",
        "http://10.0.0.7:8080/rota.ics",
        "webcal://partner.example.org/rota.ics",
        "webcals://partner.example.org/rota.ics",
        "HTTPS://partner.example.org/",
    ],
)
def test_an_ics_address_is_kept_as_it_is_written(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f'type: ics, url: "{url}"').connection("clinic").url == url


def test_what_follows_the_hash_is_for_browsers_alone(tmp_path: Path) -> None:
    url = read(tmp_path, 'type: ics, url: "https://partner.example.org/rota.ics#today"').connection("clinic").url
    assert url == "https://partner.example.org/rota.ics"


@pytest.mark.parametrize(
    "url", ["file:///srv/the rota.ics", "file:/srv/the%20rota.ics", "file://localhost/srv/the rota.ics"]
)
def test_a_file_of_this_machine_has_one_written_form(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f'type: ics, url: "{url}"').connection("clinic").url == "file:///srv/the%20rota.ics"


def test_the_path_of_a_local_file_counts_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    url = read(tmp_path, 'type: ics, url: "file:rota.ics"').connection("clinic").url
    assert url == (tmp_path / "rota.ics").as_uri()


@pytest.mark.parametrize("url", ["file:", "file://server/share/rota.ics", '"file:a\\nb"'])
def test_a_file_of_another_machine_or_without_a_name_is_refused(tmp_path: Path, url: str) -> None:
    (problem,) = problems(tmp_path, f"type: ics, url: {url}" if url.startswith('"') else f'type: ics, url: "{url}"')
    assert "such as file:///srv/rota.ics" in problem


@pytest.mark.parametrize(
    ("kind", "url", "meant"),
    [
        ("caldav", "dav.example.org:8443/dav", "https://dav.example.org:8443/dav"),
        ("caldav", "nas", "https://nas"),
        ("ics", "partner.example.org/sesame.ics", "https://…"),
        ("ics", "/srv/sesame.ics", "file:…"),
        ("ics", "./sesame.ics", "file:…"),
    ],
)
def test_a_wrong_address_is_answered_with_what_was_meant_and_without_what_is_secret(
    tmp_path: Path, kind: str, url: str, meant: str
) -> None:
    (problem,) = problems(tmp_path, f'type: {kind}, url: "{url}", user: anna')
    assert f"did you mean '{meant}'?" in problem
    assert "sesame" not in problem


@pytest.mark.parametrize("url", ["12", "[a]", "true", "ftp://partner.example.org", "https://", '"x\\ny"'])
def test_an_ics_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    (problem,) = problems(tmp_path, f"type: ics, url: {url}")
    assert "an address that starts with https://" in problem


def test_blanks_in_an_address_are_named(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, 'type: ics, url: "https://partner.example.org/the rota.ics"')
    assert "%20 stands for one" in problem


@pytest.mark.parametrize("kind", ["caldav", "ics"])
def test_a_password_inside_the_address_is_refused_and_not_shown(tmp_path: Path, kind: str) -> None:
    (problem,) = problems(tmp_path, f'type: {kind}, url: "https://anna:sesame@dav.example.org/x", user: anna')
    assert "they are settings of their own: user, password_file" in problem
    assert "sesame" not in problem


def test_the_password_comes_from_a_file_or_from_the_environment_and_never_shows(tmp_path: Path) -> None:
    secret(tmp_path, "word", "open sesame\n")
    for source in ("password_file: word", 'password: "${WORD}"'):
        configuration = read(tmp_path, f"{CLINIC}, {source}", WORD="open sesame")
        password = configuration.connection("clinic").password
        assert password is not None
        assert password.get_secret_value() == "open sesame"
        assert configuration.warnings == ()
        assert "sesame" not in repr(configuration)


@pytest.mark.parametrize("written", ["sesame", "${WORD:-sesame}"])
def test_no_part_of_the_password_stands_in_the_clear(tmp_path: Path, written: str) -> None:
    (problem,) = problems(tmp_path, f'{CLINIC}, password: "{written}"', WORD="x")
    assert problem.startswith(".password: found a password in the clear; allowed: ${NAME} from the environment")
    assert "sesame" not in problem


@pytest.mark.parametrize("source", [f'url: "{SECRET_URL}"', 'url: "${URL}"', "url_file: address"])
def test_a_secret_address_is_used_and_never_shows(tmp_path: Path, source: str) -> None:
    secret(tmp_path, "address", f"{SECRET_URL}\n")
    configuration = read(tmp_path, f"type: ics, {source}", URL=SECRET_URL)
    partner = configuration.connection("clinic")
    assert partner.url == SECRET_URL
    assert partner.shown == "https://partner.example.org/…"
    assert "sesame" not in repr(configuration)
    assert configuration.warnings == ()


def test_the_address_of_a_server_is_no_secret(tmp_path: Path) -> None:
    assert read(tmp_path, CLINIC).connection("clinic").shown == "https://dav.example.org/"


def test_a_wrong_address_in_a_file_is_said_without_it(tmp_path: Path) -> None:
    secret(tmp_path, "address", "gopher://partner.example.org/sesame")
    (problem,) = problems(tmp_path, "type: ics, url_file: address")
    assert problem.startswith(".url_file: found a wrong value in the file 'address'")
    assert "sesame" not in problem


def test_a_file_that_cannot_serve_is_one_fault_and_not_two(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "type: ics, url_file: nowhere")
    assert problem.startswith(".url_file: found 'nowhere', which does not exist")


def test_a_type_that_is_not_there_yet_is_the_only_fault_that_is_told(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "type: microsoft, tenant: example.org")
    assert problem == (
        ".type: found 'microsoft'; allowed: caldav, google or ics (microsoft or exchange cannot be connected yet)"
    )


@pytest.mark.parametrize(
    ("written", "meant"), [("icloud", "caldav"), ("CalDAV", "caldav"), ("webcal", "ics"), ("gmail", "google")]
)
def test_a_type_by_another_name_is_answered_with_the_right_one(tmp_path: Path, written: str, meant: str) -> None:
    (problem,) = problems(tmp_path, f"type: {written}")
    assert f"did you mean '{meant}'?" in problem


def test_any_certificate_cannot_be_made_to_do(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"{CLINIC}, verify_tls: false")
    assert problem.startswith(".verify_tls: found an unknown setting")
    assert "ca_file" in problem


def test_a_private_authority_is_trusted_by_its_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert read(tmp_path, f"{CLINIC}, ca_file: ca.pem").connection("clinic").ca_file == tmp_path / "ca.pem"
    (tmp_path / "ca.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    (problem,) = problems(tmp_path, f"{CLINIC}, ca_file: ca.pem")
    assert "which holds no certificate in the form PEM" in problem


def test_the_files_of_a_connection_are_watched(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    secret(tmp_path, "address", SECRET_URL)
    secret(tmp_path, "word", "open sesame")
    configuration = read(tmp_path, "type: ics, url_file: address, user: anna, password_file: word, ca_file: ca.pem")
    assert {tmp_path / name for name in ("address", "word", "ca.pem")} <= set(files(configuration))


@pytest.mark.parametrize("setting", ["url_file", "password_file"])
def test_a_secret_of_a_connection_that_everyone_may_read_is_warned_of(tmp_path: Path, setting: str) -> None:
    secret(tmp_path, "address", SECRET_URL, mode=0o644 if setting == "url_file" else 0o600)
    secret(tmp_path, "word", "open sesame", mode=0o644 if setting == "password_file" else 0o600)
    (warning,) = read(tmp_path, "type: ics, url_file: address, user: anna, password_file: word").warnings
    assert f"connections.clinic.{setting}: every user of this machine may read" in warning


@pytest.mark.parametrize("host", ["dav.example.org", "10.0.0.7:8080", "[2001:db8::1]"])
def test_a_password_that_goes_over_the_network_in_the_clear_is_warned_of(tmp_path: Path, host: str) -> None:
    (warning,) = read(tmp_path, f'type: caldav, url: "http://{host}/", user: anna').warnings
    assert "connections.clinic.url: the password goes over the network for everyone to read" in warning


@pytest.mark.parametrize(
    "connection",
    [
        'type: caldav, url: "http://localhost:5233/", user: anna',
        'type: caldav, url: "http://127.0.0.1:5233/", user: anna',
        'type: caldav, url: "http://[::1]/", user: anna',
        'type: ics, url: "http://partner.example.org/rota.ics"',
    ],
)
def test_http_without_a_password_or_within_this_machine_is_no_reason_to_warn(tmp_path: Path, connection: str) -> None:
    assert read(tmp_path, connection).warnings == ()
