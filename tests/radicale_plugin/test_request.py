"""A Destination header leads where a client behind any proxy means it, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.radicale_plugin.refusal import Refused
from bridge.radicale_plugin.request import Request, check_name


def request(destination: str | None, *, host: str = "cal.example.org", prefix: str = "/dav", **environ: Any) -> Request:
    headers = {} if destination is None else {"HTTP_DESTINATION": destination}
    return Request({"HTTP_HOST": host, **headers, **environ}, prefix, "/anna/a/x.ics", "anna", (), b"")


@pytest.mark.parametrize(
    ("destination", "host"),
    [
        ("/dav/anna/b/x.ics", "cal.example.org"),
        ("http://cal.example.org/dav/anna/b/x.ics", "cal.example.org"),
        ("http://cal.example.org:80/dav/anna/b/x.ics", "cal.example.org"),
        ("http://cal.example.org/dav/anna/b/x.ics", "cal.example.org:80"),
        ("HTTP://CAL.example.ORG/dav/anna/b/x.ics", "cal.example.org"),
        ("https://cal.example.org/dav/anna/b/x.ics", "cal.example.org"),
        ("https://cal.example.org:443/dav/anna/b/x.ics", "cal.example.org"),
        ("http://[::1]:5232/dav/anna/b/x.ics", "[::1]:5232"),
        ("https://public.example.org/dav/anna/b/x.ics", "10.0.0.7:5232"),
        ("/dav/anna//b/./x.ics", "cal.example.org"),
        ("/dav/anna/%62/x.ics", "cal.example.org"),
        ("http://cal.example.org/dav/anna/b/x.ics?query#fragment", "cal.example.org"),
    ],
)
def test_it_leads_to_a_calendar_here(destination: str, host: str) -> None:
    asked = request(destination, host=host)
    assert asked.destination(public_url="https://public.example.org") == "/anna/b/x.ics"


@pytest.mark.parametrize(
    "destination",
    [
        "http://elsewhere.example.org/dav/anna/b/x.ics",
        "http://cal.example.org:8080/dav/anna/b/x.ics",
        "//elsewhere.example.org/dav/anna/b/x.ics",
        "/other/anna/b/x.ics",
        "/davanna/b/x.ics",
        "/dav/../other/x.ics",
        "http://[",
        "http://cal.example.org:x/dav/anna/b/x.ics",
        "",
        None,
    ],
)
def test_it_leads_nowhere_else(destination: str | None) -> None:
    with pytest.raises(Refused) as refused:
        request(destination).destination(public_url="")
    assert refused.value.status in {400, 403}


def test_a_path_prefix_is_taken_off() -> None:
    assert request("/cal/dav/anna/b/x.ics", prefix="/cal/dav").destination(public_url="") == "/anna/b/x.ics"


@pytest.mark.parametrize("depth", ["0", "1", "infinity", " Infinity "])
def test_a_depth_is_one_of_three(depth: str) -> None:
    assert request(None, HTTP_DEPTH=depth).depth == depth.strip().lower()


def test_without_a_depth_it_is_0_as_calendar_clients_mean_it() -> None:
    assert request(None).depth == "0"


@pytest.mark.parametrize("name", ["x" * 1001, "é" * 501, "a\nb", "a\x00", "\u200b"])
def test_a_name_that_cannot_be_kept_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        check_name(name)
