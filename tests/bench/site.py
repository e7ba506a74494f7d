"""A site of Calbridge for the bench: its YAML file, and a store that is filled past the parser."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import insert, update

from bridge import bootstrap
from bridge.core.model import ComponentType
from bridge.store import collection as collections
from bridge.store.collection import Address, Kind
from bridge.store.database import microseconds
from bridge.store.journal import Action
from bridge.store.placement import SHORT, seconds
from bridge.store.schema import body, calendar_object, collection, journal, placement
from tests.bench.servers import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bridge.bootstrap import Site
    from bridge.store.database import Transaction
    from tests.bench.appointments import Appointment

ADDRESS = Address(Kind.RESOURCE, "salon", "anna")
WHOLE_FEED, PHONE_FEED = "whole", "phone"
_BATCH = 2_000

_YAML = f"""\
database: sqlite:///store.sqlite3
secret_key_file: secret.key
accounts:
  salon:
    name: Salon Anna
    time_zone: Europe/Amsterdam
    resources:
      anna: {{kind: employee, name: Anna de Vries}}
      bob: {{kind: employee, name: Bob Jansen}}
      room-1: {{kind: location, name: Room 1}}
users:
  {USER}:
    password_file: password
    grants: {{salon: write}}
feeds:
  {WHOLE_FEED}: {{of: salon/anna, past: all, future: all, alarms: true}}
  {PHONE_FEED}: {{of: salon/anna}}
"""


def make(folder: Path) -> Site:
    """Makes a site with an empty store in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "password").write_text(f"{PASSWORD}\n")
    (folder / "password").chmod(0o600)
    config = folder / "bridge.yaml"
    config.write_text(_YAML)
    return bootstrap.initialise(config)


def fill(site: Site, appointments: Iterable[Appointment], address: Address = ADDRESS) -> None:
    """Stores appointments as if each had been put, without parsing them: only so are a million there in minutes."""
    remaining = iter(appointments)
    revision = 0
    with site.database.writing() as tx:
        # The index on texts is filled in random order, for which a million need more than the server's own cache.
        tx.connection.exec_driver_sql("PRAGMA cache_size = -1000000")
        here = collections.get(tx, address)
        while batch := list(islice(remaining, _BATCH)):
            _store(tx, here, revision, batch)
            revision += len(batch)
        changed = update(collection).where(collection.c.id == here.id)
        tx.connection.execute(changed.values(revision=revision, changed_at=microseconds(tx.now)))


def _store(tx: Transaction, here: collections.Collection, revision: int, batch: list[Appointment]) -> None:
    now = microseconds(datetime.now(UTC))
    bodies, rows, places, entries = [], [], [], []
    for number, each in enumerate(batch, start=revision + 1):
        raw = each.raw
        etag = sha256(raw).hexdigest()[:32]
        bodies.append({"etag": etag, "raw": raw})
        rows.append(
            {
                "id": number,
                "scope": here.address.owner,
                "uid": each.uid,
                "component": ComponentType.VEVENT,
                "etag": etag,
                "digest": sha256(raw).hexdigest(),
                "summary": each.summary,
                "recurring": each.recurring,
                "floats": False,
                "feed_ready": True,
                "tzids": "Europe/Amsterdam",
            }
        )
        places.append(
            {
                "collection_id": here.id,
                "href": each.href,
                "object_id": number,
                "uid": each.uid,
                "etag": etag,
                "component": ComponentType.VEVENT,
                "size": len(raw),
                "first": seconds(each.first),
                "last": seconds(each.last),
                "prolonged": each.last - each.first > SHORT,
                "revision": number,
                "changed_at": now,
            }
        )
        entries.append(
            {
                "at": now,
                "who": "import",
                "via": "",
                "kind": here.address.kind,
                "owner": here.address.owner,
                "key": here.address.key,
                "href": each.href,
                "uid": each.uid,
                "summary": each.summary,
                "action": Action.CREATE,
                "before": None,
                "after": etag,
                "incarnation": here.incarnation,
                "revision": number,
            }
        )
    for table, values in ((body, bodies), (calendar_object, rows), (placement, places), (journal, entries)):
        tx.connection.execute(insert(table), values)
