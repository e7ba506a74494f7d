from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bridge.config import Configuration, Dialect, Grant, Kind, Listen, Scope, files, fingerprint, load
from bridge.core.view import Detail
from bridge.errors import ConfigurationError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

SALON = """
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources:
      anna: {kind: employee, name: Anna de Vries, color: "#3367D6"}
      room-1: {kind: location, name: Room 1, time_zone: Europe/Paris, order: 7}
      laser: {kind: instrument, name: Laser}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "bridge.yaml"
    path.write_text(text)
    return path


def read(folder: Path, text: str, **environ: str) -> Configuration:
    return load(write(folder, text), environ=environ)


def problems(folder: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, text, **environ)
    return tuple(problem.partition("bridge.yaml")[2] for problem in caught.value.problems)


def test_one_account_is_enough(tmp_path: Path) -> None:
    configuration = read(tmp_path, SALON)
    assert configuration.server.listen == Listen("127.0.0.1", 5232)
    assert configuration.database.dialect is Dialect.SQLITE
    assert configuration.database.file == tmp_path / "data/calbridge.sqlite3"
    assert configuration.secret_key_file == tmp_path / "data/secret.key"
    assert configuration.path == tmp_path / "bridge.yaml"
    assert configuration.warnings == ()


def test_an_empty_section_counts_as_absent(tmp_path: Path) -> None:
    configuration = read(tmp_path, SALON + "server:\nusers:\nfeeds:\nlimits:\n  max_instances:\n")
    assert configuration == read(tmp_path, SALON)


def test_a_resource_has_the_zone_of_its_account_unless_it_has_its_own(tmp_path: Path) -> None:
    configuration = read(tmp_path, SALON)
    assert configuration.resource("salon/anna").time_zone == ZoneInfo("Europe/Amsterdam")
    assert configuration.resource("salon/room-1").time_zone == ZoneInfo("Europe/Paris")


def test_resources_are_ordered_as_they_stand_unless_they_say_otherwise(tmp_path: Path) -> None:
    found = [(account, key, each.order) for account, key, each in read(tmp_path, SALON).resources()]
    assert found == [("salon", "anna", 1), ("salon", "room-1", 7), ("salon", "laser", 3)]


def test_colours_are_written_in_one_way(tmp_path: Path) -> None:
    anna = read(tmp_path, SALON).resource("salon/anna")
    assert (anna.color, anna.kind) == ("#3367d6", Kind.EMPLOYEE)


def test_a_resource_that_does_not_exist_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Did you mean 'salon/anna'"):
        read(tmp_path, SALON).resource("salon/ana")


def test_a_grant_on_a_resource_goes_before_one_on_its_account(tmp_path: Path) -> None:
    users = "users: {boss: {grants: {salon/laser: read, salon: write}}, bob: {grants: {salon/anna: read}}, eve: }"
    configuration = read(tmp_path, SALON + users)
    assert dict(configuration.grants_of("boss")) == {
        ("salon", "anna"): Grant.WRITE,
        ("salon", "room-1"): Grant.WRITE,
        ("salon", "laser"): Grant.READ,
    }
    assert dict(configuration.grants_of("bob")) == {("salon", "anna"): Grant.READ}
    assert dict(configuration.grants_of("eve")) == {}


def test_a_feed_has_defaults_and_the_name_of_what_it_shows(tmp_path: Path) -> None:
    feeds = "feeds: {a: {of: salon/anna}, b: {of: salon, detail: busy, past: all, future: 2w, name: Busy}}"
    configuration = read(tmp_path, SALON + feeds)
    first, second = configuration.feed("a"), configuration.feed("b")
    assert (first.name, first.of, first.detail) == ("Anna de Vries", Scope("salon", "anna"), Detail.FULL)
    assert (first.past, first.future) == (timedelta(days=90), timedelta(days=730))
    assert (second.name, second.past, second.future) == ("Busy", None, timedelta(days=14))
    assert configuration.resources_of(second.of) == (("salon", "anna"), ("salon", "room-1"), ("salon", "laser"))


def test_the_environment_fills_any_value(tmp_path: Path) -> None:
    text = SALON + 'server: {workers: "${WORKERS}", public_url: "https://${HOST}/${PATH_:-cal}/"}\n'
    configuration = read(tmp_path, text, WORKERS="4", HOST="cal.example.org")
    assert configuration.server.workers == 4
    assert configuration.server.public_url == "https://cal.example.org/cal"


def test_a_doubled_dollar_stands_for_itself(tmp_path: Path) -> None:
    text = SALON.replace("Salon Anna", "Salon $${ANNA} $5")
    assert read(tmp_path, text).account("salon").name == "Salon ${ANNA} $5"


def test_a_password_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    secret = tmp_path / "boss"
    secret.write_text(" open sesame \n")
    secret.chmod(0o600)
    configuration = read(tmp_path, SALON + "users: {boss: {password_file: boss}}")
    password = configuration.user("boss").password
    assert password is not None
    assert password.get_secret_value() == " open sesame "
    assert configuration.warnings == ()
    assert "sesame" not in repr(configuration)


def test_a_secret_that_everyone_may_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "boss").write_text("open sesame")
    (tmp_path / "boss").chmod(0o644)
    configuration = read(tmp_path, SALON + "users: {boss: {password_file: boss}}")
    (warning,) = configuration.warnings
    assert "users.boss.password_file: every user of this machine may read 'boss'" in warning


def test_a_user_without_a_password_is_warned_of(tmp_path: Path) -> None:
    (warning,) = read(tmp_path, SALON + "users: {bob: {}}").warnings
    assert "users.bob: no password" in warning


def test_the_database_password_never_shows(tmp_path: Path) -> None:
    text = SALON + 'database: "postgresql://anna:${WORD}@db.example.org:5433/cal?sslmode=require"'
    configuration = read(tmp_path, text, WORD="sesame")
    assert "sesame" not in repr(configuration)
    assert configuration.database.url == "postgresql+psycopg://anna:sesame@db.example.org:5433/cal?sslmode=require"
    assert configuration.database.shown == "postgresql://anna:…@db.example.org:5433/cal?…"


def test_the_database_address_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "database").write_text("postgresql:///cal\n")
    (tmp_path / "database").chmod(0o600)
    configuration = read(tmp_path, SALON + "database_file: database")
    assert configuration.database.url == "postgresql+psycopg:///cal"
    assert tmp_path / "database" in files(configuration)


def test_a_wrong_address_in_a_database_file_is_said_without_it(tmp_path: Path) -> None:
    (tmp_path / "database").write_text("mysql://anna:sesame@db/cal\n")
    (problem,) = problems(tmp_path, SALON + "database_file: database")
    assert problem.startswith(":10: database_file: found a wrong value in the file 'database'")
    assert "sesame" not in problem


def test_every_fault_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SALON.replace("employee", "employe").replace("Europe/Paris", "Europe/Pari") + "users: {bob: {admin: yes}}"
    assert [each.partition(": found")[0] for each in problems(tmp_path, text)] == [
        ":7: accounts.salon.resources.anna.kind",
        ":8: accounts.salon.resources.room-1.time_zone",
        ":10: users.bob.admin",
    ]


def test_a_file_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        load(tmp_path / "bridge.yaml", environ={})


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    configuration = read(tmp_path, SALON)
    with pytest.raises(TypeError):
        configuration.accounts["other"] = configuration.account("salon")  # type: ignore[index]  # the point of the test


def test_a_fingerprint_differs_when_a_file_comes_changes_or_goes(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    seen = {fingerprint([path])}
    for content in ("a", "bb"):
        path.write_text(content)
        seen.add(fingerprint([path]))
    path.with_name("new").write_text("bb")
    path.with_name("new").replace(path)
    seen.add(fingerprint([path]))
    assert len(seen) == 4
    assert fingerprint([path]) == fingerprint([path])


@pytest.mark.parametrize("written", ["sesame", "${WORD:-sesame}", "sesame${WORD}"])
def test_no_part_of_a_password_stands_in_the_clear(tmp_path: Path, written: str) -> None:
    (problem,) = problems(tmp_path, SALON + f'users: {{bob: {{password: "{written}"}}}}', WORD="x")
    assert "users.bob.password: found a password in the clear" in problem
    assert "sesame" not in problem


def test_a_password_from_the_environment_is_taken_and_never_shown(tmp_path: Path) -> None:
    configuration = read(tmp_path, SALON + 'users: {bob: {password: "${WORD}"}}', WORD="sesame")
    password = configuration.user("bob").password
    assert password is not None
    assert password.get_secret_value() == "sesame"
    assert "sesame" not in repr(configuration)


def test_a_wrong_database_address_is_quoted_without_its_password(tmp_path: Path) -> None:
    for address in ("mysql://anna:sesame@${HOST}/cal", "postgresql://anna:sesame@db", "anna:sesame@db"):
        (problem,) = problems(tmp_path, SALON + f'database: "{address}"', HOST="db")
        assert "database: found '" in problem
        assert "sesame" not in problem


def test_a_database_password_in_a_file_for_everyone_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, SALON + "database: postgresql://anna:sesame@db/cal")
    path.chmod(0o600)
    assert load(path, environ={}).warnings == ()
    path.chmod(0o644)
    (warning,) = load(path, environ={}).warnings
    assert "database: every user of this machine may read the password" in warning


def test_files_of_the_auth_options_count_from_the_folder_and_are_watched(tmp_path: Path) -> None:
    auth = "auth: {type: htpasswd, options: {htpasswd_filename: users, delay: 2, lc_username: true}}"
    (tmp_path / "users").write_text("anna:$5$salt$hash\n")
    configuration = read(tmp_path, SALON + auth)
    assert dict(configuration.auth.options) == {
        "htpasswd_filename": str(tmp_path / "users"),
        "delay": "2",
        "lc_username": "True",
    }
    assert tmp_path / "users" in files(configuration)


@pytest.fixture
def ldap3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package, as far as it is looked for."""
    (tmp_path / "ldap3.py").touch()
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("ldap3")
def test_the_secrets_of_the_auth_options_never_show(tmp_path: Path) -> None:
    auth = "auth: {type: ldap, options: {ldap_uri: ldap://x, ldap_secret: sesame}}"
    configuration = read(tmp_path, SALON + auth)
    assert configuration.auth.options["ldap_secret"] == "sesame"
    assert "sesame" not in repr(configuration)


@pytest.mark.usefixtures("ldap3")
def test_a_password_that_another_way_of_login_ignores_is_warned_of(tmp_path: Path) -> None:
    text = SALON + 'auth: {type: ldap}\nusers: {bob: {password: "${WORD}"}, eve: {}}'
    (warning,) = read(tmp_path, text, WORD="x").warnings
    assert "users.bob: the password is not used, as auth.type is ldap" in warning


def test_all_files_that_matter_are_watched(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem", "boss"):
        (tmp_path / name).write_text("x")
    text = SALON + "server: {tls: {certificate: cert.pem, key: key.pem}}\nusers: {boss: {password_file: boss}}"
    names = [str(file.relative_to(tmp_path)) for file in files(read(tmp_path, text))]
    assert names == ["bridge.yaml", "data/secret.key", "cert.pem", "key.pem", "boss"]


def test_anchors_and_merges_save_repetition(tmp_path: Path) -> None:
    text = SALON + "users:\n  a: &team {admin: true, grants: {salon: read}}\n  b: {<<: *team, admin: false}\n"
    configuration = read(tmp_path, text)
    assert configuration.grants_of("b") == configuration.grants_of("a")
    assert (configuration.user("a").admin, configuration.user("b").admin) == (True, False)


def test_a_file_of_another_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SALON.replace("\n", "\r\n").encode())
    assert load(path, environ={}).account("salon").name == "Salon Anna"


def test_two_readings_of_one_file_are_equal(tmp_path: Path) -> None:
    assert read(tmp_path, SALON) == read(tmp_path, SALON)
    assert read(tmp_path, SALON) != read(tmp_path, SALON.replace("Laser", "Lamp"))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"x" * 70_000, "is larger than 64 KiB"),
        (b"caf\xe9", "is not in UTF-8 (line 1)"),
        (b"\n", "is empty"),
        (b"one\ntwo\n", "holds more than one line of text"),
    ],
)
def test_a_password_file_that_holds_no_password_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "boss").write_bytes(content)
    (problem,) = problems(tmp_path, SALON + "users: {boss: {password_file: boss}}")
    assert (
        problem == f":10: users.boss.password_file: found 'boss', which {why}; allowed: a file that the server may read"
    )


def test_a_pipe_in_place_of_a_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "boss")
    (problem,) = problems(tmp_path, SALON + "users: {boss: {password_file: boss}}")
    assert "which is no file" in problem


def test_a_name_that_is_too_long_for_a_file_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, SALON + f"users: {{boss: {{password_file: {'x' * 300}}}}}")
    assert "which cannot be read (File name too long)" in problem
