"""Writes docs/reference from the code: `python docs/generate.py`; with `--check` it only says what is out of date.

A test keeps the files equal to what is generated, so nobody edits them by hand.
"""  # noqa: INP001 -- a script beside the texts that it writes, no package

from __future__ import annotations

import inspect
import re
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

REFERENCE = Path(__file__).resolve().parent / "reference"
sys.path.insert(0, str(REFERENCE.parents[1]))

import click  # noqa: E402 -- the path above finds the package in a checkout that is not installed
from prometheus_client.metrics import MetricWrapperBase  # noqa: E402
from pydantic_core import PydanticUndefined  # noqa: E402

from bridge import errors  # noqa: E402
from bridge.cli.outcome import Exit, code_of  # noqa: E402
from bridge.cli.program import program  # noqa: E402
from bridge.config.model import Document  # noqa: E402
from bridge.config.schema import written  # noqa: E402
from bridge.config.shape import ANY, settings_at, walk  # noqa: E402
from bridge.radicale_plugin.refusal import refusal  # noqa: E402
from bridge.web import metrics  # noqa: E402
from bridge.web.rule_metrics import empty_gauges  # noqa: E402
from tests.sync import google_matrix  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic.fields import FieldInfo

_MADE = "<!-- Written by docs/generate.py; change the code that it describes, then run it again. -->"
_CHOSEN = {
    "accounts": "ACCOUNT",
    "resources": "RESOURCE",
    "users": "USER",
    "feeds": "FEED",
    "connections": "CONNECTION",
    "rules": "RULE",
}
# What a default_factory works out stands in the description.
_WORKED_OUT = {
    ("accounts", ANY, "resources", ANY, "time_zone"): "the account's",
    ("accounts", ANY, "resources", ANY, "order"): "the place in the file",
    ("feeds", ANY, "name"): "that of the resource or account",
    ("connections", ANY, "user"): "none, or the mail address in `url`",
    ("rules", ANY, "direction"): "`both`, for ics `pull`",
}


def pages() -> dict[str, str]:
    """The text of every page of the reference, by file name."""
    made = {
        "configuration.md": _configuration(),
        "commands.md": _commands(),
        "errors.md": _errors(),
        "metrics.md": _metrics(),
        "google-series.md": google_matrix.page(),
    }
    titles = {name: text.partition("# ")[2].partition("\n")[0] for name, text in made.items()}
    index = ["# Reference", "", "Generated from the code, so it says what the code does.", ""]
    index += [f"- [{title}]({name})" for name, title in titles.items()]
    return {name: f"{_MADE}\n\n{text.strip()}\n" for name, text in {"README.md": "\n".join(index), **made}.items()}


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _configuration() -> str:
    sections: dict[tuple[str, ...], list[tuple[tuple[str, ...], FieldInfo]]] = {}
    for place, field in walk(Document):
        sections.setdefault(place[:-1], []).append((place, field))
    lines = [
        "# Settings",
        "",
        "One YAML file, `bridge.yaml`, says what is served. [The example](../../config/bridge.example.yaml) shows",
        "every setting in use; `calbridge check-config` says what is wrong with a file. Relative paths count from the",
        "folder of the file; `${NAME}` stands for an environment variable, `${NAME:-word}` for one with a default.",
        "",
    ]
    for section, fields in sections.items():
        lines += [f"## {_section_title(section)}", ""]
        rows = ((f"`{place[-1]}`", _default(place, field), field.description or "") for place, field in fields)
        lines += [*_table(("setting", "default", "what it says"), rows), ""]
    lines += [
        "## Units",
        "",
        "Durations are a number and a unit: `s`, `m` (minutes), `h`, `d`, `w` or `y` (365 days). Sizes are a number of",
        "bytes with a unit, such as `500KB` or `20MiB`.",
    ]
    return "\n".join(lines)


def _section_title(section: tuple[str, ...]) -> str:
    if not section:
        return "The file"
    shown = [_CHOSEN[section[at - 1]] if step == ANY else step for at, step in enumerate(section)]
    return ".".join(shown)


def _default(place: tuple[str, ...], field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if settings_at(place):
        return "see below"
    if place in _WORKED_OUT:
        return _WORKED_OUT[place]
    if field.default is PydanticUndefined or field.default is None or field.default in ((), ""):
        return "none"
    return f"`{_in_yaml(written(field.default))}`"


def _in_yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value.value if isinstance(value, Enum) else value)


def _commands() -> str:
    lines = [
        "# Commands",
        "",
        "Every command takes `--help`. Where no `--config` is given, the file that the environment variable",
        "`CALBRIDGE_CONFIG` names is read, else `./bridge.yaml`, else `/etc/calbridge/bridge.yaml`.",
        "",
        "## Exit codes",
        "",
        *_table(("code", "what it means"), _exit_codes()),
        "",
        "Which error leads to which code is said in [Errors](errors.md).",
        "",
    ]
    for path, command in sorted(_walk_commands(program, ("calbridge",))):
        lines += [f"## {' '.join(path)}", "", *_command(path, command), ""]
    return "\n".join(lines)


def _exit_codes() -> Iterator[tuple[str, str]]:
    said = dict(re.findall(r"^ +(\d+)  (.+)$", program.epilog or "", re.MULTILINE))
    for code in Exit:
        yield str(code.value), said[str(code.value)]


def _walk_commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from _walk_commands(inner, (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    yield "```text"
    yield " ".join([*path, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    yield inspect.cleandoc(command.help or "").replace("\b\n", "")
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    rows = [
        (f"`{name}`", said.replace("\n", " "))
        for each in options
        if (record := each.get_help_record(context)) is not None
        for name, said in [record]
    ]
    if rows:
        yield ""
        yield from _table(("option", "what it does"), rows)


def _errors() -> str:
    lines = [
        "# Errors",
        "",
        "Every failure is one sentence that says what happened and to what, with a remedy where there is one. The same",
        "errors reach people through the command line (exit code) and calendar programs (HTTP status and, inside",
        "`DAV:error`, the precondition and the sentence).",
        "",
        "*Turn* says whose turn it is: `retry` (the same again may work soon), `person` (someone has to change",
        "something) or `never` (the same again will fail in the same way).",
        "",
        "```text",
        *_tree(errors.CalbridgeError, ""),
        "```",
        "",
    ]
    rows = (
        (f"`{each.__name__}`", each.turn.value, _answer(each), str(code_of(_example(each)).value), _first_line(each))
        for each in _family(errors.CalbridgeError)
    )
    return "\n".join([*lines, *_table(("error", "turn", "over CalDAV", "exit code", "meaning"), rows)])


def _tree(kind: type[errors.CalbridgeError], indent: str) -> Iterator[str]:
    if not indent:
        yield kind.__name__
    children = kind.__subclasses__()
    for child in children:
        last = child is children[-1]
        yield f"{indent}{'└── ' if last else '├── '}{child.__name__}"
        yield from _tree(child, f"{indent}{'    ' if last else '│   '}") if child.__subclasses__() else ()


def _family(kind: type[errors.CalbridgeError]) -> Iterator[type[errors.CalbridgeError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _example(kind: type[errors.CalbridgeError]) -> errors.CalbridgeError:
    more: dict[str, Any] = {"href": ""} if issubclass(kind, errors.UidConflict) else {}
    return kind("", **more)


def _answer(kind: type[errors.CalbridgeError]) -> str:
    status, _, body, _ = refusal(_example(kind))
    condition = re.search(rb"<([CD]:[a-z-]+)>", body if isinstance(body, bytes) else b"")
    return f"{int(status)}{f' `{condition[1].decode()}`' if condition else ''}"


def _first_line(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]


def _metrics() -> str:
    found = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    rows = []
    for each in found:
        (described,) = each.describe()
        name = f"{described.name}_total" if described.type == "counter" else described.name
        # The library has no public way to ask for them.
        labels = ", ".join(f"`{label}`" for label in each._labelnames) or "none"  # noqa: SLF001
        rows.append((f"`{name}`", described.type, labels, described.documentation))
    rows += [(f"`{each.name}`", each.type, "`rule`", each.documentation) for each in empty_gauges()]
    return "\n".join(
        [
            "# Metrics",
            "",
            "`/metrics` gives them in the text form of Prometheus. Several worker processes answer with their",
            "sum. With one worker there are also the `process_` and `python_` metrics of the Prometheus library.",
            "",
            *_table(("metric", "kind", "labels", "what it counts"), rows),
        ]
    )


def main(arguments: list[str]) -> int:
    """Writes the pages, or with `--check` names those that are out of date."""
    stale = []
    for name, text in pages().items():
        path = REFERENCE / name
        if not path.exists() or path.read_text() != text:
            stale.append(path)
    if "--check" in arguments:
        for path in stale:
            sys.stdout.write(f"{path.relative_to(REFERENCE.parents[1])} is out of date; run python docs/generate.py\n")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages()[path.name])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
