"""The store's contract, on SQLite and on PostgreSQL."""

from __future__ import annotations

from tests.contracts import (
    store,
    store_allowances,
    store_claims,
    store_leases,
    store_links,
    store_outbox,
    store_record,
    store_rules,
    store_sharing,
    store_status,
    store_sync,
    store_watches,
)


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


class TestRules(store_rules.RuleContract):
    pass


class TestLeases(store_leases.LeaseContract):
    pass


class TestOutbox(store_outbox.OutboxContract):
    pass


class TestLinks(store_links.LinkContract):
    pass


class TestConflicts(store_links.ConflictContract):
    pass


class TestRuns(store_record.RunContract):
    pass


class TestHolds(store_record.HeldContract):
    pass


class TestParked(store_record.ParkedContract):
    pass


class TestStatus(store_status.StatusContract):
    pass


class TestClaims(store_claims.ClaimContract):
    pass


class TestWatches(store_watches.WatchContract):
    pass


class TestAllowances(store_allowances.AllowanceContract):
    pass
