from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.core.model import ComponentType
from bridge.errors import AddressRefused, CalendarGone, LoginRefused, Throttled, UpstreamError, UpstreamUnavailable
from bridge.upstream.caldav.discovery import named_host
from bridge.upstream.caldav.services import Service
from bridge.upstream.protocol import RemoteCalendar
from tests.system.certificates import write_certificate
from tests.upstream.caldav.connecting import connected
from tests.upstream.caldav.small_server import CALENDAR, HOME, PRINCIPAL, Manners, Reply, Request, small_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_NAMESPACES = (
    'xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/" '
    'xmlns:a="http://apple.com/ns/ical/" xmlns:n="http://nextcloud.com/ns"'
)
CAL = "<collection/><c:calendar/>"


def no_services(_: str) -> Sequence[Service]:
    return ()


def told(*responses: tuple[str, str]) -> Reply:
    """A 207 about these hrefs, each with its properties."""
    body = "".join(
        f"<response><href>{href}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status></propstat>"
        "<propstat><prop><x/></prop><status>HTTP/1.1 404 Not Found</status></propstat></response>"
        for href, properties in responses
    )
    return Reply(207, f"<multistatus {_NAMESPACES}>{body}</multistatus>".encode())


def types(names: str) -> str:
    return f"<resourcetype>{names}</resourcetype>"


def paths(answers: dict[tuple[str, str], Reply]) -> Callable[[Request], Reply]:
    """Answers by path and depth, and 404 to everything else."""
    return lambda request: answers.get((request.path, request.headers.get("depth", "")), Reply(404))


@pytest.mark.parametrize("path", ["", "/", PRINCIPAL, HOME, CALENDAR, CALENDAR.rstrip("/"), "/wrong/place/", "/1/"])
def test_the_calendars_are_found_from_any_address_of_the_server(path: str) -> None:
    with small_server() as server, connected(f"{server.site}{path}", resolver=no_services) as upstream:
        assert upstream.calendars() == (
            RemoteCalendar(
                server.calendar, "Work", writable=True, components=frozenset(ComponentType), color="#ff8800"
            ),
        )


def test_nothing_is_told_of_a_way_that_is_plain() -> None:
    with small_server() as server, connected(server.site) as upstream:
        found = upstream.discover()

        assert found.notes == ()


def test_the_last_part_of_an_all_inkl_address_is_dropped_and_that_is_said() -> None:
    with small_server() as server, connected(f"{server.site}{HOME}1/") as upstream:
        found = upstream.discover()

        assert [calendar.id for calendar in found.calendars] == [server.calendar]
        assert any("All-Inkl" in note for note in found.notes)


def test_a_server_whose_root_is_a_website_is_found_at_its_well_known_place() -> None:
    for root in (Reply(405), Reply(404), Reply(200, b"<html>Hi</html>"), Reply(500), Reply(403)):
        with small_server() as server, connected(server.site) as upstream:

            def before(request: Request, root: Reply = root) -> Reply | None:
                if request.path == "/.well-known/caldav":
                    return Reply(301, headers={"Location": PRINCIPAL})
                return root if request.path == "/" else None

            server.before = before
            assert [calendar.id for calendar in upstream.calendars()] == [server.calendar]


@pytest.mark.parametrize("place", ["/principals/", "/dav/", "/caldav.php/", "/remote.php/dav/", "/alice/"])
def test_a_server_without_a_well_known_place_is_found_where_such_servers_are(place: str) -> None:
    with small_server() as server, connected(server.site) as upstream:

        def before(request: Request) -> Reply | None:
            if request.path == place:
                return server.usual(Request(request.method, PRINCIPAL, request.headers, request.body))
            return Reply(404) if request.path in {"/", "/.well-known/caldav"} else None

        server.before = before
        assert [calendar.id for calendar in upstream.calendars()] == [server.calendar]


def test_a_home_without_a_principal_is_found_by_what_it_holds() -> None:
    with small_server() as server, connected(f"{server.site}/dav/") as upstream:
        server.before = paths(
            {
                ("/dav/", "0"): told(("/dav/", types("<collection/>"))),
                ("/dav/", "1"): told(("/dav/", types("<collection/>")), ("/dav/a/", types(CAL))),
            }
        )
        assert [calendar.name for calendar in upstream.calendars()] == ["a"]


def test_only_calendars_are_listed_each_with_what_it_says_of_itself() -> None:
    kinds = '<c:supported-calendar-component-set><c:comp name="{}"/></c:supported-calendar-component-set>'
    may = "<current-user-privilege-set><privilege><{}/></privilege></current-user-privilege-set>"
    default = f"<c:schedule-default-calendar-URL><href>{HOME}b/</href></c:schedule-default-calendar-URL>"
    with small_server() as server, connected(server.site) as upstream:
        listing = told(
            (HOME, types("<collection/>")),
            (f"{HOME}inbox/", types("<collection/><c:schedule-inbox/>") + default),
            (f"{HOME}outbox/", types("<collection/><c:schedule-outbox/>")),
            (f"{HOME}main/", types(f"{CAL}<c:schedule-outbox/>")),
            (f"{HOME}sub/", types(f"{CAL}<s:subscribed/>")),
            (f"{HOME}bin/", types(f"{CAL}<n:trash-bin/>")),
            (f"{HOME}old/", types("<collection/><n:deleted-calendar/>")),
            (f"{HOME}cards/", types("<collection/>")),
            (f"{HOME}free/", types(CAL) + kinds.format("VFREEBUSY")),
            (f"{HOME}a%20b", types(CAL) + kinds.format("vevent") + may.format("read")),
            (
                f"{HOME}b/",
                types(CAL) + "<displayname>Zoë &amp; Co</displayname><a:calendar-color>red</a:calendar-color>",
            ),
            (f"{HOME}c/", types(CAL) + kinds.format("VTODO") + may.format("write-content")),
        )
        server.before = lambda request: listing if request.path == HOME and request.headers["depth"] == "1" else None
        every = frozenset(ComponentType)
        home = f"{server.site}{HOME}"

        assert upstream.calendars() == (
            RemoteCalendar(f"{home}main/", "main", writable=True, components=every),
            RemoteCalendar(f"{home}a%20b/", "a b", writable=False, components=frozenset({ComponentType.VEVENT})),
            RemoteCalendar(f"{home}b/", "Zoë & Co", writable=True, components=every, primary=True),
            RemoteCalendar(f"{home}c/", "c", writable=True, components=frozenset({ComponentType.VTODO})),
        )


def test_a_password_in_the_clear_is_noted() -> None:
    # The address of no host leads to this machine, and is not known for that.
    with small_server() as server, connected(f"http://0.0.0.0:{server.port}/") as upstream:
        found = upstream.discover()

        assert [calendar.name for calendar in found.calendars] == ["Work"]
        assert ["password" in note for note in found.notes] == [True]


def test_several_homes_are_read_and_one_that_cannot_be_is_noted() -> None:
    with small_server() as other, small_server() as server, connected(server.site) as upstream:
        homes = "".join(f"<href>{each}</href>" for each in (HOME, other.site + HOME, "/none/", "http://evil.example/"))
        principal = told((PRINCIPAL, f"<c:calendar-home-set>{homes}</c:calendar-home-set>"))
        server.before = lambda request: principal if request.path == PRINCIPAL else None
        found = upstream.discover()

        assert [calendar.id for calendar in found.calendars] == [server.calendar, other.calendar]
        assert len(found.notes) == 2
        assert "/none/" in found.notes[0]
        assert "another site" in found.notes[1]


def test_a_mail_domain_is_found_by_its_services(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    asked: list[str] = []
    with small_server(certificate=certificate) as server:

        def resolver(domain: str) -> Sequence[Service]:
            asked.append(domain)
            return (Service("127.0.0.1", server.port, HOME),)

        with connected("anna@Example.ORG", resolver=resolver) as upstream:
            with pytest.raises(AddressRefused) as raised:
                upstream.calendars()
            assert f"https://127.0.0.1:{server.port}{HOME}" in raised.value.remedy
            assert not server.requests
        with connected(f"127.0.0.1:{server.port}", verify=str(certificate[0]), resolver=resolver) as upstream:
            assert upstream.calendars()
    assert asked == ["example.org"]


def test_a_service_on_another_host_of_the_site_is_asked(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    with small_server(certificate=certificate) as server:
        url = f"https://127.0.0.1:{server.port}/wrong/"
        with connected(url, verify=str(certificate[0])) as upstream:
            server.before = lambda request: Reply(404) if request.path != "/alice/" else None
            with pytest.raises(CalendarGone):
                upstream.calendars()


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        ("https://apidata.googleusercontent.com/caldav/v2/", "google"),
        ("anna@gmail.com", "google"),
        ("outlook.office365.com", "ics"),
        ("anna@hotmail.com", "ics"),
    ],
)
def test_providers_that_are_reached_in_another_way_are_named_with_it(named: str, kind: str) -> None:
    with connected(named) as upstream, pytest.raises(AddressRefused) as raised:
        upstream.calendars()
    assert f"type: {kind}" in raised.value.remedy


@pytest.mark.parametrize("named", ["", "ftp://dav.example.org/", "https://"])
def test_what_is_no_address_is_refused(named: str) -> None:
    with connected(named) as upstream, pytest.raises(AddressRefused, match="no address"):
        upstream.calendars()


def test_apple_mail_addresses_lead_to_icloud() -> None:
    assert named_host("anna@me.com") == named_host("anna@icloud.com") == "caldav.icloud.com"
    assert named_host("mailto:anna@example.org") == "example.org"
    assert named_host("Dav.Example.org:8443/x") == "dav.example.org"


def test_a_refused_login_is_tried_twice_at_the_most() -> None:
    for path, most in (("/", 2), (HOME, 1)):
        with small_server() as server, connected(f"{server.site}{path}") as upstream:
            server.before = lambda _: Reply(401, headers={"WWW-Authenticate": "Basic"})
            with pytest.raises(LoginRefused) as raised:
                upstream.calendars()
            assert "alice" in raised.value.message
            assert len(server.requests) <= most


def test_a_server_that_answers_nobody_in_particular_has_refused_the_login() -> None:
    anonymous = told(("/", "<current-user-principal><unauthenticated/></current-user-principal>"))
    with small_server() as server, connected(server.site) as upstream:
        server.before = lambda _: anonymous
        with pytest.raises(LoginRefused, match="does not take alice"):
            upstream.calendars()


def test_a_user_without_calendars_is_told_so() -> None:
    with small_server() as server, connected(server.site) as upstream:
        empty = told((HOME, types("<collection/>")))
        server.before = lambda request: empty if request.path == HOME else None
        with pytest.raises(CalendarGone, match="alice has no calendars") as raised:
            upstream.calendars()
        assert raised.value.remedy


def test_a_user_whose_only_home_cannot_be_read_is_told_why() -> None:
    with small_server() as server, connected(server.site) as upstream:
        server.before = lambda request: Reply(403) if request.path == HOME else None
        with pytest.raises(LoginRefused):
            upstream.calendars()


_TROUBLE: dict[str, tuple[Reply, type[UpstreamError]]] = {
    "nothing there": (Reply(404), CalendarGone),
    "a website": (Reply(200, b"<html>Hi</html>"), CalendarGone),
    "forbidden": (Reply(403), LoginRefused),
    "broken": (Reply(500), UpstreamUnavailable),
    "an empty answer": (Reply(207), UpstreamUnavailable),
    "an answer about nothing": (told(), UpstreamUnavailable),
    "too many requests": (Reply(429), Throttled),
    "elsewhere": (Reply(302, headers={"Location": "https://login.example.org/"}), AddressRefused),
}


@pytest.mark.parametrize("trouble", _TROUBLE)
def test_a_host_without_calendars_says_what_it_is_instead(trouble: str) -> None:
    reply, kind = _TROUBLE[trouble]
    with small_server() as server, connected(server.site) as upstream:
        server.before = lambda _: reply
        with pytest.raises(kind) as raised:
            upstream.calendars()
        assert raised.value.message.endswith(".")


def test_a_throttled_home_is_no_empty_one() -> None:
    with small_server(Manners()) as server, connected(server.site) as upstream:
        server.before = lambda request: Reply(429) if request.path == HOME else None
        with pytest.raises(Throttled):
            upstream.calendars()


def test_a_server_that_names_its_users_by_no_address_is_doubtful() -> None:
    with small_server() as server, connected(server.site) as upstream:
        odd = told(("/", "<current-user-principal><href>urn:uuid:1</href></current-user-principal>"))
        server.before = lambda _: odd
        with pytest.raises(UpstreamUnavailable, match="no address"):
            upstream.calendars()


def test_hrefs_that_are_no_addresses_are_no_calendars() -> None:
    with small_server() as server, connected(server.site) as upstream:
        default = "<c:schedule-default-calendar-URL><href>urn:uuid:1</href></c:schedule-default-calendar-URL>"
        listing = told(("urn:uuid:2", types(CAL)), (CALENDAR, types(CAL) + default))
        server.before = lambda request: listing if request.path == HOME else None

        assert [(calendar.id, calendar.primary) for calendar in upstream.calendars()] == [(server.calendar, False)]


def test_a_host_without_a_domain_is_not_looked_up_in_the_dns() -> None:
    with small_server() as server:
        named = f"http://localhost:{server.port}/"
        server.before = lambda _: Reply(404)
        with connected(named, resolver=pytest.fail) as upstream, pytest.raises(CalendarGone):
            upstream.calendars()


def test_a_principal_that_is_forbidden_leaves_what_the_address_itself_shows() -> None:
    with small_server() as server, connected(server.calendar) as upstream:
        own = told(
            (
                CALENDAR,
                types(CAL) + f"<current-user-principal><href>{PRINCIPAL}</href></current-user-principal>",
            )
        )
        server.before = lambda request: {CALENDAR: own, PRINCIPAL: Reply(403)}.get(request.path)

        assert [calendar.id for calendar in upstream.calendars()] == [server.calendar]


def test_a_place_that_is_no_home_at_depth_one_has_no_calendars() -> None:
    with small_server() as server, connected(f"{server.site}/dav/") as upstream:
        server.before = paths({("/dav/", "0"): told(("/dav/", types("<collection/>")))})
        with pytest.raises(CalendarGone):
            upstream.calendars()


def test_a_mail_domain_leads_to_the_host_that_its_services_name() -> None:
    def resolver(_: str) -> Sequence[Service]:
        return (Service("dav.no-such-domain.invalid"),)

    with (
        connected("anna@no-such-domain.invalid", resolver=resolver) as upstream,
        pytest.raises(UpstreamError) as raised,
    ):
        upstream.calendars()
    assert "dav.no-such-domain.invalid" in raised.value.message
