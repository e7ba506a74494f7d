"""Whatever keeps a rule from its work is named with its remedy, said once, and over as soon as the cause is gone."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.faults import Misdeed, Proxy, drop_before, faults, html_page, method, status
from tests.repository import TOP
from tests.system.certificates import write_certificate
from tests.system.elsewhere import PASSWORDS, Elsewhere, RemoteCalendar, elsewhere
from tests.system.process import Server, event, eventually, settings
from tests.system.ruling import adopted, command, problems, put, titles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 60.0
"""Seconds; after some failures a rule waits for up to twelve of its polls."""

_NAMES = """
import os, socket
_known = socket.getaddrinfo
def _getaddrinfo(host, *args, **options):
    if host != "upstream.test":
        return _known(host, *args, **options)
    if os.path.exists({known!r}):
        return _known("127.0.0.1", *args, **options)
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
socket.getaddrinfo = _getaddrinfo
"""


@dataclass
class Trouble:
    """One cause, under one rule of its own.

    Attributes:
        code: How the problem is named.
        remedy: What a person is told to do, in part.
        calendar: The remote calendar.
        begin: Brings the cause about.
        end: Takes it away.
        connection: Settings that differ from the usual.
    """

    code: str
    remedy: str
    calendar: RemoteCalendar
    begin: Callable[[], object]
    end: Callable[[], object]
    connection: dict[str, Any] = field(default_factory=dict)


def troubles(folder: Path, other: Elsewhere, stack: ExitStack) -> dict[str, Trouble]:
    """Every cause, by the name of its rule; none has begun."""

    def proxied(certificate: tuple[Path, Path] | None = None) -> Proxy:
        return stack.enter_context(faults(other.port, certificate=certificate))

    def scripted(code: str, remedy: str, misdeed: Any, **options: Any) -> Trouble:
        proxy = proxied()
        return Trouble(
            code,
            remedy,
            other.calendar(f"Behind {proxy.port}"),
            lambda: proxy.script(misdeed, times=None, **options),
            proxy.behave,
            {"url": f"http://127.0.0.1:{proxy.port}/"},
        )

    password = folder / "alices-password"
    password.write_text("secret")
    names = folder / "names"
    names.write_text("upstream.test")
    right, wrong = (write_certificate(folder, name) for name in ("right", "wrong"))
    trusted = folder / "trusted.pem"
    trusted.write_bytes(right[0].read_bytes())
    behind_tls = proxied(right)
    deleted = other.calendar("Deleted")
    return {
        "password": Trouble(
            "LoginRefused",
            "password",
            other.calendar("Password"),
            lambda: password.write_text("wrong"),
            lambda: password.write_text("secret"),
            {"password_file": str(password)},
        ),
        "host": Trouble(
            "HostUnknown",
            "spelt right",
            other.calendar("Host"),
            names.unlink,
            lambda: names.write_text("upstream.test"),
            {"url": f"http://upstream.test:{other.port}/"},
        ),
        "certificate": Trouble(
            "CertificateRefused",
            "ca_file",
            other.calendar("Certificate"),
            lambda: trusted.write_bytes(wrong[0].read_bytes()),
            lambda: trusted.write_bytes(right[0].read_bytes()),
            {"url": f"https://127.0.0.1:{behind_tls.port}/", "ca_file": str(trusted)},
        ),
        "deleted": Trouble("CalendarGone", "name one of them", deleted, deleted.erase, deleted.make_anew),
        "read-only": scripted("CalendarReadOnly", "the right to write", answered_by(stack, folder, other)),
        "quota": scripted("QuotaExceeded", "more room", status(507), when=method("PUT")),
        "throttled": scripted("Throttled", "", status(429, Retry_After="2")),
        "page": scripted("ListingDoubtful", "", html_page()),
        "down": scripted("UpstreamUnavailable", "", drop_before()),
    }


def answered_by(stack: ExitStack, folder: Path, other: Elsewhere) -> Misdeed:
    """Has requests answered by a server that shows the same calendars, and lets nobody write to them."""
    fixed = stack.enter_context(elsewhere(folder / "fixed", read_only=other))
    its = stack.enter_context(faults(fixed.port))
    return lambda request, _ask, _proxy: its.take(request.method, request.path, request.headers, request.body)


@dataclass
class Scene:
    """A server whose rules all get into trouble, and out of it again.

    Attributes:
        named: What each rule said of its problem while it lasted.
        said: What `calbridge status` showed meanwhile, with its exit code.
        metrics: What /metrics showed meanwhile.
    """

    server: Server
    troubles: dict[str, Trouble]
    named: dict[str, Any] = field(default_factory=dict)
    said: tuple[int, dict[str, Any]] = (0, {})
    metrics: str = ""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """All of it once: begin every cause, wait until each is named, end every cause, wait until each is over."""
    folder = tmp_path_factory.mktemp("trouble")
    with ExitStack() as stack:
        other = stack.enter_context(elsewhere(folder / "elsewhere"))
        causes = troubles(folder, other, stack)
        site = folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(_NAMES.format(known=str(folder / "names")))
        path = f"{site}:{TOP}"
        server = Server(folder, configured(causes, other), environ={**PASSWORDS, "PYTHONPATH": path})
        stack.callback(server.kill)
        server.start()
        eventually(lambda: all(adopted(server, key) for key in causes), "the first passes are done", within=PATIENCE)
        scene = Scene(server, causes)
        play(scene)
        yield scene


def configured(causes: dict[str, Trouble], other: Elsewhere) -> dict[str, Any]:
    usual = {"type": "caldav", "url": f"http://127.0.0.1:{other.port}/", "user": "alice"}
    configuration = settings(
        connections={
            key: {
                **usual,
                **({} if "password_file" in each.connection else {"password": "${ALICES_PASSWORD}"}),
                **each.connection,
            }
            for key, each in causes.items()
        },
        rules={
            key: {
                "resource": f"salon/{key}",
                "connection": key,
                "calendar": each.calendar.name,
                "poll": "1s",
                "window": {"past": "all", "future": "all"},
            }
            for key, each in causes.items()
        },
    )
    configuration["accounts"]["salon"]["resources"] = {key: {"kind": "employee", "name": key} for key in causes}
    configuration["feeds"] = {}
    return configuration


def play(scene: Scene) -> None:
    server, causes = scene.server, scene.troubles
    for key in causes:
        put(server, event(f"{key}-before", "Before"), f"/dav/anna/salon.{key}/")
    eventually(lambda: all(f"{key}-before" in each.calendar.titles() for key, each in causes.items()), "all work")
    for each in causes.values():
        each.begin()
    # These two are met with the next write only.
    met_by_reading = set(causes) - {"read-only", "quota"}
    eventually(lambda: met_by_reading <= set(problems(server)), "what reading meets is named", within=PATIENCE)
    for key in causes:
        put(server, event(f"{key}-meanwhile", "Meanwhile"), f"/dav/anna/salon.{key}/")
    eventually(lambda: set(problems(server)) == set(causes), "every problem is named", within=PATIENCE)
    scene.named = dict(problems(server))
    scene.said = command(server, "status", **PASSWORDS)
    scene.metrics = server.ask("GET", "/metrics").text
    for each in causes.values():
        each.end()
    eventually(lambda: not problems(server), "every problem is over", within=PATIENCE)


CAUSES = ("password", "host", "certificate", "deleted", "read-only", "quota", "throttled", "page", "down")


@pytest.mark.parametrize("key", CAUSES)
def test_the_problem_is_named_with_its_remedy(scene: Scene, key: str) -> None:
    problem, meant = scene.named[key], scene.troubles[key]

    assert problem.code == meant.code
    assert problem.sentence.endswith(".")
    assert meant.remedy in problem.remedy


@pytest.mark.parametrize("key", CAUSES)
def test_the_status_shows_it(scene: Scene, key: str) -> None:
    code, said = scene.said
    shown = {each["rule"]: each for each in said["rules"]}

    assert code == 5
    assert shown[key]["problem"]["code"] == scene.troubles[key].code
    assert shown[key]["problem"]["sentence"] == scene.named[key].sentence


@pytest.mark.parametrize("key", CAUSES)
def test_the_metrics_show_it(scene: Scene, key: str) -> None:
    assert re.search(rf'^calbridge_rule_problem\{{rule="{key}"\}} 1', scene.metrics, re.MULTILINE)


@pytest.mark.parametrize("key", CAUSES)
def test_the_rule_recovers_by_itself_and_brings_what_waited(scene: Scene, key: str) -> None:
    calendar = scene.troubles[key].calendar
    meant = {f"{key}-before": "Before", f"{key}-meanwhile": "Meanwhile"}

    eventually(lambda: calendar.titles() == meant, "both stand there, once", within=PATIENCE)
    assert titles(scene.server, f"/dav/anna/salon.{key}/") == meant


def test_nothing_is_said_to_be_done_that_was_not(scene: Scene) -> None:
    done = [each["rule"] for each in scene.server.events("pass_done") for _ in range(each["moves"]["create there"])]

    assert sorted(done) == sorted([*CAUSES, *CAUSES])


@pytest.mark.parametrize("key", CAUSES)
def test_the_log_has_one_line_for_the_beginning_and_one_for_the_end(scene: Scene, key: str) -> None:
    began = [each["problem"] for each in scene.server.events("rule_in_trouble") if each["rule"] == key]
    ended = [each["after"] for each in scene.server.events("rule_recovered") if each["rule"] == key]

    assert began == [scene.troubles[key].code]
    assert ended == [scene.troubles[key].code]


def test_no_secret_and_no_title_stands_in_the_log(scene: Scene) -> None:
    for secret in ("secret", "Meanwhile", "wrong"):
        assert secret not in scene.server.log.replace("secret.key", "")
