from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import edit
from bridge.config.edit import add_user, set_password_hash
from bridge.config.load import load
from bridge.config.references import unknown_names
from bridge.errors import CalbridgeError, ConfigurationError, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bridge.config.problems import Problem
    from bridge.config.tree import Node

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$oIIOGFNFbC+TBOvxOFeZOg"
OTHER = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHR0$1oRTHHK4oIIOGFNFbC+TBA"

SALON = """\
# Our salon.
accounts:
  salon: {name: Salon,   time_zone: Europe/Amsterdam, resources: {anna: {kind: employee, name: Anna}}}
"""

USERS = """\
users:   # who may come in
  anna:
    grants: {salon/anna:   write}   # hers
    password_file: secrets/anna     # until she chooses one

  # The boss sees all.
  boss: {admin: true}

# Feeds come last.
feeds: {}
"""


def edited(folder: Path, text: str) -> Path:
    path = folder / "bridge.yaml"
    path.write_bytes(text.encode())
    return path


def test_a_new_user_stands_after_the_others_and_before_the_next_section(tmp_path: Path) -> None:
    path = edited(tmp_path, SALON + USERS)
    add_user(path, "bob", password_hash=HASH, grants={"salon/anna": "read"}, admin=True)
    assert path.read_text() == (SALON + USERS).replace(
        "  boss: {admin: true}\n",
        "  boss: {admin: true}\n"
        f'  bob:\n    password_hash: "{HASH}"\n    admin: true\n    grants:\n      salon/anna: read\n',
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\nusers:\n  bob: {}\n"),
        ("users:\n", "users:\n  bob: {}\n"),
        ("users: # nobody yet\nfeeds:\n", "users: # nobody yet\n  bob: {}\nfeeds:\n"),
        ("users: ~\n", "users:\n  bob: {}\n"),
        ("users: {}\n", "users:\n  bob: {}\n"),
        ("users: { } # nobody yet\nfeeds: {}\n", "users: # nobody yet\n  bob: {}\nfeeds: {}\n"),
        ("users: &team {}\n", "users: &team {bob: {}}\n"),
        ("users: {anna: {} }", "users: {anna: {}, bob: {} }"),
        ("users: {anna: {}, }", "users: {anna: {}, bob: {} }"),
        ("users:\n    anna:\n", "users:\n    anna:\n    bob: {}\n"),
        ("users:\n  anna: {}", "users:\n  anna: {}\n  bob: {}"),
        ("users:\r\n  anna: {}\r\n", "users:\r\n  anna: {}\r\n  bob: {}\r\n"),
    ],
)
def test_a_new_user_fits_into_whatever_stands_there(tmp_path: Path, before: str, after: str) -> None:
    path = edited(tmp_path, SALON + before)
    add_user(path, "bob")
    assert path.read_bytes().decode() == SALON + after
    assert "bob" in load(path, environ={}).users


def test_a_hash_takes_the_place_of_a_password_file_and_every_comment_stays(tmp_path: Path) -> None:
    path = edited(tmp_path, SALON + USERS)
    set_password_hash(path, "anna", HASH)
    assert path.read_text() == (SALON + USERS).replace("password_file: secrets/anna", f'password_hash: "{HASH}"')


def test_a_hash_takes_the_place_of_a_hash(tmp_path: Path) -> None:
    path = edited(tmp_path, SALON + f"users: {{anna: {{password_hash: '{HASH}', admin: true}}}}\n")
    set_password_hash(path, "anna", OTHER)
    assert path.read_text() == SALON + f'users: {{anna: {{password_hash: "{OTHER}", admin: true}}}}\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  anna:\n", '  anna: {password_hash: "HASH"}\n'),
        ("  anna: ~ # none\n", '  anna: {password_hash: "HASH"} # none\n'),
        ("  anna: {}\n", '  anna: {password_hash: "HASH"}\n'),
        ("  anna: {admin: true}\n", '  anna: {admin: true, password_hash: "HASH"}\n'),
        ("  anna:\n    admin: true\n", '  anna:\n    password_hash: "HASH"\n    admin: true\n'),
        ("  anna:\n    password: ${WORD}\n", '  anna:\n    password_hash: "HASH"\n'),
    ],
)
def test_a_first_hash_fits_into_whatever_stands_there(tmp_path: Path, before: str, after: str) -> None:
    path = edited(tmp_path, f"{SALON}users:\n{before}")
    set_password_hash(path, "anna", HASH)
    assert path.read_text() == f"{SALON}users:\n{after}".replace("HASH", HASH)


def test_the_mode_of_the_file_and_a_link_to_it_are_kept(tmp_path: Path) -> None:
    path = edited(tmp_path, SALON)
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    add_user(link, "bob")
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bridge.yaml", "link.yaml"]


def test_a_user_is_not_added_twice(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="a user 'boss' already"):
        add_user(edited(tmp_path, SALON + USERS), "boss")


def test_the_password_of_an_unknown_user_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Did you mean 'anna'"):
        set_password_hash(edited(tmp_path, SALON + USERS), "ana", HASH)


def test_what_the_file_would_not_take_is_not_written(tmp_path: Path) -> None:
    path = edited(tmp_path, SALON)
    for wrong in (
        {"name": "a/b"},
        {"name": "bob", "password_hash": "sesame"},
        {"name": "bob", "grants": {"salon/ana": "read"}},
        {"name": "bob", "grants": {"salon/anna": "own"}},
        {"name": "bob", "email": "bob"},
    ):
        with pytest.raises(ConfigurationError):
            add_user(path, **wrong)
        assert path.read_text() == SALON


def test_a_hash_shared_by_an_alias_is_left_to_a_person(tmp_path: Path) -> None:
    text = f'{SALON}users:\n  anna: &same {{password_hash: "{HASH}"}}\n  bob: *same\n'
    path = edited(tmp_path, text)
    with pytest.raises(ConfigurationError, match="by hand"):
        set_password_hash(path, "bob", OTHER)
    assert path.read_text() == text


def test_a_broken_file_is_not_changed(tmp_path: Path) -> None:
    path = edited(tmp_path, SALON + "users: {anna: {}\n")
    with pytest.raises(ConfigurationError, match="must be right before") as caught:
        set_password_hash(path, "anna", HASH)
    assert ":5: found text that is no YAML" in caught.value.problems[0]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        add_user(tmp_path / "bridge.yaml", "bob")


def test_a_file_that_cannot_be_replaced_stays_as_it_is(tmp_path: Path) -> None:
    # The new text gets a longer name until it is whole, which this folder cannot hold.
    path = tmp_path / ("x" * 250 + ".yaml")
    path.write_text(SALON)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        add_user(path, "bob")
    assert path.read_text() == SALON


def test_a_new_user_stands_before_the_comment_that_ends_the_file(tmp_path: Path) -> None:
    text = SALON + "feeds: {}\nusers:\n  anna:\n    grants:\n      salon: read # all\n  # the end\n"
    path = edited(tmp_path, text)
    add_user(path, "bob", email="bob@example.org", personal_calendars=True)
    added = "  bob:\n    personal_calendars: true\n    email: bob@example.org\n"
    assert path.read_text() == text.replace("# all\n", f"# all\n{added}")


def test_a_new_user_stands_after_a_list_of_lines(tmp_path: Path) -> None:
    # What a user cannot have is not for this command to judge; it only finds the end.
    path = edited(tmp_path, SALON + "users:\n  anna:\n    grants:\n    - salon\n# end\n")
    add_user(path, "bob")
    assert path.read_text().endswith("    - salon\n  bob: {}\n# end\n")


def test_a_file_in_braces_stays_in_braces(tmp_path: Path) -> None:
    path = edited(tmp_path, '{"accounts": {"salon": {"name": "S", "time_zone": "Europe/Paris"}}}')
    add_user(path, "bob", grants={"salon": "read"}, admin=True)
    add_user(path, "on")
    assert path.read_text().endswith(', users: {bob: {admin: true, grants: {salon: read}}, "on": {}}}')
    assert list(load(path, environ={}).users) == ["bob", "on"]


@given(name=st.text(min_size=1, max_size=12))
def test_any_name_is_written_so_that_it_is_read_again_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    path = edited(tmp_path_factory.mktemp("edit"), SALON)
    try:
        add_user(path, name, grants={"salon": "read"})
    except CalbridgeError:
        assert path.read_text() == SALON
    else:
        assert list(load(path, environ={}).users) == [name]


ADD = """
import sys
from pathlib import Path
from bridge.config.edit import add_user
print("ready", flush=True)
sys.stdin.readline()
add_user(Path(sys.argv[1]), sys.argv[2])
"""


def test_users_added_by_six_commands_at_once_are_all_there(tmp_path: Path) -> None:
    path = edited(tmp_path, SALON)
    names = [f"user{number}" for number in range(6)]
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", ADD, str(path), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]
    for command in commands:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
    for command in commands:
        assert command.stdin is not None
        command.stdin.write("\n")
        command.stdin.flush()
    for command in commands:
        command.communicate(timeout=60)
    assert [command.returncode for command in commands] == [0] * 6
    assert sorted(load(path, environ={}).users) == names


def test_a_change_that_an_editor_makes_meanwhile_is_kept_and_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = edited(tmp_path, SALON + USERS)

    def saved_meanwhile(tree: Node) -> Iterator[Problem]:
        path.write_text(SALON + USERS + "# saved\n")
        return unknown_names(tree)

    monkeypatch.setattr(edit, "unknown_names", saved_meanwhile)
    with pytest.raises(Conflict, match="changed by somebody else"):
        add_user(path, "bob")
    assert path.read_text() == SALON + USERS + "# saved\n"
    assert [each.name for each in tmp_path.iterdir()] == ["bridge.yaml"]
