from __future__ import annotations

import gzip
import itertools
import json
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NameResolutionError

from bridge.errors import CertificateRefused, ConfigurationError, LoginRefused, Throttled, Turn, UpstreamUnavailable
from bridge.upstream.answers import Limits
from bridge.upstream.oauth.google import google
from bridge.upstream.oauth.refusals import outage
from bridge.upstream.oauth.wire import Wire
from tests.fakes.faults import cut, drop_before, empty, faults, html_page, method, slow, status
from tests.system.certificates import write_certificate
from tests.upstream.oauth.agreeing import office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.faults import Misdeed

URL = "https://oauth2.example/token"


@contextmanager
def octet_by_octet() -> Iterator[str]:
    """An endpoint whose answer never ends, one octet at a time."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b" ")
                        threading.Event().wait(0.002)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/token"
        thread.join(20)


@pytest.mark.parametrize(
    ("misdeed", "sentence"),
    [
        (html_page(), "something else than tokens"),
        (html_page(403), "something else than tokens"),
        (html_page(502), "gives out no tokens for now"),
        (empty(), "something else than tokens"),
        (empty(500), "gives out no tokens for now"),
        (status(200, b"[1, 2]"), "something else than tokens"),
        (status(200, b"[" * 200_000), "something else than tokens"),
        (status(200, b"{}"), "without an access token"),
        (status(200, b'{"access_token": "", "token_type": "Bearer"}'), "without an access token"),
        (status(200, b'{"access_token": 5, "token_type": "Bearer"}'), "without an access token"),
        (status(200, b'{"access_token": "a\\r\\nX: y", "token_type": "Bearer"}'), "without an access token"),
        (status(200, b'{"access_token": "a", "token_type": "mac"}'), "without an access token"),
        (status(200, b'{"access_token": "a", "token_type": "Bearer", "refresh_token": 5}'), "without an access token"),
        (status(302, b"", Location="https://login.example/"), "something else than tokens"),
        (status(404, b"not here"), "something else than tokens"),
        (status(503, b'{"error": "invalid_grant"}'), "gives out no tokens for now"),
        (drop_before(), "broke off"),
        (cut(), "broke off"),
        (status(200, b"x" * 400_000), "larger than"),
        (status(200, gzip.compress(b"x" * 30_000_000), Content_Encoding="gzip"), "larger than"),
        (status(200, b"no gzip", Content_Encoding="gzip"), "broke off"),
    ],
)
def test_an_answer_that_holds_no_tokens_is_an_outage_and_no_refusal_of_the_login(
    misdeed: Misdeed, sentence: str
) -> None:
    with office() as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(misdeed, when=method("POST"))
        with pytest.raises(UpstreamUnavailable, match=sentence) as caught:
            login.access_token()
        assert caught.value.turn is Turn.RETRY
        assert here.lets_in(login.access_token())


@pytest.mark.parametrize("life", ["3599", '"3599"', "3599.5", "null", "true", '"soon"', "1e400", "-5", "99999999999"])
def test_a_token_is_used_however_its_life_is_told(life: str) -> None:
    body = f'{{"access_token": "given", "token_type": "bearer", "expires_in": {life}}}'.encode()
    with office() as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(status(200, body), when=method("POST"))
        assert login.access_token() == "given"
        here.clock.go_on(days=2)
        assert here.lets_in(login.access_token())


def test_a_redirect_is_not_followed_with_the_secrets() -> None:
    with office() as here, faults(here.proxy.port) as elsewhere:
        login = here.connect()
        here.clock.go_on(hours=2)
        target = f"http://127.0.0.1:{elsewhere.port}/token"
        here.proxy.script(status(307, b"", Location=target), when=method("POST"))
        with pytest.raises(UpstreamUnavailable):
            login.access_token()
        assert elsewhere.requests == ()


def test_a_silent_endpoint_is_not_waited_for_for_ever() -> None:
    never = threading.Event()
    with office() as here:
        login = here.login(post=Wire(limits=Limits(read=0.2)).post)
        here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(slow(never), when=method("POST"))
        with pytest.raises(UpstreamUnavailable, match="does not answer in time"):
            login.access_token()


def test_an_answer_that_comes_octet_by_octet_is_given_up() -> None:
    with octet_by_octet() as url:
        wire = Wire(clock=itertools.count(0, 10).__next__)
        with pytest.raises(UpstreamUnavailable, match="not complete after 60 s"):
            wire.post(url, {})


def test_a_certificate_that_nobody_signed_is_not_trusted_with_secrets(tmp_path: Path) -> None:
    files = write_certificate(tmp_path)
    with office() as here, faults(here.google.port, certificate=files) as secure:
        url = f"https://127.0.0.1:{secure.port}/token"
        with pytest.raises(CertificateRefused, match=r"certificate of 127\.0\.0\.1 cannot be trusted"):
            Wire().post(url, {"refresh_token": "secret"})
        assert secure.requests == ()
        assert Wire(verify=str(files[0])).post(url, {}).status == 401


def test_a_netrc_file_adds_no_login_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with office() as here:
        here.connect()
        assert here.proxy.requests
        assert all(not each.header("Authorization") for each in here.proxy.requests)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            NameResolutionError("oauth2.example", HTTPConnection("oauth2.example"), socket.gaierror(-2, "unknown")),
            "name servers could not say",
        ),
        (ConnectionRefusedError(), "takes no connections"),
        (TimeoutError(), "does not answer in time"),
        (ssl.SSLError(1, "wrong version number"), "No secure connection"),
        (ConnectionResetError(), "broke off"),
    ],
)
def test_every_failure_of_the_way_is_an_outage(error: Exception, sentence: str) -> None:
    said = outage(error, URL)
    assert isinstance(said, UpstreamUnavailable)
    assert sentence in said.message
    assert "oauth2.example" in said.message
    assert said.remedy


def test_an_overloaded_endpoint_that_says_when_is_asked_then() -> None:
    with office() as here:
        login = here.connect()
        here.clock.go_on(hours=2)
        here.proxy.script(status(503, b"", Retry_After="30"), when=method("POST"))
        with pytest.raises(Throttled) as caught:
            login.access_token()
        assert caught.value.after == timedelta(seconds=30)


def test_no_secret_stands_in_an_error_or_in_what_is_printed() -> None:
    with office(rotates=True) as here:
        login = here.connect()
        kept = here.keeper.kept[-1]
        here.clock.go_on(hours=2)
        echo = json.dumps({"error": "odd", "error_description": f"{kept.refresh} {here.client.secret}"}).encode()
        said = []
        for misdeed in (status(400, echo), html_page(), drop_before(), status(400, b'{"error": "invalid_grant"}')):
            here.proxy.script(misdeed, when=method("POST"))
            with pytest.raises((LoginRefused, UpstreamUnavailable)) as caught:
                login.access_token()
            said += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
        shown = " ".join([*said, repr(login), repr(kept), repr(here.client)])
        assert kept.refresh not in shown
        assert kept.access not in shown
        assert here.client.secret not in shown


@pytest.mark.parametrize(
    "url", ["http://oauth2.example/token", "ftp://127.0.0.1/", "oauth2.example", "https://", "http://[::1"]
)
def test_secrets_go_nowhere_in_the_clear(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"begin with https://"):
        google(token_url=url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:5/token", "http://localhost/token", "http://[::1]:5/token", URL])
def test_a_fake_on_this_machine_may_be_asked_openly(url: str) -> None:
    assert google(token_url=url).token_url == url
