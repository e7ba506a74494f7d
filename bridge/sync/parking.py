"""What cannot be dealt with is set aside by itself, visibly, while the rest goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.core import content
from bridge.core.difference import difference
from bridge.core.sides import Side
from bridge.errors import CalbridgeError, RemoteRefused
from bridge.store import outbox, parked
from bridge.sync.pairing import bases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.store.database import Transaction
    from bridge.store.outbox import Intent
    from bridge.sync.assignment import Assignment
    from bridge.sync.judging import Verdict
    from bridge.sync.pairing import Aside
    from bridge.sync.sighting import Sighting

_LOOK = "`calbridge parked list` shows it; change it on either side, or `calbridge parked retry` it."
_RESTLESS = "restless"
