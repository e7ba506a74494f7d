from __future__ import annotations

import re
import shlex

import click
import pytest

from bridge.cli.program import program
from tests.docs.documents import Document, documents
from tests.repository import TOP

WRITTEN_BY_HAND = [each for each in documents() if not each.name.startswith("docs/reference/")]
CALL = re.compile(
    r"(?:ExecStart=|sudo -u calbridge |docker compose exec calbridge |docker compose run --rm (?=calbridge ))?"
    r"(?:\S*/)?calbridge (.+)"
)


def command_lines(document: Document) -> set[str]:
    """Every call of `calbridge` in the blocks and between backticks, from the word behind `calbridge` on."""
    blocks = [*document.blocks("sh"), *document.blocks("ini")]
    lines = [line for block in blocks for line in block.text.splitlines()]
    calls = (CALL.fullmatch(line.partition(" #")[0].strip()) for line in [*lines, *document.spans()])
    return {found[1] for found in calls if found}


def parse(call: str) -> None:
    """Reads a call as the program would, without doing it."""
    command: click.Command = program
    words = shlex.split(call)
    name = "calbridge"
    while isinstance(command, click.Group):
        assert words, f"{name} needs a command"
        found = command.commands.get(words[0])
        assert found is not None, f"{name} has no command {words[0]!r}"
        name, command, words = f"{name} {words[0]}", found, words[1:]
    # A name in the running text stands for the command; only a whole call has arguments.
    if words:
        command.make_context(name, words)


@pytest.mark.parametrize("document", WRITTEN_BY_HAND, ids=lambda document: document.name)
def test_every_command_that_a_document_shows_is_one_that_the_program_takes(document: Document) -> None:
    for call in sorted(command_lines(document)):
        try:
            parse(call)
        except click.ClickException as error:
            pytest.fail(f"calbridge {call}: {error.format_message()}")


def test_every_command_that_a_message_or_the_example_names_exists() -> None:
    files = [*(TOP / "bridge").rglob("*.py"), *(TOP / "config").glob("*.yaml")]
    calls = {
        (path.name, call) for path in files for call in re.findall(r"[`']calbridge ([a-z][^`']*)[`']", path.read_text())
    }
    assert len(calls) > 20
    for name, call in sorted(calls):
        command: click.Command | None = program
        for word in call.split():
            if not isinstance(command, click.Group):
                break
            command = command.commands.get(word)
        assert command is not None, f"{name} names `calbridge {call}`"


def test_the_documents_show_every_command() -> None:
    shown = {call for document in WRITTEN_BY_HAND for call in command_lines(document)}

    def paths(command: click.Command, path: str) -> list[str]:
        if isinstance(command, click.Group):
            return [each for name, inner in command.commands.items() for each in paths(inner, f"{path} {name}".strip())]
        return [path]

    missing = [path for path in paths(program, "") if not any(f"{call} ".startswith(f"{path} ") for call in shown)]
    # The Makefile starts the demo.
    assert missing in ([], ["demo"])


def test_the_commands_of_make_that_documents_show_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(), re.MULTILINE))
    for document in WRITTEN_BY_HAND:
        code = [line for block in document.blocks("sh") for line in block.text.splitlines()]
        for line in [*code, *document.spans()]:
            found = re.match(r"make ([a-z-]+)", line)
            assert found is None or found[1] in targets, line
