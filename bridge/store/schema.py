"""The tables, as SQLAlchemy Core sees them; `migrations/` makes the same ones.

Instants are integers: microseconds since 1970 in UTC. Spans are whole seconds since 1970 in UTC.
Everything that belongs to a rule goes with it, and the rule with its collection.
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
    text,
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
# Numbers that are named outside of the tables (`run:7`, `calbridge held approve 7`) are never given twice: on SQLite
# only `sqlite_autoincrement` sees to that.

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
    # What a rule did is found by its run; a client's program needs no index.
    Index("ix_journal_via", "via", sqlite_where=text("who LIKE 'rule:%'"), postgresql_where=text("who LIKE 'rule:%'")),
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

rule = Table(
    "rule",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", Text, nullable=False, comment="its name in the configuration"),
    Column("target", Text, nullable=False, comment="resource, connection and remote calendar"),
    Column("origin", Text, nullable=False, comment="site.rule: the mark on everything that it writes upstream"),
    Column("calendar", Text, comment="id of the remote calendar, once it was found"),
    Column("collection_id", ForeignKey("collection.id", ondelete="CASCADE"), nullable=False),
    Column("pushes", Boolean, nullable=False, comment="it wants to hear of changes here"),
    Column("active", Boolean, nullable=False, comment="it stands in the configuration"),
    Column("left_over_at", BigInteger, comment="since when it does not"),
    Column("paused", Boolean, nullable=False),
    Column("fingerprint", Text, nullable=False, comment="of its options"),
    Column("adopted_at", BigInteger, comment="when its first pass was done"),
    Column("due_at", BigInteger, nullable=False),
    Column("wanted_at", BigInteger, comment="somebody asks for a pass earlier than due_at"),
    Column("not_before", BigInteger, comment="until then it leaves the upstream alone"),
    Column("failures", Integer, nullable=False),
    Column("last_started_at", BigInteger),
    Column("last_succeeded_at", BigInteger),
    Column("last_full_at", BigInteger, comment="when everything was last compared; NULL: it has to be"),
    Column("lease_owner", Text),
    Column("lease_until", BigInteger),
    Column("lease_void", Boolean, nullable=False, comment="the pass that holds the lease may write nothing more"),
    Column("problem_code", Text),
    Column("problem_sentence", Text),
    Column("problem_remedy", Text),
    Column("problem_since", BigInteger),
    # The last, as it may be long: what stands before it is read without it.
    Column("cursor", Text),
    UniqueConstraint("key", "target"),
    Index(None, "collection_id"),
    sqlite_autoincrement=True,
)

link = Table(
    "link",
    metadata,
    Column("rule_id", ForeignKey("rule.id", ondelete="CASCADE"), primary_key=True),
    Column("uid", Text, primary_key=True),
    Column("remote_id", Text, comment="NULL while it is being created there"),
    Column("remote_etag", Text),
    Column("base_here", ForeignKey("body.etag"), comment="ours when both sides last agreed"),
    Column("base_there", ForeignKey("body.etag"), comment="theirs when both sides last agreed"),
    Column("view", Text, nullable=False, comment="fingerprint of the projection that counted"),
    Column("made", String(7), nullable=False, comment="here | there | adopted"),
    Column("generation", Integer, nullable=False),
    Column("written_at", BigInteger, comment="when we last wrote there"),
    Column("streak", Integer, nullable=False, comment="passes in a row that had to write it"),
    Column("wrote", Text, nullable=False, comment="digest of what was last written"),
    # Begins otherwise than the key does, so that PostgreSQL cannot take the one for the other while it knows no better.
    UniqueConstraint("remote_id", "rule_id"),
    Index(None, "base_here"),
    Index(None, "base_there"),
    sqlite_with_rowid=False,
)

intent = Table(
    "intent",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("rule_id", ForeignKey("rule.id", ondelete="CASCADE"), nullable=False),
    Column("side", String(5), nullable=False, comment="here | there"),
    Column("key", Text, nullable=False, comment="UID here, remote id there"),
    Column("noted_at", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False, comment="raised each time that it is noted again"),
    Column("attempts", Integer, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("hint", String(8), nullable=False, comment="changed | gone | absent, or empty"),
    # PostgreSQL mostly sees this table empty: for each question one index must be the only one that answers it.
    UniqueConstraint("key", "rule_id", "side"),
    Index(None, "rule_id", "not_before"),
    sqlite_autoincrement=True,
)

run = Table(
    "run",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("rule_id", ForeignKey("rule.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", Text),
    Column("moves", Text, nullable=False, comment="JSON: how many of each move"),
    Column("requests", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Index(None, "rule_id", "id"),
    Index(None, "started_at"),
    sqlite_autoincrement=True,
)

run_item = Table(
    "run_item",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("run_id", ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("rule_id", ForeignKey("rule.id", ondelete="CASCADE"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("move", Text, nullable=False),
    Column("side", String(5), nullable=False, comment="where something changed: here | there"),
    Column("uid", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("deletes", Boolean, nullable=False),
    Index(None, "run_id"),
    Index(None, "rule_id", "deletes", "at"),
)

held = Table(
    "held",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("rule_id", ForeignKey("rule.id", ondelete="CASCADE"), nullable=False),
    Column("side", String(5), nullable=False, comment="from where it would be deleted: here | there"),
    Column("at", BigInteger, nullable=False),
    Column("total", Integer, nullable=False, comment="how many objects stood on that side"),
    Column("state", String(8), nullable=False, comment="waiting | approved | refused"),
    Column("decided_at", BigInteger),
    Column("decided_by", Text),
    Index(None, "rule_id", "state"),
    sqlite_autoincrement=True,
)

held_item = Table(
    "held_item",
    metadata,
    Column("held_id", ForeignKey("held.id", ondelete="CASCADE"), primary_key=True),
    Column("uid", Text, primary_key=True),
    Column("remote_id", Text),
    Column("summary", Text, nullable=False),
    sqlite_with_rowid=False,
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("rule_id", ForeignKey("rule.id", ondelete="CASCADE"), nullable=False),
    Column("uid", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("lost_side", String(5), nullable=False),
    Column("lost", ForeignKey("body.etag"), nullable=False),
    Column("kept", ForeignKey("body.etag"), nullable=False),
    Column("properties", Text, nullable=False, comment="those in which the two differ, one a line"),
    Column("state", String(9), nullable=False, comment="open | swapped | dismissed"),
    Index(None, "rule_id", "state"),
    Index(None, "lost"),
    Index(None, "kept"),
    sqlite_autoincrement=True,
)

parked = Table(
    "parked",
    metadata,
    Column("rule_id", ForeignKey("rule.id", ondelete="CASCADE"), primary_key=True),
    Column("side", String(5), primary_key=True, comment="on which side it stands: here | there"),
    Column("key", Text, primary_key=True, comment="UID here, remote id there"),
    Column("uid", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    sqlite_with_rowid=False,
)

watch = Table(
    "watch",
    metadata,
    Column("channel", Text, primary_key=True, comment="chosen here, and kept before the upstream is asked for it"),
    # What stands open there outlives its rule: it is still to be closed.
    Column("rule_id", ForeignKey("rule.id", ondelete="SET NULL"), comment="NULL: the rule was removed"),
    Column("connection", Text, nullable=False, comment="its key in the configuration"),
    Column("calendar", Text, nullable=False, comment="id of the remote calendar"),
    Column("address", Text, nullable=False, comment="where its notifications are sent"),
    Column("resource", Text, comment="the upstream's name of what is watched; NULL until the upstream has told it"),
    Column("opened_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("wanted", Boolean, nullable=False, comment="FALSE: it is to be closed"),
    Column("attempts", Integer, nullable=False, comment="how often closing it was tried"),
    Column("not_before", BigInteger, nullable=False, comment="until then closing it is not tried again"),
    Column("heard_at", BigInteger, comment="when a notification last led to something"),
    Column("number", BigInteger, comment="of that notification, as the upstream counts them"),
    Index(None, "rule_id"),
    sqlite_with_rowid=False,
)

watch_problem = Table(
    "watch_problem",
    metadata,
    Column("rule_id", ForeignKey("rule.id", ondelete="CASCADE"), primary_key=True),
    Column("code", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("not_before", BigInteger, nullable=False, comment="until then opening one is not tried again"),
    comment="Why a rule has no watch, or cannot renew it.",
)

claim = Table(
    "claim",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    comment="What one process at a time may do, and until when its claim lasts.",
    sqlite_with_rowid=False,
)

allowance = Table(
    "allowance",
    metadata,
    Column("connection", Text, primary_key=True, comment="its key in the configuration"),
    Column("spent_until", BigInteger, nullable=False, comment="when the bucket of its requests is full again"),
    comment="The requests that all processes together may still send over a connection.",
    sqlite_with_rowid=False,
)
