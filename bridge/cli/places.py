"""Calendars as people name them in a command: `ACCOUNT/RESOURCE`, or `USER/CALENDAR` for a user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store import collection
from bridge.store.collection import Address, Kind

if TYPE_CHECKING:
    from bridge.bootstrap import Site
    from bridge.core.model import ComponentType
    from bridge.store.database import Transaction


def address_of(site: Site, tx: Transaction, name: str) -> Address:
    """The address of the calendar that is written `name`.

    Raises:
        NotFound: There is no such resource, and no user has a calendar of that name.
    """
    owner, _, key = name.partition("/")
    accounts = site.configuration.accounts
    if owner not in accounts or key not in accounts[owner].resources:
        personal = Address(Kind.PERSONAL, owner, key)
        if collection.find(tx, personal) is not None:
            return personal
    site.configuration.resource(name)
    return Address(Kind.RESOURCE, owner, key)


def title_of(site: Site, address: Address) -> str:
    """The name of the calendar that people see."""
    if address.kind is Kind.PERSONAL:
        return address.key
    return site.configuration.resource(str(address)).name


def components_of(site: Site, address: Address) -> frozenset[ComponentType] | None:
    """The types that the calendar takes, or None where it takes all."""
    if address.kind is Kind.PERSONAL:
        return None
    return frozenset(site.configuration.resource(str(address)).components)


def joinable(site: Site, tx: Transaction, address: Address) -> frozenset[int]:
    """The collections whose appointments one in `address` may turn out to be: all of the account."""
    if address.kind is Kind.PERSONAL:
        return frozenset()
    found = collection.owned(tx, Kind.RESOURCE, address.owner)
    accounts = site.configuration.accounts
    # An account that has left the configuration keeps its history, which can be undone.
    configured = accounts[address.owner].resources if address.owner in accounts else {}
    return frozenset(each.id for each in found if each.address.key in configured)
