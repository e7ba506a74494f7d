from __future__ import annotations

import os
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.errors import (
    AddressRefused,
    CalendarGone,
    CertificateRefused,
    HostUnknown,
    ListingDoubtful,
    LoginRefused,
    Throttled,
    UpstreamUnavailable,
)
from bridge.upstream.ics_url import addresses
from bridge.upstream.ics_url.fetching import Fetched, Limits, Validators
from tests.system.certificates import write_certificate
from tests.upstream.ics_url.feed_server import Answer, Clock, event, feed, fetch, fetcher, free_port, serving

if TYPE_CHECKING:
    from pathlib import Path

BODY = feed(event("one"), event("two"))
NOW = Clock()()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return write_certificate(tmp_path)


class TestValidators:
    def test_a_feed_that_has_not_changed_is_not_sent_again(self) -> None:
        with serving(Answer(BODY, etag='"v1"', headers={"Last-Modified": "Wed, 01 Jul 2026 10:00:00 GMT"})) as server:
            reader = fetcher(server.url())
            first = reader.fetch(past_caches=False)
            assert first == Fetched(BODY, "", Validators('"v1"', "Wed, 01 Jul 2026 10:00:00 GMT"))
            assert first is not None
            assert reader.fetch(first.validators, past_caches=False) is None
        assert server.requests[1].headers["If-Modified-Since"] == "Wed, 01 Jul 2026 10:00:00 GMT"

    def test_an_unconditional_request_goes_past_all_caches_where_it_is_to(self) -> None:
        with serving(BODY) as server:
            fetcher(server.url()).fetch(past_caches=True)
        (request,) = server.requests
        assert request.headers["Cache-Control"] == request.headers["Pragma"] == "no-cache"
        assert "If-None-Match" not in request.headers

    def test_not_modified_is_no_answer_to_a_request_without_a_condition(self) -> None:
        with serving(Answer(status=304)) as server, pytest.raises(ListingDoubtful, match="304"):
            fetch(server.url())


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "error"),
        [
            *((401, LoginRefused), (403, LoginRefused), (451, LoginRefused), (404, CalendarGone), (410, CalendarGone)),
            *((429, Throttled), (503, Throttled), (425, Throttled)),
            *((400, UpstreamUnavailable), (500, UpstreamUnavailable), (502, UpstreamUnavailable)),
            *((204, ListingDoubtful), (206, ListingDoubtful), (203, ListingDoubtful), (300, ListingDoubtful)),
            *((301, ListingDoubtful), (302, ListingDoubtful)),
        ],
    )
    def test_whatever_is_no_calendar_is_an_error_even_with_a_calendar_in_it(
        self, status: int, error: type[Exception]
    ) -> None:
        body = b"" if status == 204 else BODY
        with serving(Answer(body, status=status)) as server, pytest.raises(error) as raised:
            fetch(server.url())
        assert raised.type is error
        assert str(status) in str(raised.value)
        assert "secret-" not in str(raised.value)

    def test_a_revoked_address_and_a_vanished_calendar_come_with_a_remedy(self) -> None:
        with serving(Answer(status=403), Answer(status=404)) as server:
            with pytest.raises(LoginRefused) as refused:
                fetch(server.url())
            with pytest.raises(CalendarGone) as gone:
                fetch(server.url())
        assert "revoked" in refused.value.remedy
        assert "new address" in gone.value.remedy

    @pytest.mark.parametrize(
        ("status", "header", "after"),
        [
            (429, "120", timedelta(seconds=120)),
            (403, "60", timedelta(seconds=60)),
            (429, "soon", None),
        ],
    )
    def test_who_says_when_to_come_back_is_heard(self, status: int, header: str, after: timedelta | None) -> None:
        answer = Answer(status=status, headers={"Retry-After": header})
        with serving(answer) as server, pytest.raises(Throttled) as error:
            fetch(server.url())
        assert error.value.after == after


class TestRedirects:
    def test_redirects_are_followed_relative_and_with_letters_that_urls_do_not_have(self) -> None:
        def by_path(path: str) -> Answer:
            targets = {"/a": "/b/c", "/b/c": "d?e=f", "/b/d?e=f": "/gr\u00f6\u00dfe".encode().decode("latin-1")}
            return Answer(status=301, headers={"Location": targets[path]}) if path in targets else Answer(BODY)

        with serving(by_path=by_path) as server:
            assert fetch(server.url("/a")) == BODY
        assert [request.path for request in server.requests] == ["/a", "/b/c", "/b/d?e=f", "/gr%C3%B6%C3%9Fe"]

    def test_a_redirect_that_is_not_even_utf8_is_followed_as_it_stands(self) -> None:
        with serving(Answer(status=302, headers={"Location": "/gr\u00f6\u00dfe"}), Answer(BODY)) as server:
            assert fetch(server.url("/a")) == BODY
        assert server.requests[1].path == "/gr%C3%B6%C3%9Fe"

    def test_a_sixth_redirect_is_one_too_many(self) -> None:
        def by_path(path: str) -> Answer:
            number = int(path[1:])
            return Answer(BODY) if number == 5 else Answer(status=302, headers={"Location": f"/{number + 1}"})

        with serving(by_path=by_path) as server:
            assert fetch(server.url("/0")) == BODY
            with pytest.raises(UpstreamUnavailable, match="more than 5 times"):
                fetch(server.url("/-1"))

    def test_a_redirect_into_a_private_network_is_refused(self) -> None:
        def resolve(host: str, port: int) -> tuple[str, ...]:
            return ("127.0.0.1",) if host == "public.example" else addresses.resolve(host, port)

        answer = Answer(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})
        with serving(answer) as server, pytest.raises(AddressRefused, match="metadata"):
            fetch(server.url(host="public.example"), resolve=resolve)
        assert len(server.requests) == 1

    def test_a_redirect_from_https_to_http_is_refused(self, certificate: tuple[Path, Path]) -> None:
        with serving(BODY) as plain:
            answer = Answer(status=302, headers={"Location": plain.url()})
            with serving(answer, certificate=certificate) as server, pytest.raises(AddressRefused, match="read along"):
                fetch(server.url(), ca_file=certificate[0])
        assert plain.requests == []

    @pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "https:///x", "http://[::1/"])
    def test_a_redirect_to_anything_but_the_web_is_refused(self, target: str) -> None:
        with serving(Answer(status=302, headers={"Location": target})) as server, pytest.raises(AddressRefused):
            fetch(server.url(), allow_files=True)

    def test_a_redirect_to_webcal_stays_with_the_scheme(self) -> None:
        with serving() as server:
            target = server.url("/b").replace("http:", "webcal:")
            server.set(Answer(status=302, headers={"Location": target}), Answer(BODY))
            assert fetch(server.url("/a")) == BODY

    def test_what_a_redirect_brings_along_is_not_read(self) -> None:
        endless = Answer(b"x" * 10, status=302, headers={"Location": "/b", "Content-Length": "100000000000"}, drip=5)
        with serving(endless, Answer(BODY)) as server:
            assert fetch(server.url()) == BODY


class TestAddresses:
    def test_loopback_is_not_asked_where_private_addresses_are_not_allowed(self) -> None:
        with serving(BODY) as server, pytest.raises(AddressRefused, match="private"):
            fetch(server.url(), allow_private=False)
        assert server.requests == []

    def test_the_address_that_was_checked_is_the_one_that_is_asked(self) -> None:
        """A name server that gives another answer the second time (DNS rebinding) is not asked a second time."""
        answers = iter([("127.0.0.1",), ("10.1.2.3",)])
        with serving(BODY) as server:
            url = server.url(host="feed.example.test")
            assert fetch(url, resolve=lambda _host, _port: next(answers)) == BODY
        assert server.requests[0].headers["Host"] == f"feed.example.test:{server.port}"

    def test_the_name_counts_in_tls_though_the_address_is_asked(self, tmp_path: Path) -> None:
        certificate = write_certificate(tmp_path, hosts=["feed.example.test"])
        with serving(BODY, certificate=certificate) as server:
            url = server.url(host="feed.example.test")
            assert fetch(url, resolve=lambda _host, _port: ("127.0.0.1",), ca_file=certificate[0]) == BODY
        assert server.names == ["feed.example.test"]
        assert server.requests[0].headers["Host"] == f"feed.example.test:{server.port}"

    def test_the_certificate_of_another_name_is_refused(self, certificate: tuple[Path, Path]) -> None:
        with serving(BODY, certificate=certificate) as server:
            url = server.url(host="other.example")
            with pytest.raises(CertificateRefused, match=r"other\.example"):
                fetch(url, resolve=lambda _host, _port: ("127.0.0.1",), ca_file=certificate[0])

    def test_a_certificate_of_nobody_known_is_refused(self, certificate: tuple[Path, Path]) -> None:
        with serving(BODY, certificate=certificate) as server, pytest.raises(CertificateRefused) as error:
            fetch(server.url())
        assert "authority of your own" in error.value.remedy
        assert server.requests == []

    def test_where_one_address_takes_no_connections_the_next_is_asked(self) -> None:
        with serving(BODY) as server:
            url = server.url(host="two.example")
            assert fetch(url, resolve=lambda _host, _port: ("127.9.9.9", "127.0.0.1")) == BODY

    def test_a_host_that_does_not_exist_is_a_persons_business(self) -> None:
        with pytest.raises(HostUnknown):
            fetch(f"https://{'a' * 64}.example/rota.ics")

    def test_where_nobody_listens_is_said_so(self) -> None:
        with pytest.raises(UpstreamUnavailable, match="takes no connections"):
            fetch(f"http://127.0.0.1:{free_port()}/")

    def test_proxies_and_passwords_of_the_environment_are_not_used(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login anna password hunter2\n")
        monkeypatch.setenv("NETRC", str(netrc))
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
        with serving(BODY) as server:
            assert fetch(server.url()) == BODY
        assert "Authorization" not in server.requests[0].headers


class TestWebcal:
    def test_webcal_is_asked_over_https_first(self, certificate: tuple[Path, Path]) -> None:
        with serving(BODY, certificate=certificate) as server:
            assert fetch(server.url().replace("https:", "webcal:"), ca_file=certificate[0]) == BODY

    def test_webcal_falls_back_to_http_where_nobody_speaks_https(self) -> None:
        with serving(BODY) as server:
            assert fetch(server.url().replace("http:", "webcal:")) == BODY

    def test_webcals_never_does(self) -> None:
        with serving(BODY) as server, pytest.raises(UpstreamUnavailable, match="https"):
            fetch(server.url().replace("http:", "webcals:"))

    def test_webcal_does_not_fall_back_from_a_certificate_that_cannot_be_trusted(
        self, certificate: tuple[Path, Path]
    ) -> None:
        with serving(BODY, certificate=certificate) as server, pytest.raises(CertificateRefused):
            fetch(server.url().replace("https:", "webcal:"))

    def test_webcal_does_not_fall_back_from_an_answer(self, certificate: tuple[Path, Path]) -> None:
        with serving(Answer(status=404), certificate=certificate) as server, pytest.raises(CalendarGone):
            fetch(server.url().replace("https:", "webcal:"), ca_file=certificate[0])

    def test_who_has_spoken_https_once_is_not_asked_openly_later(self, certificate: tuple[Path, Path]) -> None:
        with serving(BODY, certificate=certificate) as server:
            reader = fetcher(server.url().replace("https:", "webcal:"), ca_file=certificate[0])
            reader.fetch(past_caches=False)
        with pytest.raises(UpstreamUnavailable, match="takes no connections"):
            reader.fetch(past_caches=False)


class TestLogin:
    def test_a_password_is_sent_over_https_as_utf8(self, certificate: tuple[Path, Path]) -> None:
        with serving(BODY, certificate=certificate) as server:
            assert fetch(server.url(), user="anna", password="gr\u00fcn:\u20ac", ca_file=certificate[0]) == BODY
        expected = "Basic " + b64encode("anna:gr\u00fcn:\u20ac".encode()).decode()
        assert server.requests[0].headers["Authorization"] == expected

    @pytest.mark.parametrize("scheme", ["http", "webcal"])
    def test_a_password_is_never_sent_over_http(self, scheme: str) -> None:
        with serving(BODY) as server, pytest.raises((AddressRefused, UpstreamUnavailable), match="http"):
            fetch(server.url().replace("http:", f"{scheme}:"), user="anna", password="hunter2")
        assert server.requests == []

    def test_a_password_does_not_follow_a_redirect_to_another_host(self, certificate: tuple[Path, Path]) -> None:
        with serving(BODY, certificate=certificate) as other:
            answer = Answer(status=302, headers={"Location": other.url()})
            with serving(answer, certificate=certificate) as server:
                assert fetch(server.url(), user="anna", password="x", ca_file=certificate[0]) == BODY
        assert "Authorization" in server.requests[0].headers
        assert "Authorization" not in other.requests[0].headers


class TestFiles:
    def test_a_file_is_read_where_that_is_allowed(self, tmp_path: Path) -> None:
        path = tmp_path / "rota.ics"
        path.write_bytes(BODY)
        assert fetch(str(path), allow_files=True) == BODY
        with pytest.raises(AddressRefused, match="may not read files") as refusal:
            fetch(path.as_uri())
        assert "allow files" in refusal.value.remedy

    def test_a_file_that_is_not_there_is_a_calendar_that_is_gone(self, tmp_path: Path) -> None:
        with pytest.raises(CalendarGone, match="There is no file"):
            fetch(str(tmp_path / "rota.ics"), allow_files=True)

    def test_a_file_may_be_as_long_as_the_limit_and_no_longer(self, tmp_path: Path) -> None:
        path = tmp_path / "rota.ics"
        path.write_bytes(BODY)
        assert fetch(str(path), allow_files=True, limits=Limits(octets=len(BODY))) == BODY
        with pytest.raises(ListingDoubtful, match="longer"):
            fetch(str(path), allow_files=True, limits=Limits(octets=len(BODY) - 1))

    def test_neither_a_folder_nor_a_pipe_nor_a_device_is_read(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for name in (tmp_path, tmp_path / "pipe", "/dev/zero"):
            with pytest.raises(AddressRefused):
                fetch(str(name), allow_files=True)

    def test_a_path_through_a_file_is_out_of_reach(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(UpstreamUnavailable, match="cannot be read"):
            fetch(str(tmp_path / "file" / "rota.ics"), allow_files=True)


def test_what_the_server_says_of_the_writing_is_handed_on() -> None:
    header = {"Content-Type": 'text/calendar; method=PUBLISH; Charset="ISO-8859-1"'}
    with serving(Answer(BODY, headers=header)) as server:
        fetched = fetcher(server.url()).fetch(past_caches=False)
    assert fetched is not None
    assert fetched.charset == "ISO-8859-1"


def test_nothing_shown_of_a_fetcher_or_of_what_it_fetched_is_secret() -> None:
    with serving(Answer(BODY, etag='"secret-etag"')) as server:
        reader = fetcher(server.url())
        assert "secret" not in repr(reader)
        assert "secret" not in repr(reader.fetch(past_caches=False))


def test_a_date_in_a_header_is_read_against_the_clock_that_was_given() -> None:
    assert datetime(2026, 7, 1, 12, tzinfo=UTC) == NOW
