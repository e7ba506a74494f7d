"""The quirk `conditions-ignored`: a server writes whatever the conditions of a request say.

Who: SOGo, measured with 5.8: a PUT with `If-None-Match: *` overwrites, one with If-Match of what was deleted stores it
anew, and DELETE does not look at If-Match. It is known by its addresses, which always hold `/SOGo/`. What is done: the
object is looked at before each write, and the capabilities say that something can come in between. Sample: the server
`Manners(overwrites=True)` of `tests/upstream/caldav/small_server.py`, and SOGo itself where it is installed. Ends: when
SOGo heeds conditions.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_SOGO = "/SOGo/"


def ignores_conditions(url: str) -> bool:
    """Whether the server at an address is one that heeds no conditions."""
    return _SOGO in urlsplit(url).path
