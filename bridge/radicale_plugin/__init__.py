"""The CalDAV face: Radicale, with our store behind it.

Calbridge hosts Radicale itself (`hosting`). A Radicale that runs already can load the store and the grants too, with
`type = bridge.radicale_plugin` in its [storage] and [rights] sections and `calbridge_config = PATH` beside the first
(`config/radicale.example.ini`); it finds the classes `Storage` and `Rights` here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.radicale_plugin.stock import Rights, Storage

__all__ = ["Rights", "Storage"]


def __getattr__(name: str) -> object:
    # Importing the package must not load Radicale where only its parts are used.
    if name in __all__:
        from bridge.radicale_plugin import stock  # noqa: PLC0415

        return getattr(stock, name)
    raise AttributeError(name)
