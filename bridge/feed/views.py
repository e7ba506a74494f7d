"""The feed face: answers `/feed/TOKEN/NAME.ics`, from memory wherever nothing has changed (RFC 9110, RFC 5545)."""

from __future__ import annotations

import gzip
import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from bridge.errors import StoreError
from bridge.feed import client
from bridge.feed.entry import FeedEntry, FeedSettings, Window
from bridge.feed.freebusy import render_freebusy
from bridge.feed.render import render
from bridge.store import collection, feed_record, placement
from bridge.store.collection import Address, Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from bridge.config import Configuration, Feed
    from bridge.feed.url import FeedTokens
    from bridge.store.collection import Collection
    from bridge.store.database import Database, Transaction
    from bridge.store.pulse import Pulse

_log = structlog.get_logger()

_MOST_CACHED_OCTETS = 64 * 2**20
_NO_ZONE = ZoneInfo("UTC")
_NOTE_EVERY = timedelta(minutes=1)
# A window is cut to the years 1 to 9999.
_NO_LIMIT = timedelta(days=999_999)
_TYPES = {"ics": "text/calendar; charset=utf-8", "ifb": "text/calendar; charset=utf-8; component=VFREEBUSY"}


@dataclass(frozen=True, slots=True)
class _State:
    """A feed as it stands while nothing changes: what an answer to a client that has it needs, made once.

    Attributes:
        configuration: That it was read under; held, so that no other one can have its `id`.
        token: In its URL.
        collections: That it shows.
        etag: Of its content, without quotes.
        last_modified: HTTP date of its last change.
    """

    configuration: Configuration
    token: bytes
    collections: tuple[Collection, ...]
    etag: str
    last_modified: str


@dataclass(frozen=True)
class _Body:
    """A rendered feed."""

    etag: str
    plain: bytes = field(repr=False)

    @cached_property
    def packed(self) -> bytes:
        """The same, gzipped."""
        return gzip.compress(self.plain, compresslevel=6, mtime=0)


class FeedView:
    """Answers feed requests as a WSGI application of its own: a framework would cost more than the answer.

    Args:
        database: The store.
        pulse: Tells when something in it has changed.
        configuration: Gives the configuration of the moment.
        tokens: Makes and checks feed URLs.
        clock: Gives the present instant, UTC.
    """

    def __init__(
        self,
        database: Database,
        *,
        pulse: Pulse,
        configuration: Callable[[], Configuration],
        tokens: FeedTokens,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._pulse = pulse
        self._configuration = configuration
        self._tokens = tokens
        self._clock = clock
        self._bodies: OrderedDict[tuple[str, str], _Body] = OrderedDict()
        self._lock = threading.Lock()
        self._rendering: dict[str, threading.Lock] = {}
        self._noted: dict[tuple[str, str], datetime] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """Answers one request (PEP 3333); `PATH_INFO` starts with `/feed/`.

        The answer is a list, which granian sends much faster than any other iterable.
        """
        method = environ["REQUEST_METHOD"]
        if method not in {"GET", "HEAD"}:
            return _say(
                start_response, HTTPStatus.METHOD_NOT_ALLOWED, "A feed can only be read.", ("Allow", "GET, HEAD")
            )
        try:
            return self._answer(environ, start_response, with_body=method == "GET")
        except StoreError as error:
            return _say(start_response, HTTPStatus.SERVICE_UNAVAILABLE, str(error), ("Retry-After", "60"))

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any], *, with_body: bool) -> list[bytes]:
        _, _, token, file = (*environ["PATH_INFO"].split("/", 3), "", "", "")[:4]
        name, _, ending = file.rpartition(".")
        configuration = self._configuration()
        feed = configuration.feeds.get(name)
        zone = _NO_ZONE if feed is None else configuration.accounts[feed.of.account].time_zone
        now = self._clock()
        today = now.astimezone(zone).date()
        # What does not exist shares one state: whoever guesses names fills no memory.
        shown = (name, ending) if feed is not None and ending in _TYPES else None
        state = self._pulse.remembered(
            ("feed", id(configuration), shown, today),
            lambda tx: self._read_state(tx, configuration, shown, now),
        )
        # Checked for an unknown name too, so that the time of the answer does not tell which names there are.
        is_right = hmac.compare_digest(token.encode(), state.token)
        if feed is None or shown is None or not is_right:
            return _say(
                start_response, HTTPStatus.NOT_FOUND, "There is no such feed; its address may have been renewed."
            )
        agent = environ.get("HTTP_USER_AGENT", "")
        self._note(name, client.family(agent), now)
        etag = state.etag
        packs = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "") and client.unpacks_gzip(agent)
        headers = [
            ("ETag", f'"{etag}-gzip"' if packs else f'"{etag}"'),
            ("Last-Modified", state.last_modified),
            ("Cache-Control", "private, max-age=300"),
            ("Vary", "Accept-Encoding"),
        ]
        if _has_it(environ, etag, state.last_modified):
            start_response("304 Not Modified", headers)
            return []
        body = self._body(name, etag, lambda: self._render(feed, zone, today, state, ending))
        content = body.packed if packs else body.plain
        headers += [
            ("Content-Type", _TYPES[ending]),
            ("Content-Length", str(len(content))),
            ("Content-Disposition", f'inline; filename="{name}.{ending}"'),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if packs:
            headers.append(("Content-Encoding", "gzip"))
        start_response("200 OK", headers)
        return [content] if with_body else []

    def _read_state(
        self, tx: Transaction, configuration: Configuration, shown: tuple[str, str] | None, now: datetime
    ) -> _State:
        if shown is None:
            return _State(configuration, self._tokens.token("", 0).encode(), (), "", "")
        name, ending = shown
        feed = configuration.feed(name)
        zone = configuration.accounts[feed.of.account].time_zone
        today = now.astimezone(zone).date()
        token = self._tokens.token(name, feed_record.generations(tx).get(name, 0)).encode()
        found = (collection.find(tx, Address(Kind.RESOURCE, *key)) for key in configuration.resources_of(feed.of))
        collections = tuple(each for each in found if each is not None)
        tags = " ".join(each.tag for each in collections)
        # It never goes back: the window moves on at midnight, which changes the content as an edit does.
        midnight = datetime.combine(today, time(), zone).astimezone(UTC)
        latest = max([midnight, *(each.changed_at for each in collections)])
        return _State(
            configuration,
            token,
            collections,
            etag=sha256(f"{tags} {feed!r} {today} {ending}".encode()).hexdigest()[:32],
            last_modified=min(latest, now).strftime("%a, %d %b %Y %H:%M:%S GMT"),
        )

    def _body(self, name: str, etag: str, make: Callable[[], bytes]) -> _Body:
        """The rendered feed from memory, or made once, however many ask for it at once."""
        key = (name, etag)
        with self._lock:
            known = self._bodies.get(key)
            rendering = self._rendering.setdefault(name, threading.Lock())
        if known is not None:
            return known
        with rendering:
            known = self._bodies.get(key)
            if known is None:
                known = _Body(etag, make())
                with self._lock:
                    for old in [each for each in self._bodies if each[0] == name]:
                        # The .ics and the .ifb of one feed are kept side by side, older states are not.
                        if len([each for each in self._bodies if each[0] == name]) > 1:
                            del self._bodies[old]
                    self._bodies[key] = known
                    while (
                        len(self._bodies) > 1
                        and sum(len(each.plain) for each in self._bodies.values()) > _MOST_CACHED_OCTETS
                    ):
                        self._bodies.popitem(last=False)
        return known

    def _render(self, feed: Feed, zone: ZoneInfo, today: date, state: _State, ending: str) -> bytes:
        settings = FeedSettings(
            name=feed.name or str(feed.of),
            detail=feed.detail,
            components=frozenset(feed.components),
            categories=frozenset(feed.categories),
            alarms=feed.alarms,
            past=_NO_LIMIT if feed.past is None else feed.past,
            future=_NO_LIMIT if feed.future is None else feed.future,
        )
        window = settings.window(today, zone)
        most = self._configuration().limits.max_instances
        entries = self._entries(state, window)
        if ending == "ifb":
            rendered = render_freebusy(
                entries,
                settings,
                zone=zone,
                today=today,
                uid=f"{feed.of}@calbridge",
                max_instances=most,
            )
        else:
            rendered = render(entries, settings, zone=zone, today=today, max_instances=most)
        for left_out in rendered.left_out:
            _log.warning("feed_left_out", feed=str(feed.of), uid=left_out.uid, reason=left_out.reason)
        return rendered.body

    def _entries(self, state: _State, window: Window) -> list[FeedEntry]:
        # An appointment that several resources share has one object; a feed shows it once.
        found: dict[int, FeedEntry] = {}
        with self._database.reading() as tx:
            for each in state.collections:
                for shown in placement.shown(tx, each.id, window.start, window.end):
                    if shown.object_id not in found:
                        found[shown.object_id] = FeedEntry(*shown[1:])
        return list(found.values())

    def _note(self, name: str, family: str, now: datetime) -> None:
        """Notes the fetch, at most once a minute for each client, so that an eager one costs no writes."""
        last = self._noted.get((name, family))
        if last is not None and now - last < _NOTE_EVERY:
            return
        self._noted[name, family] = now
        try:
            with self._database.writing() as tx:
                feed_record.note_fetch(tx, name, family)
        except StoreError as error:
            # A feed is read also while the database cannot be written.
            _log.warning("fetch_not_noted", feed=name, reason=str(error))


def _has_it(environ: dict[str, Any], etag: str, last_modified: str) -> bool:
    asked = environ.get("HTTP_IF_NONE_MATCH")
    if asked is not None:
        return asked.strip() == "*" or etag in asked
    return environ.get("HTTP_IF_MODIFIED_SINCE") == last_modified


def _say(
    start_response: Callable[..., Any], status: HTTPStatus, sentence: str, *headers: tuple[str, str]
) -> list[bytes]:
    body = f"{sentence}\n".encode()
    start_response(
        f"{status.value} {status.phrase}",
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *headers],
    )
    return [body]
