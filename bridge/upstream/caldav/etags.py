"""An etag is kept without its quotes, and goes back to the server as it came (RFC 9110 section 8.8.3)."""

from __future__ import annotations

_WEAK = 'W/"'


def kept(header: str | None) -> str:
    """The etag as it is kept: a strong one without quotes, a weak one as it stands; empty where there is none."""
    text = (header or "").strip()
    if text.startswith(_WEAK):
        return text
    return text.removeprefix('"').removesuffix('"')


def sent(etag: str) -> str:
    """The etag as If-Match takes it."""
    return etag if weak(etag) else f'"{etag}"'


def weak(etag: str) -> bool:
    """Whether it is a weak one, which If-Match never matches on a strict server (RFC 9110 section 13.1.1)."""
    return etag.startswith(_WEAK)


def same(one: str, other: str) -> bool:
    """Whether two kept etags name one version: a proxy that compresses makes a strong one weak (section 8.8.3.2)."""
    return _opaque(one) == _opaque(other)


def _opaque(etag: str) -> str:
    return etag.removeprefix(_WEAK).removesuffix('"') if weak(etag) else etag
