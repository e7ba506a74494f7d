"""The answer of a token endpoint is read into tokens, or refused where it holds none (RFC 6749 section 5.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bridge.errors import UpstreamUnavailable
from bridge.upstream.oauth.refusals import host_of, unasked
from bridge.upstream.oauth.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bridge.upstream.answers import Answer
    from bridge.upstream.oauth.refusals import Situation

    Post = Callable[[str, Mapping[str, str]], Answer]

_USUAL: Final = timedelta(hours=1)
_LONGEST: Final = timedelta(days=1)
_VISIBLE: Final = range(0x21, 0x7F)


def granted(post: Post, form: Mapping[str, str], at: Situation, *, asked_at: datetime) -> Tokens:
    """Asks for tokens and gives those that came, with no date of a grant but `asked_at`.

    Args:
        post: Sends a form.
        form: What to send; a scope in it counts as granted where the answer names none.
        at: The circumstances, for what may be refused.
        asked_at: The time before the request, UTC: from then on a token's life is counted.

    Raises:
        LoginRefused: The provider gives none.
        UpstreamUnavailable: It could not be asked, or its answer is none.
    """
    answer = post(at.provider.token_url, form)
    content = answer.content
    if not answer.ok or content is None or "error" in content:
        raise unasked(answer, at)
    access, refresh = content.get("access_token"), content.get("refresh_token", "")
    kind, scope = content.get("token_type", ""), content.get("scope", "")
    if not _is_token(access) or not isinstance(refresh, str) or str(kind).lower() != "bearer":
        raise UpstreamUnavailable(
            f"{host_of(answer.url)} answers without an access token that can be used.",
            remedy="It is asked again later; look whether the connection's `endpoints` are right.",
        )
    life = _life(content.get("expires_in"))
    return Tokens(
        access=str(access),
        refresh=refresh,
        expires_at=asked_at + life,
        scopes=frozenset(str(scope).split()),
        granted_at=asked_at,
        renewed_at=asked_at,
    )


def _is_token(token: object) -> bool:
    # It goes into a header, where a line break would begin another.
    return isinstance(token, str) and bool(token) and all(ord(each) in _VISIBLE for each in token)


def _life(seconds: object) -> timedelta:
    """How long a token lives; an hour where that is not said in a way that can be read."""
    if isinstance(seconds, int | float | str) and not isinstance(seconds, bool):
        try:
            return min(max(timedelta(seconds=float(seconds)), timedelta()), _LONGEST)
        except (ValueError, OverflowError):
            return _USUAL
    return _USUAL
