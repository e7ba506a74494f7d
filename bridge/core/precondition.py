"""A precondition is what a client demands of the stored object before its write may happen (RFC 9110 section 13.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.errors import PreconditionFailed

ANY: Final = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Precondition:
    """If-Match and If-None-Match of one request, as sets of etags without quotes.

    Attributes:
        if_match: The write needs the stored etag to be among these; `ANY` means that something is stored;
            None where the client did not ask.
        if_none_match: The write needs the stored etag not to be among these; `ANY` means that nothing is stored.
    """

    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] | None = None

    @classmethod
    def from_headers(cls, if_match: str | None, if_none_match: str | None) -> Precondition:
        """Reads the two header fields as they came.

        A weak etag (`W/"..."`) never matches in If-Match (RFC 9110 section 13.1.1): it stays in the set with its mark,
        so that no stored etag equals it. In If-None-Match the mark is dropped (section 13.1.2).
        """
        return cls(
            if_match=None if if_match is None else _etags(if_match, weak=False),
            if_none_match=None if if_none_match is None else _etags(if_none_match, weak=True),
        )

    def check(self, stored: str | None, *, href: str) -> None:
        """Passes where the demands hold for `stored`, the etag that stands there now (None: nothing).

        Raises:
            PreconditionFailed: The client has another state in mind than the one that is stored.
        """
        if self.if_match is not None and (stored is None or not ({stored, *ANY} & self.if_match)):
            raise PreconditionFailed(
                f"{href!r} was changed or deleted since this client last read it, so its write was not done.",
                remedy="Read it again and repeat the change.",
            )
        if self.if_none_match is not None and stored is not None and {stored, *ANY} & self.if_none_match:
            raise PreconditionFailed(
                f"{href!r} is already there, and this client asked not to overwrite anything.",
                remedy="Read it first, or choose another name.",
            )


NO_PRECONDITION: Final = Precondition()


def _etags(field: str, *, weak: bool) -> frozenset[str]:
    etags = set()
    for part in field.split(","):
        etag = part.strip()
        if weak and etag.startswith("W/"):
            etag = etag[2:]
        if len(etag) > 1 and etag[0] == etag[-1] == '"':
            # An etag of one star is not the star that stands for any.
            etag = etag[1:-1] if etag != '"*"' else ""
        if etag:
            etags.add(etag)
    return frozenset(etags)
