"""The interface itself: finds the method of a request, holds both sides against the document, and asks the state."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tests.fakes.google import schema
from tests.fakes.google.calls import METHODS, Call
from tests.fakes.google.exchange import Answered, Asked, Caller, Recorded
from tests.fakes.google.listing import Pages
from tests.fakes.google.partial import selected
from tests.fakes.google.quota import Quota
from tests.fakes.google.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fakes.google.state import World

__all__ = ["BASE", "Answered", "Api", "Asked"]
BASE = "/calendar/v3/"


class Api:
    """Answers requests to the calendar interface.

    Args:
        who: Finds the caller of an access token; None where it is not valid.
    """

    def __init__(self, world: World, who: Callable[[str], Caller | None]) -> None:
        self.world = world
        self.pages = Pages()
        self.quota = Quota()
        self.requests: list[Recorded] = []
        self.misuses: list[str] = []
        self.more: dict[str, Callable[[Call], dict[str, Any] | None]] = {}
        self._who = who

    def answer(self, asked: Asked) -> Answered:
        """What Google says to a request."""
        recorded = Recorded(asked.method, asked.path, headers=dict(asked.headers), at=self.world.clock())
        with self.world.lock:
            self.requests.append(recorded)
            try:
                answered = self._answer(asked, recorded)
            except Refused as refused:
                recorded.reason = refused.reason
                answered = Answered(refused.status, {"Content-Type": "application/json; charset=UTF-8"}, refused.body())
        recorded.status = answered.status
        return answered

    def _answer(self, asked: Asked, recorded: Recorded) -> Answered:
        if asked.headers.get("x-http-method-override"):
            # How the client library sends what is too long for an address.
            path = f"{asked.path}?{asked.body.decode()}"
            asked = replace(asked, method=asked.headers["x-http-method-override"], path=path, body=b"")
        found = _route(asked.method, urlsplit(asked.path).path)
        if found is None:
            raise Refused("notFound")
        recorded.id, recorded.places = found
        recorded.query = {name: values[-1] for name, values in asked.query.items()}
        caller = self._caller(asked, recorded)
        self.quota.take(caller.user, self.world.clock())
        method = schema.methods()[recorded.id]
        if not caller.scopes & set(method["scopes"]):
            raise Refused("insufficientPermissions")
        self._check_query(recorded, asked.query)
        recorded.body = self._read_body(asked, method, recorded)
        act = METHODS.get(recorded.id) or self.more.get(recorded.id)
        if act is None:
            self.misuses.append(f"{recorded.id} is not part of the fake")
            raise Refused("notImplemented")
        call = Call(
            self.world, self.pages, caller, recorded.places, asked.query, recorded.body or {}, asked.headers, recorded
        )
        told = act(call)
        if call.status:
            return Answered(call.status, {"ETag": call.etag})
        if told is None:
            return Answered(204)
        faults = schema.faults_of(method["response"]["$ref"], told)
        if faults:
            raise AssertionError(f"{recorded.id} would answer what the document does not allow: {faults}")
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        if told.get("etag"):
            headers["ETag"] = told["etag"]
        if call.one("fields"):
            told = selected(told, call.one("fields"))
        return Answered(200, headers, json.dumps(told).encode())

    def _caller(self, asked: Asked, recorded: Recorded) -> Caller:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        caller = self._who(token) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Refused("authError", location="Authorization")
        recorded.user = caller.user
        return caller

    def _check_query(self, recorded: Recorded, query: Mapping[str, Sequence[str]]) -> None:
        faults = schema.query_faults(recorded.id, query)
        for name, fault in faults.items():
            self.misuses.append(f"{recorded.id}: {fault}")
            raise Refused("invalidParameter", fault, name)

    def _read_body(self, asked: Asked, method: Mapping[str, Any], recorded: Recorded) -> dict[str, Any] | None:
        if "request" not in method:
            return None
        try:
            body = json.loads(asked.body or b"{}")
        except ValueError as error:
            raise Refused("badRequest", "Parse Error") from error
        faults = schema.faults_of(method["request"]["$ref"], body, removals=True)
        if faults:
            self.misuses += [f"{recorded.id}: {fault}" for fault in faults]
            raise Refused("badRequest", f"Invalid JSON payload received. {faults[0]}")
        return dict(body)


def _route(verb: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The method of a request, and what its path names."""
    if not path.startswith(BASE):
        return None
    for pattern, verb_wanted, name in _routes():
        match = pattern.fullmatch(path[len(BASE) :])
        if match is not None and verb == verb_wanted:
            return name, {key: unquote(value) for key, value in match.groupdict().items()}
    return None


@cache
def _routes() -> list[tuple[re.Pattern[str], str, str]]:
    routes = [
        (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", method["path"])), method["httpMethod"], name)
        for name, method in schema.methods().items()
    ]
    # A path without a place in it is meant before one with: events/import is no event.
    return sorted(routes, key=lambda route: route[0].pattern.count("?P<"))
