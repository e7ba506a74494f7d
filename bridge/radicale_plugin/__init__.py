"""The CalDAV face: Radicale, with our store behind it.

Calbridge hosts Radicale itself (`hosting`). A Radicale that runs already can load the store too, with
`[storage] type = bridge.radicale_plugin` and `calbridge_config = PATH` beside it (`config/radicale.example.ini`);
it finds the class `Storage` here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.radicale_plugin.stock import Storage

__all__ = ["Storage"]


def __getattr__(name: str) -> object:
    # Importing the package must not load Radicale where only its parts are used.
    if name == "Storage":
        from bridge.radicale_plugin.stock import Storage  # noqa: PLC0415

        return Storage
    raise AttributeError(name)
