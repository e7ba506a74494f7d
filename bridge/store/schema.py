"""The tables, as SQLAlchemy Core sees them; `migrations/` makes the same ones.

Instants are integers: microseconds since 1970 in UTC. Spans are whole seconds since 1970 in UTC.
What the sync engine will need (rules, links, intents, leases) gets tables of its own in a later migration.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    },
)

# SQLite numbers rows only in a column that is declared INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

body = Table(
    "body",
    metadata,
    Column("etag", String(32), primary_key=True, comment="content hash, the ETag of every object with these bytes"),
    Column("raw", LargeBinary, nullable=False),
    comment="Every version of every object, once; calendar_object and journal point here.",
)

collection = Table(
    "collection",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("kind", String(8), nullable=False, comment="resource | personal"),
    Column("owner", Text, nullable=False, comment="key of the account, or name of the user"),
    Column("key", Text, nullable=False),
    Column("incarnation", String(16), nullable=False, comment="new when the collection is rebuilt or restored"),
    Column("revision", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False, comment="older sync tokens are refused: tombstones below are gone"),
    Column("changed_at", BigInteger, nullable=False),
    UniqueConstraint("kind", "owner", "key"),
)

collection_property = Table(
    "collection_property",
    metadata,
    Column("collection_id", ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True),
    Column("user", Text, primary_key=True, comment="whose view of the collection; empty: everybody's"),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

calendar_object = Table(
    "calendar_object",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("scope", Text, nullable=False, comment="the account, or the personal collection, within which it is shared"),
    Column("uid", Text, nullable=False),
    Column("component", String(9), nullable=False),
    Column("etag", ForeignKey("body.etag"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("summary", Text, nullable=False),
    Column("recurring", Boolean, nullable=False),
    Column("floats", Boolean, nullable=False, comment="when it is depends on the zone of the calendar"),
    Column("feed_ready", Boolean, nullable=False),
    Column("tzids", Text, nullable=False, comment="the TZIDs that it names, one a line"),
    Index(None, "scope", "uid"),
    Index(None, "etag"),
)

placement = Table(
    "placement",
    metadata,
    Column("collection_id", ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True),
    Column("href", Text, primary_key=True),
    Column("object_id", ForeignKey("calendar_object.id"), nullable=False),
    Column("uid", Text, nullable=False),
    Column("etag", String(32), nullable=False),
    Column("component", String(9), nullable=False),
    Column("size", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("prolonged", Boolean, nullable=False, comment="its span is longer than SHORT: series, long absences"),
    Column("revision", BigInteger, nullable=False, comment="of the collection, when this last changed"),
    Column("changed_at", BigInteger, nullable=False),
    UniqueConstraint("collection_id", "uid"),
    UniqueConstraint("collection_id", "revision"),
    Index(None, "object_id"),
    Index(None, "collection_id", "prolonged", "first"),
    Index(None, "collection_id", "prolonged", "last", "first"),
    sqlite_with_rowid=False,
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("collection_id", ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True),
    Column("href", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "collection_id", "revision"),
    Index(None, "at"),
    sqlite_with_rowid=False,
)

journal = Table(
    "journal",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False, comment="user:NAME, cli, import, undo"),
    Column("via", Text, nullable=False, comment="the client program, as it names itself"),
    Column("kind", String(8), nullable=False),
    Column("owner", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("href", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("action", String(8), nullable=False, comment="create | replace | remove"),
    Column("before", ForeignKey("body.etag")),
    Column("after", ForeignKey("body.etag")),
    Column("incarnation", String(16), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index(None, "kind", "owner", "key", "revision"),
    Index(None, "uid"),
    Index(None, "at"),
    Index(None, "before"),
    Index(None, "after"),
    comment="Kept when its collection is deleted, hence no foreign key to it.",
)

app_password = Table(
    "app_password",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("user", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("beginning", String(4), nullable=False, comment="of the password, by which the one to compare is found"),
    Column("hash", Text, nullable=False, comment="Argon2id"),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    UniqueConstraint("user", "label"),
    UniqueConstraint("user", "beginning"),
)

feed = Table(
    "feed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("generation", Integer, nullable=False, comment="raised to revoke the feed's URL"),
)

feed_fetch = Table(
    "feed_fetch",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("client", Text, primary_key=True, comment="family of the User-Agent"),
    Column("at", BigInteger, nullable=False),
    Column("interval", BigInteger, comment="microseconds between the last two recorded fetches"),
    Column("times", BigInteger, nullable=False),
)

sealed = Table(
    "sealed",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", LargeBinary, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
