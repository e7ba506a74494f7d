"""What is most likely to differ between databases is the same on PostgreSQL: oddities, odd names, parallel writers."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.postgresql import running_postgresql
from tests.system.samples import event
from tests.system.server import serving

# These run here once more, against the server below.
from tests.system.test_dav_bad_input import (
    test_any_name_that_a_client_gives_is_kept_and_comes_back,
    test_path_tricks_lead_nowhere_else,
    test_ranges_at_the_ends_of_time_are_answered,
)
from tests.system.test_dav_fidelity import (
    test_a_limited_sync_continues_where_it_stopped,
    test_every_oddity_of_the_corpus_comes_back_byte_for_byte,
    test_of_parallel_conditional_puts_exactly_one_wins,
    test_parallel_unconditional_writes_all_happen_one_after_another,
)
from tests.system.test_dav_fuzz import test_no_request_makes_the_server_fail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.server import Client, Server

__all__ = [
    "test_a_limited_sync_continues_where_it_stopped",
    "test_any_name_that_a_client_gives_is_kept_and_comes_back",
    "test_every_oddity_of_the_corpus_comes_back_byte_for_byte",
    "test_no_request_makes_the_server_fail",
    "test_of_parallel_conditional_puts_exactly_one_wins",
    "test_parallel_unconditional_writes_all_happen_one_after_another",
    "test_path_tricks_lead_nowhere_else",
    "test_ranges_at_the_ends_of_time_are_answered",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_postgresql() as postgresql:
        address = postgresql.url(postgresql.make_database())
        with serving(tmp_path_factory.mktemp("postgresql"), database=address) as running:
            yield running


@pytest.mark.parametrize("length", [500, 3_000, 50_000])
def test_a_long_uid_is_kept_or_refused_but_breaks_nothing(dav: Client, calendar: str, length: int) -> None:
    uid = "".join(uuid.uuid4().hex for _ in range(length // 32 + 1))
    assert dav("PUT", f"{calendar}long.ics", event(uid)).status in {201, 400, 403}
