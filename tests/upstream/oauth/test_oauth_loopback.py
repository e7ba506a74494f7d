from __future__ import annotations

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from bridge.errors import LoginRefused
from bridge.upstream.oauth.loopback import Loopback

STATE = "right"
SOON = timedelta(seconds=20)


def ask(
    loopback: Loopback, path: str, *, verb: str = "GET", host: str | None = None
) -> tuple[int, str, http.client.HTTPMessage]:
    """What a browser, or somebody who is none, gets at a path of the server."""
    where = urlsplit(loopback.redirect)
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=20)
    try:
        connection.request(verb, path, headers={"Host": host or where.netloc})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def test_the_address_is_on_this_machine_only_and_on_a_port_of_its_own() -> None:
    with Loopback() as one, Loopback() as other:
        assert one.redirect.startswith("http://127.0.0.1:")
        assert one.redirect != other.redirect


def test_the_one_redirect_is_taken_and_a_second_of_the_same_is_harmless() -> None:
    with Loopback() as loopback, ThreadPoolExecutor() as pool:
        waits = pool.submit(loopback.answer, STATE, within=SOON)
        first = ask(loopback, "/?state=right&code=4%2F0abc")
        again = ask(loopback, "/?state=right&code=4%2F0abc")
        assert waits.result() == {"state": "right", "code": "4/0abc"}
        assert first[0] == again[0] == 200
        assert "You can close this page" in first[1]
        assert loopback.answer(STATE, within=SOON) == {"state": "right", "code": "4/0abc"}


def test_a_second_redirect_with_another_code_changes_nothing() -> None:
    with Loopback() as loopback, ThreadPoolExecutor() as pool:
        waits = pool.submit(loopback.answer, STATE, within=SOON)
        ask(loopback, "/?state=right&code=first")
        assert ask(loopback, "/?state=right&code=second")[0] == 400
        assert waits.result()["code"] == "first"


def test_a_browser_that_is_back_early_waits_until_it_is_expected() -> None:
    with Loopback() as loopback, ThreadPoolExecutor() as pool:
        page = pool.submit(ask, loopback, "/?state=right&code=a")
        assert loopback.answer(STATE, within=SOON)["code"] == "a"
        assert page.result()[0] == 200


def test_a_forged_answer_is_refused_and_the_wait_goes_on() -> None:
    with Loopback() as loopback, ThreadPoolExecutor() as pool:
        waits = pool.submit(loopback.answer, STATE, within=SOON)
        for path in ("/?state=wrong&code=a", "/?code=a", "/?state=&error=access_denied", "/?state=right", "/"):
            status, page, _ = ask(loopback, path)
            assert status == 400
            assert "not the answer" in page
        assert not waits.done()
        ask(loopback, "/?state=right&code=a")
        assert waits.result()["code"] == "a"


def test_everything_that_is_no_redirect_is_refused() -> None:
    with Loopback() as loopback, ThreadPoolExecutor() as pool:
        waits = pool.submit(loopback.answer, STATE, within=SOON)
        good = "/?state=right&code=a"
        assert ask(loopback, "/favicon.ico")[0] == 404
        assert ask(loopback, "/other?state=right&code=a")[0] == 404
        assert ask(loopback, good, host="evil.example")[0] == 404
        for verb in ("POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "BREW"):
            assert ask(loopback, good, verb=verb)[0] >= 400
        assert ask(loopback, good + "&x=" + "a" * 20_000)[0] == 404
        assert ask(loopback, good + "&x=" + "a" * 100_000)[0] == 414
        assert not waits.done()
        ask(loopback, good)
        assert waits.result()["code"] == "a"


def test_a_person_who_cancelled_reads_that_nothing_was_connected() -> None:
    with Loopback() as loopback, ThreadPoolExecutor() as pool:
        waits = pool.submit(loopback.answer, STATE, within=SOON)
        _, page, _ = ask(loopback, "/?state=right&error=access_denied")
        assert "Nothing was connected" in page
        assert waits.result()["error"] == "access_denied"


def test_what_a_browser_sends_never_comes_back_in_the_page_and_is_kept_nowhere() -> None:
    with Loopback() as loopback, ThreadPoolExecutor() as pool:
        pool.submit(loopback.answer, STATE, within=SOON)
        for path in ("/?state=right&code=secret", "/<script>secret", "/?secret"):
            _, page, headers = ask(loopback, path)
            assert "secret" not in page
            assert headers["Cache-Control"] == "no-store"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_connections_that_say_nothing_do_not_keep_the_browser_out_for_ever() -> None:
    with Loopback() as loopback, ThreadPoolExecutor() as pool:
        waits = pool.submit(loopback.answer, STATE, within=SOON)
        port = urlsplit(loopback.redirect).port or 0
        silent = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(5)]
        assert ask(loopback, "/?state=right&code=a")[0] == 200
        assert waits.result()["code"] == "a"
        for each in silent:
            each.close()


def test_a_crowd_of_connections_is_turned_away() -> None:
    with Loopback() as loopback:
        port = urlsplit(loopback.redirect).port or 0
        crowd = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(40)]
        turned_away = 0
        for each in crowd[8:]:
            try:
                turned_away += each.recv(1) == b""
            except ConnectionResetError:
                turned_away += 1
        assert turned_away == 32
        for each in crowd:
            each.close()


def test_nobody_who_comes_in_time_is_said_with_what_to_do() -> None:
    with Loopback() as loopback, pytest.raises(LoginRefused, match="No answer came") as caught:
        loopback.answer(STATE, within=timedelta(0))
    assert "--no-browser" in caught.value.remedy


def test_nothing_listens_any_more_when_it_is_over(capfd: pytest.CaptureFixture[str]) -> None:
    with Loopback() as loopback:
        ask(loopback, "/nothing")
    with pytest.raises(ConnectionRefusedError):
        ask(loopback, "/")
    assert capfd.readouterr() == ("", "")
