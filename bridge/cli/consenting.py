"""A person agrees on a provider's page: opened in a browser here, or elsewhere with its last address pasted back."""

from __future__ import annotations

import json
import os
import sys
import threading
import webbrowser
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import click

from bridge import bootstrap
from bridge.cli.typed_lines import TypedLines
from bridge.errors import CalbridgeError, LoginRefused
from bridge.upstream.oauth.consent import parameters_of
from bridge.upstream.oauth.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.bootstrap import Site
    from bridge.upstream.oauth.consent import Begun
    from bridge.upstream.oauth.tokens import Tokens

_Came = SimpleQueue["Mapping[str, str] | CalbridgeError"]
_PATIENCE: Final = timedelta(minutes=15)
_LOOK_EVERY_SECONDS: Final = 0.2
_TEXT_BROWSERS: Final = ("www-browser", "links", "elinks", "lynx", "w3m")


def ask_for_consent(site: Site, key: str, *, account: str, browser: bool, as_json: bool) -> Tokens:
    """What a person grants to the connection `key`; nothing of it is kept yet.

    Args:
        site: The installation.
        key: Of the connection.
        account: Which account the page offers first; empty: all alike.
        browser: Whether the page may be opened in a browser of this machine.
        as_json: Whether a program is to be told the address, as one line of JSON.

    Raises:
        LoginRefused: They did not agree, or not to everything, or did not answer in time.
        UpstreamUnavailable: The provider cannot be asked.
        ConfigurationError: The client of the connection is of the wrong kind.
    """
    consent = bootstrap.consent_of(site, key)
    with Loopback() as loopback:
        begun = consent.begin(loopback.redirect, account=account)
        # A browser that knows the person already may be back at once.
        came = _wait_for(loopback, begun)
        _send(begun, browser=browser, as_json=as_json)
        return consent.finish(_first_of(came), begun)


def _send(begun: Begun, *, browser: bool, as_json: bool) -> None:
    """Leads the person to the page; all of it goes to stderr, as stdout is for the answer of the command."""
    is_open = browser and _has_browser() and webbrowser.open(begun.url)
    if as_json:
        click.echo(json.dumps({"consent": begun.url, "returns_to": begun.redirect, "opened": is_open}), err=True)
        return
    if is_open:
        click.echo("The consent page is open in your browser. Should it not be, its address is:", err=True)
    else:
        click.echo("Open this address in a browser, on this or any other computer:", err=True)
    click.echo(err=True)
    click.echo(begun.url, err=True)
    click.echo(err=True)
    click.echo(
        f"Where the browser runs on another computer, it ends at an address that begins with {begun.redirect}, and "
        "shows an error: paste that whole address here, and press Enter.",
        err=True,
    )


def _has_browser() -> bool:
    """Whether there is a browser that a person would see."""
    if sys.platform == "linux" and not any(os.environ.get(each) for each in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        return False
    try:
        return getattr(webbrowser.get(), "basename", "") not in _TEXT_BROWSERS
    except webbrowser.Error:
        return False


def _wait_for(loopback: Loopback, begun: Begun) -> _Came:
    """Waits beside what else happens here for what the browser brings back."""
    came: _Came = SimpleQueue()

    def wait() -> None:
        try:
            came.put(loopback.answer(begun.state, within=_PATIENCE))
        except CalbridgeError as error:
            came.put(error)

    threading.Thread(target=wait, name="consent", daemon=True).start()
    return came


def _first_of(came: _Came) -> Mapping[str, str]:
    """What comes first: the browser's own redirect, or its address as somebody pastes it."""
    lines = TypedLines()
    while lines.may_come:
        try:
            return _taken(came.get_nowait())
        except Empty:
            line = lines.next(within=_LOOK_EVERY_SECONDS)
        if line is not None and line.strip():
            try:
                return parameters_of(line)
            except LoginRefused as error:
                click.echo(f"{error.message} {error.remedy}", err=True)
    return _taken(came.get())


def _taken(answer: Mapping[str, str] | CalbridgeError) -> Mapping[str, str]:
    if isinstance(answer, CalbridgeError):
        raise answer
    return answer
