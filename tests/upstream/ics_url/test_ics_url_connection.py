from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from bridge.upstream.ics_url.connection import Watch

PATIENCE = timedelta(seconds=10).total_seconds()


def test_a_connection_is_cut_when_the_time_is_over() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Watch(0.01) as watch:
        watch.see(ours)
        ours.settimeout(PATIENCE)
        assert ours.recv(1) == b""
        assert watch.over


def test_a_connection_that_comes_about_too_late_is_cut_at_once() -> None:
    early, late = socket.socketpair(), socket.socketpair()
    with early[0], early[1], late[0], late[1], Watch(0.01) as watch:
        watch.see(early[0])
        early[0].settimeout(PATIENCE)
        early[0].recv(1)
        watch.see(late[0])
        late[0].settimeout(PATIENCE)
        assert late[0].recv(1) == b""


def test_a_connection_that_is_closed_already_is_no_trouble() -> None:
    ours, theirs = socket.socketpair()
    with ours, Watch(0.01) as watch:
        watch.see(ours)
        theirs.close()
        ours.settimeout(PATIENCE)
        assert ours.recv(1) == b""


def test_in_time_nothing_is_cut() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Watch(PATIENCE) as watch:
            watch.see(ours)
        theirs.send(b"x")
        assert ours.recv(1) == b"x"
        ours.settimeout(0.01)
        with pytest.raises(TimeoutError):
            ours.recv(1)
