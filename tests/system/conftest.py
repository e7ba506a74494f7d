"""One running server for all tests of this folder, and in it a calendar of its own for each test."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.system.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.server import Client, Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that all tests share."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def dav(server: Server) -> Client:
    """Requests of the user demo."""
    return server.client()


@pytest.fixture
def calendar(dav: Client) -> Iterator[str]:
    """Path of a calendar of the user's own, new and empty, and deleted after the test."""
    path = f"/dav/demo/{uuid.uuid4().hex}/"
    assert dav("MKCALENDAR", path).status == 201
    yield path
    dav("DELETE", path)
