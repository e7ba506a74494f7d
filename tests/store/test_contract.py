"""The store's contract, on SQLite and on PostgreSQL."""

from __future__ import annotations

from tests.contracts import store, store_sharing, store_sync


class TestObjects(store.ObjectContract):
    pass


class TestListings(store.ListingContract):
    pass


class TestSharing(store_sharing.SharingContract):
    pass


class TestMoves(store_sharing.MoveContract):
    pass


class TestSync(store_sync.SyncContract):
    pass
