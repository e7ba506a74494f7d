"""Tests the pages through the one application in front of them, as a browser and a monitor ask for them."""

from __future__ import annotations

import shutil
from contextlib import closing
from html.parser import HTMLParser
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

from bridge.bootstrap import now
from bridge.config import Account, Configuration, Server
from bridge.store.database import Database
from bridge.web.pages import pages
from bridge.wsgi import Front

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PAGES = ("/", "/healthz", "/readyz", "/metrics")


def nothing(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Stands where the other faces are."""
    start_response("204 No Content", [])
    return []


class Site:
    """The pages over a real database, behind the real front."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "calbridge.sqlite3"
        self.database = Database(f"sqlite:///{self.file}", clock=now)
        self.database.migrate()
        self.names: list[str] = ["Salon Anna"]
        self.server = Server()
        web = pages(self.database, configuration=self.configuration)
        self.client = Client(Front(dav=nothing, feed=nothing, web=web, configuration=self.configuration))

    def configuration(self) -> Configuration:
        zone = ZoneInfo("Europe/Amsterdam")
        accounts = {str(key): Account(name=name, time_zone=zone) for key, name in enumerate(self.names)}
        return Configuration.model_construct(accounts=accounts, server=self.server)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with closing(made.database):
        yield made


class Outline(HTMLParser):
    """Reads a page: its elements, the texts of its codes and headings, where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.append(tag)
        self._open.append(tag)
        self.links += [given["href"] or ""] if tag == "a" else []
        self.loaded += [given[name] or "" for name in ("src", "data") if name in given]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.texts.setdefault(self._open[-1], []).append(data.strip())


def test_the_start_page_names_the_accounts_and_the_address(site: Site) -> None:
    site.names = ["Salon Anna", "Praxis Süd", "School"]
    outline = Outline(site.client.get("/", base_url="http://cal.example.org").text)

    assert outline.texts["h1"] == ["Calendars of Salon Anna, Praxis Süd and School"]
    assert outline.texts["code"] == ["http://cal.example.org/dav/", "cal.example.org"]


def test_an_account_named_with_markup_is_shown_as_it_is_written(site: Site) -> None:
    name = """<script>alert("x")</script> & 'Co' {{ 7 * 7 }}"""
    site.names = [name]
    outline = Outline(site.client.get("/").text)

    assert outline.texts["h1"] == [f"Calendars of {name}"]
    assert "script" not in outline.elements


@pytest.mark.parametrize("path", ["/", "/<script>alert(1)</script>"])
def test_a_host_that_a_stranger_makes_up_is_not_markup(site: Site, path: str) -> None:
    page = site.client.get(path, headers={"Host": 'x"><script>alert(1)</script>'})

    assert "<script" not in page.text


def test_the_public_address_is_shown_however_the_page_was_reached(site: Site) -> None:
    site.server = Server(public_url="https://cal.example.org")
    outline = Outline(site.client.get("/", base_url="http://10.0.0.7:5232").text)

    assert outline.texts["code"] == ["https://cal.example.org/dav/", "cal.example.org"]


@pytest.mark.parametrize(
    ("server", "headers"),
    [
        (Server(path_prefix="/cal"), {}),
        (Server(trusted_proxies=(ip_network("127.0.0.1"),)), {"X-Forwarded-Prefix": "/cal"}),
        (Server(public_url="http://localhost/cal", path_prefix="/cal"), {}),
    ],
)
def test_below_a_prefix_every_address_has_it(site: Site, server: Server, headers: dict[str, str]) -> None:
    site.server = server
    given = {"headers": headers, "environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
    start = Outline(site.client.get("/", **given).text)
    missing = Outline(site.client.get("/cal/nothing", **given).text)

    assert set(start.texts["code"]) == {"http://localhost/cal/dav/"}
    assert missing.links == ["/cal/"]


def test_an_unknown_path_leads_back_to_the_start_page(site: Site) -> None:
    answer = site.client.get("/admin")

    assert answer.status_code == 404
    assert Outline(answer.text).links == ["/"]


@pytest.mark.parametrize("path", ["/%E2%82%AC", "/%FF%FE", "/a%00b", "/%2e%2e/%2e%2e/etc/passwd"])
def test_odd_paths_are_not_found(site: Site, path: str) -> None:
    assert site.client.get(path).status_code == 404


@pytest.mark.parametrize("path", [*PAGES, "/nothing"])
def test_head_answers_as_get_without_the_body(site: Site, path: str) -> None:
    head, get = site.client.head(path), site.client.get(path)

    assert (head.status_code, head.data) == (get.status_code, b"")
    assert head.content_type == get.content_type


@pytest.mark.parametrize("path", PAGES[1:])
def test_options_tells_what_may_be_done(site: Site, path: str) -> None:
    assert set(site.client.options(path).headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", PAGES)
def test_nothing_can_be_sent_to_a_page(site: Site, path: str) -> None:
    assert site.client.post(path, data={"a": "b"}).status_code == 405


@pytest.mark.parametrize("path", [*PAGES, "/nothing"])
def test_a_page_loads_nothing_and_runs_nothing(site: Site, path: str) -> None:
    answer = site.client.get(path)
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))

    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert "script-src" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert Outline(answer.text).loaded == []


def test_the_server_is_alive_whatever_its_database_does(site: Site) -> None:
    site.database.close()
    site.file.unlink()

    assert (site.client.get("/healthz").status_code, site.client.get("/healthz").text) == (200, "ok\n")


def test_the_server_is_ready_while_its_database_answers(site: Site) -> None:
    assert (site.client.get("/readyz").status_code, site.client.get("/readyz").text) == (200, "ready\n")


def test_a_server_whose_database_is_gone_says_so_until_it_is_back(site: Site) -> None:
    site.database.close()
    away = site.file.with_suffix(".away")
    shutil.move(site.file, away)
    site.file.mkdir()
    answer = site.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.text.startswith("The database did not answer in time or is out of reach")
    assert answer.headers["Retry-After"] == "5"

    site.file.rmdir()
    shutil.move(away, site.file)
    assert site.client.get("/readyz").status_code == 200


def test_a_database_without_tables_is_not_ready(site: Site) -> None:
    site.database.close()
    site.file.unlink()

    assert site.client.get("/readyz").status_code == 503


def test_the_metrics_are_what_prometheus_reads(site: Site) -> None:
    site.client.get("/healthz")
    answer = site.client.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}

    assert answer.content_type.startswith("text/plain; version=")
    assert {"calbridge_requests", "calbridge_request_seconds", "calbridge_reloads"} <= set(families)
    assert families["calbridge_requests"].type == "counter"
    assert all(family.documentation for family in families.values())
    counted = {
        tuple(sample.labels.values()): sample.value
        for sample in families["calbridge_requests"].samples
        if sample.name.endswith("_total")
    }
    assert counted["web", "GET", "200"] >= 1
